/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records on their way from one thread to another: a bounded queue of batches. One thread puts, the other
 * takes; who puts waits where there is no room, who takes is told by a descriptor.
 */
#ifndef PORTSNOOP_SOURCE_BATCHES_H
#define PORTSNOOP_SOURCE_BATCHES_H

#include "source/sink.h"

#include <stdbool.h>
#include <stdint.h>

struct batches;

/* At most so many batches of 64 KiB wait to be taken. 0 or a negative errno. */
int batches_new(unsigned most, struct batches **ret_batches);
/* When nobody puts any more. */
void batches_free(struct batches *batches);

/* --- who puts --- */

/* 0, -ENOMEM, or -ECANCELED: what is put is not wanted any more. */
int batches_put(struct batches *batches, const void *record, size_t size);
/* What was put so far can be taken, though there may be more. 0 or -ECANCELED. */
int batches_flush(struct batches *batches);
/* The last was put. The error is what the taker gets at the end. */
void batches_end(struct batches *batches, int error);

/* --- who takes --- */

/* Before the first is put, and again before the first after an end. */
void batches_begin(struct batches *batches);
/* Readable while there is something to take, and perhaps once more after the end. */
int batches_fd(const struct batches *batches);
/* Takes nothing, but it is not readable any more. 0 or a negative errno. */
int batches_hush(struct batches *batches);
/*
 * Hands out what has come, until about that time (CLOCK_BOOTTIME). *ret_ended: that was the last, and the
 * result is the error that batches_end() was given. Else 0, what the sink said, or a negative errno.
 */
int batches_take(struct batches *batches, const struct sink *sink, uint64_t deadline_ns, bool *ret_ended);
/* The same to the end, waiting for what is still to come. */
int batches_take_all(struct batches *batches, const struct sink *sink);
/* From now on nothing can be put. */
void batches_cancel(struct batches *batches);

#endif
