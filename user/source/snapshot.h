/* SPDX-License-Identifier: GPL-2.0-only */
/* What is there now, read by iterators: sockets and who holds them, as ordinary records. */
#ifndef PORTSNOOP_SOURCE_SNAPSHOT_H
#define PORTSNOOP_SOURCE_SNAPSHOT_H

#include "source/fault.h"
#include "source/sink.h"

#include <stdbool.h>

struct snapshot;

/* Loads the iterators. 0, or a negative errno with *fault in words. */
int snapshot_open(struct snapshot **ret_snapshot, struct fault *fault);
/*
 * One walk: TCP and UDP of this network namespace, then every process's descriptors in all of them. 0, a
 * negative errno, or what the sink said.
 */
int snapshot_walk(struct snapshot *snapshot, const struct sink *sink);
/* Only the TCP listeners of this network namespace. */
int snapshot_walk_listeners(struct snapshot *snapshot, const struct sink *sink);
void snapshot_close(struct snapshot *snapshot);

#endif
