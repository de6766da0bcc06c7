/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/columns.h"

#include "core/slab.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 20
#define GAP	    2

/* All cells, row by row: each is rendered once, since that is where the time goes. */
struct cell {
	uint32_t length; /* bytes */
	uint32_t width;	 /* characters */
};

struct cells {
	struct cell *items; /* n_rows times n_columns */
	char *text;
	size_t length, room;
};

static void cells_free(struct cells *cells)
{
	free(cells->items);
	free(cells->text);
}

static bool make_room(struct cells *cells, size_t size)
{
	size_t room = cells->room ? cells->room : 4096;
	char *text;

	if (cells->length + size <= cells->room)
		return true;
	while (room < cells->length + size)
		room *= 2;
	text = realloc(cells->text, room);
	if (!text)
		return false;
	slab_expect(text, room);
	cells->text = text;
	cells->room = room;
	return true;
}

/* Room for the longest cell is made for each, so that it can be written in place. */
static int render(struct cells *cells, const struct column *column, const void *context, size_t row,
		  size_t cell_max, struct cell *ret_cell)
{
	struct text text;

	if (!make_room(cells, cell_max + 1))
		return -ENOMEM;
	text = text_in(cells->text + cells->length, cell_max + 1);
	column->cell(&text, context, row);
	if (!text.length)
		text_put(&text, "-");
	ret_cell->length = (uint32_t)text.length;
	ret_cell->width = (uint32_t)text_width(&text, 0);
	cells->length += text.length;
	return 0;
}

static int render_all(struct cells *cells, const struct column *const columns[], size_t widths[], size_t n,
		      size_t n_rows, const void *context, size_t cell_max)
{
	struct cell *cell = cells->items = slab_array(n_rows * n + 1, sizeof(*cells->items));

	if (!cell)
		return -ENOMEM;
	for (size_t row = 0; row < n_rows; row++) {
		for (size_t i = 0; i < n; i++, cell++) {
			int error = render(cells, columns[i], context, row, cell_max, cell);

			if (error)
				return error;
			if (cell->width > widths[i])
				widths[i] = cell->width;
		}
	}
	return 0;
}

static void print_spaces(FILE *out, size_t n)
{
	static const char spaces[] = "                                ";

	for (; n >= sizeof(spaces); n -= sizeof(spaces) - 1)
		fwrite_unlocked(spaces, 1, sizeof(spaces) - 1, out);
	fwrite_unlocked(spaces, 1, n, out);
}

static void print_all(FILE *out, const struct cells *cells, const size_t widths[], size_t n, size_t n_rows)
{
	const struct cell *cell = cells->items;
	const char *text = cells->text;

	for (size_t row = 0; row < n_rows; row++) {
		for (size_t i = 0; i < n; i++, cell++) {
			fwrite_unlocked(text, 1, cell->length, out);
			text += cell->length;
			if (i + 1 < n) /* the last one of a line has nothing behind it */
				print_spaces(out, widths[i] - cell->width + GAP);
		}
		putc_unlocked('\n', out);
	}
}

static void print_titles(FILE *out, const struct column *const columns[], const size_t widths[], size_t n,
			 bool colour)
{
	if (colour)
		fputs("\x1b[1m", out);
	for (size_t i = 0; i < n; i++) {
		fputs(columns[i]->title, out);
		if (i + 1 < n)
			print_spaces(out, widths[i] - strlen(columns[i]->title) + GAP);
	}
	fputs(colour ? "\x1b[0m\n" : "\n", out);
}

int columns_print(FILE *out, const struct column *columns, size_t n_columns, size_t n_rows,
		  const void *context, size_t cell_max, bool colour)
{
	const struct column *shown[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX], n = 0;
	struct cells cells = {0};
	int error;

	for (size_t i = 0; i < n_columns && n < COLUMNS_MAX; i++) {
		if (columns[i].hidden)
			continue;
		widths[n] = strlen(columns[i].title);
		shown[n++] = &columns[i];
	}
	error = render_all(&cells, shown, widths, n, n_rows, context, cell_max);
	if (!error) {
		print_titles(out, shown, widths, n, colour);
		print_all(out, &cells, widths, n, n_rows);
	}
	cells_free(&cells);
	return error;
}
