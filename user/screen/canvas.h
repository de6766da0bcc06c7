/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A screen in memory: cells of one character and what it means. Whatever is put stays inside the columns that
 * it was given, whichever bytes it has. Knows no terminal.
 */
#ifndef PORTSNOOP_SCREEN_CANVAS_H
#define PORTSNOOP_SCREEN_CANVAS_H

#include "view/top.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct canvas_cell {
	uint32_t code; /* 0: the second half of the character before */
	uint8_t style; /* enum top_style */
	bool marked;   /* of the selected row */
};

struct canvas {
	unsigned rows, columns;
	struct canvas_cell *cells;
	bool utf8;
	bool cursor_shown;
	unsigned cursor_y, cursor_x;
};

/* Empty. 0 or -ENOMEM, and it is as it was. */
int canvas_resize(struct canvas *canvas, unsigned rows, unsigned columns);
void canvas_free(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);
/* Puts text into at most width columns from (y, x) on; outside of the screen nothing. Returns the columns
 * used. */
unsigned canvas_put(struct canvas *canvas, unsigned y, unsigned x, unsigned width, enum top_style style,
		    const char *text, size_t length);
/* The pieces of a line. */
unsigned canvas_put_line(struct canvas *canvas, unsigned y, unsigned x, unsigned width,
			 const struct top_line *line);
/* A whole line of the screen. */
void canvas_mark(struct canvas *canvas, unsigned y);
void canvas_style(struct canvas *canvas, unsigned y, enum top_style style);
/* A line as text, without the spaces at its end; buf of 4 * columns + 1 bytes. For tests. */
const char *canvas_text(const struct canvas *canvas, unsigned y, char *buf);

#endif
