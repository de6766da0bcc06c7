/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Full accept queues, by polling: no hook of this backend sees a dropped SYN. The namespace's counter is read
 * once a second; only when it moved are the listeners walked, to see whose drops grew.
 */
#ifndef PORTSNOOP_SOURCE_OVERFLOW_H
#define PORTSNOOP_SOURCE_OVERFLOW_H

#include "source/sink.h"
#include "source/snapshot.h"

struct overflow;

/* Takes note of the listeners as they are. NULL when there is no memory. */
struct overflow *overflow_open(struct snapshot *snapshot);
/* A record for each listener that dropped something since the last tick. 0, or what the sink said. */
int overflow_tick(struct overflow *overflow, const struct sink *sink);
/*
 * What a walk over all namespaces found, record by record, of those that are not polled: a record for a
 * listener that dropped something since the last time. sink NULL: only takes note. 0, or what the sink said.
 */
int overflow_see(struct overflow *overflow, const void *record, const struct sink *sink);
void overflow_close(struct overflow *overflow);

#endif
