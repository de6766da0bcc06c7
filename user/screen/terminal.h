/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal that top draws on, and the only user of curses: keys come out of it, canvases go onto it. It
 * is put back as it was on every way out, also when the process crashes. One at a time.
 */
#ifndef PORTSNOOP_SCREEN_TERMINAL_H
#define PORTSNOOP_SCREEN_TERMINAL_H

#include "screen/canvas.h"

#include <stdbool.h>
#include <stdint.h>

struct terminal;

struct terminal_options {
	bool colour;
	bool ascii; /* nothing else, whatever the locale says */
};

/* Whether standard input and output are a terminal that can be drawn on, from what TERM says. */
bool terminal_is_there(void);
/* Standard input and output. 0; -ENOTTY, or -EINVAL when TERM is not one that can be drawn on. */
int terminal_open(const struct terminal_options *options, struct terminal **ret_terminal);
void terminal_close(struct terminal *terminal);
/* Takes over the size that the terminal has now. 0 or -ENOMEM. */
int terminal_resize(struct terminal *terminal);
/* What is drawn next; as large as the terminal. */
struct canvas *terminal_canvas(struct terminal *terminal);
/* Sends what has changed. all: what the terminal may have lost, too. */
void terminal_show(struct terminal *terminal, bool all);
/* A key that waits: a character or one of top_keys.h. False: none does. */
bool terminal_key(struct terminal *terminal, uint32_t *ret_key);
/* Gives the terminal back and stops this process until it is continued (SIGTSTP is blocked). */
void terminal_suspend(struct terminal *terminal);

#endif
