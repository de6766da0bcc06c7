/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording as a source: the same records in the same order, without privileges. */
#ifndef PORTSNOOP_SOURCE_REPLAY_H
#define PORTSNOOP_SOURCE_REPLAY_H

#include "source/fault.h"
#include "source/sink.h"

#include <stdbool.h>

/*
 * Reads the recording from beginning to end. 0, a negative errno with *fault in words, or what the sink said.
 * *ret_cut: it was truncated or damaged; everything before that point was handed out, and *fault tells.
 */
int replay_read(const char *path, const struct sink *sink, bool *ret_cut, struct fault *fault);

#endif
