/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PORTSNOOP_SCREEN_DRAW_LINES_H
#define PORTSNOOP_SCREEN_DRAW_LINES_H

#include "screen/draw.h"

/* Details, from the line on to which they were scrolled. */
void draw_lines(struct canvas *canvas, unsigned y, unsigned bottom, const struct drawing *drawing);

#endif
