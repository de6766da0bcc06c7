/* SPDX-License-Identifier: GPL-2.0-only */
/* top on a terminal: keys and refreshes, on a loop that somebody else runs. */
#ifndef PORTSNOOP_COMMAND_TOP_SCREEN_H
#define PORTSNOOP_COMMAND_TOP_SCREEN_H

#include "command/top_tables.h"
#include "loop.h"
#include "screen/terminal.h"
#include "view/top_layout.h"

#define TOP_OVER 3 /* of callbacks: end the loop, all is well */

struct top_screen {
	struct top_tables *tables;
	struct top_state *state;
	struct terminal *terminal;
	struct loop *loop;
	struct top_layout layout;
	char *details; /* as lines, each ended by NUL */
	size_t details_size;
	const char **lines;
	size_t n_lines;
	int timer, signal_fd;
	/* The clock of what is shown, CLOCK_BOOTTIME; and what keys of a recording's clock do. */
	uint64_t (*now)(void *context);
	int (*turn)(void *context, enum top_wish wish);
	void *context;
};

/* Signals that screens live with, blocked before any thread is made. */
void top_screen_block_signals(void);
/* Opens the terminal, and takes its keys and signals from the loop. 0, or a negative errno: -EINVAL when
 * nothing can be drawn on it. */
int top_screen_open(struct top_screen *screen, struct loop *loop);
void top_screen_close(struct top_screen *screen);
/* Now, out of turn. 0 or what ends the loop. */
int top_screen_refresh(void *screen);

#endif
