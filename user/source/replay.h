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

struct replay_span {
	uint64_t begin_ns, end_ns; /* CLOCK_BOOTTIME; it begins with `ready`, or else with its first event */
	bool cut;		   /* as *ret_cut of replay_read() */
};
/* 0, or a negative errno; *fault tells of that, and of a cut. */
int replay_span(const char *path, struct replay_span *ret_span, struct fault *fault);

#endif
