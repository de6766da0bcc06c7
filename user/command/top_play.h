/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording with a clock of its own: it runs, stands still, faster or slower, back and on. */
#ifndef PORTSNOOP_COMMAND_TOP_PLAY_H
#define PORTSNOOP_COMMAND_TOP_PLAY_H

#include "command/top_tables.h"
#include "source/fault.h"

/* On a terminal. An exit status; complains itself. */
int top_play(struct top_tables *tables, struct top_state *state);
/* So many frames, evenly spread from the beginning to the end. */
int top_play_batch(struct top_tables *tables, struct top_state *state);

#endif
