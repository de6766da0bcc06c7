/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of text of which nothing is cut: what is wider than the screen goes on below, further in. */
#include "screen/draw_lines.h"

#include "view/cell_width.h"

#include <string.h>

#define FURTHER_IN 4

/* How many bytes of it fit, up to the end of a word where that leaves half of the line or more. */
static size_t fitting(const struct canvas *canvas, const char *text, unsigned width)
{
	size_t length = strlen(text), at = 0, word = 0;
	unsigned used = 0, wide = 0;
	uint32_t code;

	while (at < length) {
		size_t taken = cell_take(text + at, length - at, canvas->utf8, &code, &wide);

		if (at && used + wide > width)
			return word ? word : at;
		if (text[at] == ' ' && used >= width / 2)
			word = at;
		used += wide;
		at += taken;
	}
	return length;
}

struct flow {
	struct canvas *canvas;
	unsigned y, bottom;
	size_t skip; /* lines of the screen, above what is shown */
	size_t n;    /* lines of the screen, of all that came */
};

static void put(struct flow *flow, unsigned x, enum top_style style, const char *text, size_t length)
{
	if (flow->n++ < flow->skip || flow->y >= flow->bottom)
		return;
	canvas_put(flow->canvas, flow->y++, x, flow->canvas->columns, style, text, length);
}

static void flow_line(struct flow *flow, const char *line)
{
	enum top_style style = *line && *line != ' ' ? STYLE_STRONG : STYLE_PLAIN;
	unsigned columns = flow->canvas->columns, in = (unsigned)strspn(line, " ") + FURTHER_IN;
	size_t length = fitting(flow->canvas, line, columns);

	if (in > columns / 2)
		in = 0;
	put(flow, 0, style, line, length);
	for (line += length; *line; line += length) {
		line += strspn(line, " ");
		length = fitting(flow->canvas, line, columns - in);
		if (length)
			put(flow, in, style, line, length);
	}
}

static size_t flow_all(struct canvas *canvas, unsigned y, unsigned bottom, const struct drawing *drawing,
		       size_t skip)
{
	struct flow flow = {.canvas = canvas, .y = y, .bottom = bottom, .skip = skip};

	for (size_t i = 0; i < drawing->n_lines; i++)
		flow_line(&flow, drawing->lines[i]);
	return flow.n;
}

void draw_lines(struct canvas *canvas, unsigned y, unsigned bottom, const struct drawing *drawing)
{
	struct top_state *state = drawing->state;

	state->page = bottom - y;
	state->n_lines = flow_all(canvas, y, y, drawing, 0); /* how many there are */
	if (state->scroll + state->page > state->n_lines)
		state->scroll = state->n_lines > state->page ? state->n_lines - state->page : 0;
	flow_all(canvas, y, bottom, drawing, state->scroll);
}
