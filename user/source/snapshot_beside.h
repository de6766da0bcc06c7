/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads descriptors on a thread of its own while the namespaces are still being walked, and keeps what it
 * finds until that is over: a holder comes after its socket.
 */
#ifndef PORTSNOOP_SOURCE_SNAPSHOT_BESIDE_H
#define PORTSNOOP_SOURCE_SNAPSHOT_BESIDE_H

#include "source/sink.h"

#include <stdint.h>

struct beside;

/* link_fd is that of the iterator over descriptors. NULL when there is no memory or no thread to be had. */
struct beside *beside_start(int link_fd);
/* When it began to read, CLOCK_BOOTTIME. */
uint64_t beside_begin_ns(const struct beside *beside);
/* Hands all of it out. 0, or what the sink said; *ret_error is the iterator's own, 0 or negative. */
int beside_take(struct beside *beside, const struct sink *sink, int *ret_error);
/* Also in the middle. */
void beside_end(struct beside *beside);

#endif
