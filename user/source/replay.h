/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording as a source: the same records in the same order, without privileges. */
#ifndef PORTSNOOP_SOURCE_REPLAY_H
#define PORTSNOOP_SOURCE_REPLAY_H

#include "source/fault.h"
#include "source/sink.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads the recording from beginning to end. 0, a negative errno with *fault in words, or what the sink said.
 * *ret_cut: it was truncated or damaged; everything before that point was handed out, and *fault tells.
 */
int replay_read(const char *path, const struct sink *sink, bool *ret_cut, struct fault *fault);

/* --- in pieces --- */

struct replay;
/* 0, or a negative errno with *fault in words. */
int replay_open(const char *path, struct replay **ret_replay, struct fault *fault);
void replay_close(struct replay *replay);
/*
 * Hands out what is not later than time_ns (CLOCK_BOOTTIME), in the order in which it stands. *ret_ended:
 * there is nothing more, or what follows is damaged. 0, a negative errno, or what the sink said.
 */
int replay_until(struct replay *replay, uint64_t time_ns, const struct sink *sink, bool *ret_ended);
/* When it begins (`ready`, or else its first event) and ends. 0, or a negative errno with *fault in words. */
int replay_span(const char *path, uint64_t *ret_begin_ns, uint64_t *ret_end_ns, struct fault *fault);

#endif
