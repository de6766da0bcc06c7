/* SPDX-License-Identifier: GPL-2.0-only */
/* What top does to the world, when it is told to: it writes a view to a file, it sends a signal. */
#ifndef PORTSNOOP_COMMAND_TOP_ACTIONS_H
#define PORTSNOOP_COMMAND_TOP_ACTIONS_H

#include "command/top_tables.h"

/* To the file named in state->edit: JSON if its name ends in .json. What came of it is said in the state. */
void top_write(struct top_tables *tables, struct top_state *state, uint64_t now_ns);
/* To state->victim, if that is still the same process. */
void top_signal(struct top_state *state);

#endif
