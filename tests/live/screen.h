/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tool on a terminal that tmux plays: a shell with job control in a window of any size, keys that are
 * sent, the screen as text. Nothing waits for time to pass, but until the screen shows what it must.
 */
#ifndef LIVE_SCREEN_H
#define LIVE_SCREEN_H

#include "program.h"

struct screen {
	struct scene *scene;
	struct program server; /* tmux */
	char socket[512];
	char directory[512]; /* where the shell is, and its state */
};

/* A shell in a window of so many columns and rows; skips without tmux. */
void screen_open(struct screen *screen, struct scene *scene, unsigned columns, unsigned rows);
/* Ends tmux, and what runs in it. */
void screen_close(struct screen *screen);
/* A line for the shell. */
void screen_command(const struct screen *screen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The tool with these arguments, which its words end; waits until it draws. */
void screen_top(const struct screen *screen, const char *arguments);
/* Keys by tmux's names (Enter, Escape, Up, NPage), or characters. */
void screen_key(const struct screen *screen, const char *key);
/* Text as it is. */
void screen_type(const struct screen *screen, const char *text);
void screen_resize(const struct screen *screen, unsigned columns, unsigned rows);
/* What is on it, lines ended by \n; to be freed. */
char *screen_text(const struct screen *screen);
/* Waits until it is on the screen, or is not any more. */
void screen_await(const struct screen *screen, const char *text);
void screen_await_none(const struct screen *screen, const char *text);
/* Waits for a line that has both texts; to be freed. */
char *screen_await_line(const struct screen *screen, const char *text, const char *other);
/* Something of tmux about the window (`#{pane_title}`); to be freed. */
char *screen_ask(const struct screen *screen, const char *format);
/* Whether text is on the screen now. */
bool screen_has(const struct screen *screen, const char *text);
/* The process of the tool, the shell's child. */
pid_t screen_tool(const struct screen *screen);
/* Waits until there is no such process. */
void screen_await_end(const struct screen *screen, pid_t pid);

#endif
