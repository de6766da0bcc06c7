/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/top_layout.h"

#include "view/cell_width.h"

#include <string.h>

void top_layout_reset(struct top_layout *layout)
{
	memset(layout, 0, sizeof(*layout));
}

void top_cell_text(struct text *text, const struct top_column *column, const struct top_page *page,
		   size_t row)
{
	column->cell(text, page, row);
	if (!text->length)
		text_put(text, "-");
}

static void measure(struct top_layout *layout, const struct top_page *page, const struct top_column *columns,
		    size_t n_columns, size_t row, bool utf8)
{
	char buf[TOP_CELL_MAX];

	for (size_t i = 0; i < n_columns; i++) {
		struct text text = text_in(buf, sizeof(buf));
		size_t width;

		if (columns[i].least == columns[i].most)
			continue; /* nothing would follow from it */
		top_cell_text(&text, &columns[i], page, row);
		width = cell_text_width(text.buf, text.length, utf8);
		if (width > layout->seen[i])
			layout->seen[i] = (unsigned)(width < 1000 ? width : 1000);
	}
}

/* As wide as what stands in it; one that takes what is left needs no more than its least. */
static unsigned wanted(const struct top_layout *layout, const struct top_column *column, size_t number)
{
	unsigned width = column->most ? layout->seen[number] : column->least;

	if (width < column->least)
		width = column->least;
	if (column->most && width > column->most)
		width = column->most;
	return width;
}

/* The number of the column among those shown that goes first; rank 0 never goes. */
static unsigned last_ranked(const struct top_layout *layout, const struct top_column *columns)
{
	unsigned last = 0;

	for (unsigned i = 1; i < layout->n; i++)
		if (columns[layout->column[i]].rank > columns[layout->column[last]].rank)
			last = i;
	return last;
}

static unsigned total(const struct top_layout *layout)
{
	unsigned sum = layout->n ? (layout->n - 1) * TOP_GAP : 0;

	for (unsigned i = 0; i < layout->n; i++)
		sum += layout->width[i];
	return sum;
}

static void drop(struct top_layout *layout, unsigned at)
{
	layout->n--;
	for (unsigned i = at; i < layout->n; i++) {
		layout->column[i] = layout->column[i + 1];
		layout->width[i] = layout->width[i + 1];
	}
}

static void place(struct top_layout *layout, const struct top_column *columns, unsigned terminal)
{
	unsigned x = 0;

	while (layout->n > 1 && total(layout) > terminal)
		drop(layout, last_ranked(layout, columns));
	if (layout->n && !columns[layout->column[layout->n - 1]].most && total(layout) < terminal)
		layout->width[layout->n - 1] += terminal - total(layout);
	if (layout->n == 1 && layout->width[0] > terminal)
		layout->width[0] = terminal;
	for (unsigned i = 0; i < layout->n; i++) {
		layout->x[i] = x;
		x += layout->width[i] + TOP_GAP;
	}
}

void top_layout_fit(struct top_layout *layout, const struct top_page *page, size_t first, size_t n,
		    unsigned terminal, bool utf8)
{
	size_t n_columns;
	const struct top_column *columns = top_columns(page->table->view, &n_columns);

	for (size_t row = first; row < first + n && row < page->table->n; row++)
		measure(layout, page, columns, n_columns, row, utf8);
	layout->n = 0;
	for (size_t i = 0; i < n_columns && layout->n < TOP_COLUMNS_MAX; i++) {
		if (columns[i].hidden && columns[i].hidden(page->table))
			continue;
		layout->column[layout->n] = (unsigned)i;
		layout->width[layout->n++] = wanted(layout, &columns[i], i);
	}
	place(layout, columns, terminal);
}
