/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PORTSNOOP_SCREEN_DRAW_CHOICE_H
#define PORTSNOOP_SCREEN_DRAW_CHOICE_H

#include "screen/draw.h"

/* The list, from line y on, and the question, in one line. */
void draw_choices(struct canvas *canvas, unsigned y, unsigned bottom, const struct drawing *drawing);
void draw_confirm(struct canvas *canvas, unsigned y, const struct top_state *state);

#endif
