/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks on a thread of their own: it enters namespaces, waits for the kernel, and hands what it found over a
 * bounded queue to the one thread that touches the tables. The thread keeps the privileges that it began
 * with.
 */
#ifndef PORTSNOOP_SOURCE_WALKER_H
#define PORTSNOOP_SOURCE_WALKER_H

#include "source/sink.h"
#include "source/snapshot.h"

#include <portsnoop/event.h>
#include <stdbool.h>
#include <stdint.h>

struct walker;

/* snapshot is borrowed, and the walker's alone while a walk is under way. 0 or a negative errno. */
int walker_open(struct snapshot *snapshot, struct walker **ret_walker);
/* Readable while there is something to take. */
int walker_fd(const struct walker *walker);
bool walker_is_busy(const struct walker *walker);
/*
 * Begins a walk: puts its WALK_BEGIN into the sink at once, so that whatever ends from now on is remembered,
 * and lets the thread go. Only when it is not busy. 0, or what the sink said.
 */
int walker_start(struct walker *walker, const struct snapshot_walk *what, const struct sink *sink);
/*
 * Hands out what has come, for about so long. *ret_ended: the walk is over, the walker free. 0, what the sink
 * said, or a negative errno when the walk failed.
 */
int walker_take(struct walker *walker, const struct sink *sink, uint64_t budget_ns, bool *ret_ended);
/* How long the last walk took, from start to the last record handed out. */
uint64_t walker_took_ns(const struct walker *walker);
/* Ends the thread, also in the middle of a walk. */
void walker_close(struct walker *walker);

#endif
