/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 20
#define GAP	    2

/* The cell in room, which has size bytes. */
static struct text render(const struct column *column, const void *context, size_t row, char *room,
			  size_t size)
{
	struct text text = text_in(room, size);

	column->cell(&text, context, row);
	if (!text.length)
		text_put(&text, "-");
	return text;
}

static size_t widest(const struct column *column, const void *context, size_t n_rows, char *room, size_t size)
{
	size_t most = strlen(column->title);

	for (size_t row = 0; row < n_rows; row++) {
		struct text text = render(column, context, row, room, size);
		size_t width = text_width(&text, 0);

		if (width > most)
			most = width;
	}
	return most;
}

/* The last one of a line has nothing behind it. */
static void print_cell(FILE *out, const char *string, size_t width, size_t column_width, bool last)
{
	fputs(string, out);
	if (!last)
		fprintf(out, "%*s", (int)(column_width - width + GAP), "");
}

static void print_row(FILE *out, const struct column *const columns[], const size_t widths[], size_t n,
		      const void *context, size_t row, char *room, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		struct text text = render(columns[i], context, row, room, size);

		print_cell(out, text.buf, text_width(&text, 0), widths[i], i + 1 == n);
	}
	fputc('\n', out);
}

static void print_titles(FILE *out, const struct column *const columns[], const size_t widths[], size_t n,
			 bool colour)
{
	if (colour)
		fputs("\x1b[1m", out);
	for (size_t i = 0; i < n; i++)
		print_cell(out, columns[i]->title, strlen(columns[i]->title), widths[i], i + 1 == n);
	fputs(colour ? "\x1b[0m\n" : "\n", out);
}

int columns_print(FILE *out, const struct column *columns, size_t n_columns, size_t n_rows,
		  const void *context, size_t cell_max, bool colour)
{
	const struct column *shown[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX], n = 0;
	char *room = malloc(cell_max + 1);

	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < n_columns && n < COLUMNS_MAX; i++) {
		if (columns[i].hidden)
			continue;
		widths[n] = widest(&columns[i], context, n_rows, room, cell_max + 1);
		shown[n++] = &columns[i];
	}
	print_titles(out, shown, widths, n, colour);
	for (size_t row = 0; row < n_rows; row++)
		print_row(out, shown, widths, n, context, row, room, cell_max + 1);
	free(room);
	return 0;
}
