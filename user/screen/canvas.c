/* SPDX-License-Identifier: GPL-2.0-only */
#include "screen/canvas.h"

#include "io/utf8.h"
#include "view/cell_width.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int canvas_resize(struct canvas *canvas, unsigned rows, unsigned columns)
{
	struct canvas_cell *cells = calloc((size_t)rows * columns + 1, sizeof(*cells));

	if (!cells)
		return -ENOMEM;
	free(canvas->cells);
	canvas->cells = cells;
	canvas->rows = rows;
	canvas->columns = columns;
	canvas_clear(canvas);
	return 0;
}

void canvas_free(struct canvas *canvas)
{
	free(canvas->cells);
	*canvas = (struct canvas){0};
}

void canvas_clear(struct canvas *canvas)
{
	for (size_t i = 0; i < (size_t)canvas->rows * canvas->columns; i++)
		canvas->cells[i] = (struct canvas_cell){.code = ' '};
	canvas->cursor_shown = false;
}

static struct canvas_cell *at(const struct canvas *canvas, unsigned y, unsigned x)
{
	return &canvas->cells[(size_t)y * canvas->columns + x];
}

/* Half a wide character cannot stand: what is left of one is a space. */
static void blank_halves(struct canvas *canvas, unsigned y, unsigned x, unsigned width)
{
	if (x && at(canvas, y, x)->code == 0)
		at(canvas, y, x - 1)->code = ' ';
	if (x + width < canvas->columns && at(canvas, y, x + width)->code == 0)
		at(canvas, y, x + width)->code = ' ';
}

unsigned canvas_put(struct canvas *canvas, unsigned y, unsigned x, unsigned width, enum top_style style,
		    const char *text, size_t length)
{
	unsigned used = 0;

	if (y >= canvas->rows || x >= canvas->columns)
		return 0;
	if (width > canvas->columns - x)
		width = canvas->columns - x;
	while (length) {
		uint32_t code;
		unsigned wide;
		size_t taken = cell_take(text, length, canvas->utf8, &code, &wide);

		if (wide > width - used)
			break;
		blank_halves(canvas, y, x + used, wide);
		*at(canvas, y, x + used) = (struct canvas_cell){.code = code, .style = (uint8_t)style};
		if (wide == 2)
			*at(canvas, y, x + used + 1) = (struct canvas_cell){.style = (uint8_t)style};
		used += wide;
		text += taken;
		length -= taken;
	}
	return used;
}

/* A number whose end is missing is another number: a line that is too wide ends before a word, or before what
 * stands apart in it (a faint piece that begins with a space). Returns how many bytes are shown. */
static size_t shown_of(const struct canvas *canvas, unsigned width, const struct top_line *line)
{
	size_t at = 0, word = 0, apart = 0;
	unsigned used = 0, wide = 0;
	uint32_t code;

	if (cell_text_width(line->buf, line->text.length, canvas->utf8) <= width)
		return line->text.length;
	while (used + wide + 1 < width) { /* a space and an ellipsis follow */
		used += wide;
		if (line->buf[at] == ' ')
			word = at;
		at += cell_take(line->buf + at, line->text.length - at, canvas->utf8, &code, &wide);
	}
	for (unsigned i = 0; i < line->n_pieces && line->pieces[i].begin < at; i++)
		if (line->pieces[i].style == STYLE_DIM && line->buf[line->pieces[i].begin] == ' ')
			apart = line->pieces[i].begin;
	return apart ? apart : word ? word : at;
}

unsigned canvas_put_line(struct canvas *canvas, unsigned y, unsigned x, unsigned width,
			 const struct top_line *line)
{
	size_t shown = shown_of(canvas, width, line);
	unsigned used = 0;

	for (unsigned i = 0; i < line->n_pieces && line->pieces[i].begin < shown; i++) {
		size_t begin = line->pieces[i].begin;
		size_t end = i + 1 < line->n_pieces ? line->pieces[i + 1].begin : line->text.length;

		if (end > shown)
			end = shown;

		used += canvas_put(canvas, y, x + used, width - used, (enum top_style)line->pieces[i].style,
				   line->buf + begin, end - begin);
	}
	if (width && shown < line->text.length)
		canvas_put(canvas, y, x + (used + 1 < width ? used + 1 : width - 1), 1, STYLE_DIM, "…",
			   strlen("…"));
	return used;
}

void canvas_mark(struct canvas *canvas, unsigned y)
{
	for (unsigned x = 0; y < canvas->rows && x < canvas->columns; x++)
		at(canvas, y, x)->marked = true;
}

void canvas_style(struct canvas *canvas, unsigned y, enum top_style style)
{
	for (unsigned x = 0; y < canvas->rows && x < canvas->columns; x++)
		at(canvas, y, x)->style = (uint8_t)style;
}

const char *canvas_text(const struct canvas *canvas, unsigned y, char *buf)
{
	size_t length = 0;

	for (unsigned x = 0; x < canvas->columns; x++)
		if (at(canvas, y, x)->code)
			length += utf8_encode(at(canvas, y, x)->code, buf + length);
	while (length && buf[length - 1] == ' ')
		length--;
	buf[length] = '\0';
	return buf;
}
