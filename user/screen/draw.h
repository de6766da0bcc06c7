/* SPDX-License-Identifier: GPL-2.0-only */
/* A whole screen of top onto a canvas: header, tabs, table or text, and the line below. Only rows that are
 * seen. */
#ifndef PORTSNOOP_SCREEN_DRAW_H
#define PORTSNOOP_SCREEN_DRAW_H

#include "screen/canvas.h"
#include "view/top_head.h"
#include "view/top_layout.h"
#include "view/top_state.h"

/* What is drawn; all borrowed. */
struct drawing {
	const struct top_head *head;
	struct top_state *state; /* settled here: only here is known how many rows there are */
	struct top_table *table;
	const struct top_page *page;
	struct top_layout *layout;
	const char *const *lines; /* of the details */
	size_t n_lines;
};

void draw(struct canvas *canvas, const struct drawing *drawing);

#endif
