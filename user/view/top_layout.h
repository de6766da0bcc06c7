/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which columns of a table fit, and how wide they are. A column is as wide as what stands in it, within its
 * bounds; what does not fit is dropped whole, the highest rank first. Widths only grow as long as the same
 * table is shown, so that nothing moves from one refresh to the next.
 */
#ifndef PORTSNOOP_VIEW_TOP_LAYOUT_H
#define PORTSNOOP_VIEW_TOP_LAYOUT_H

#include "view/top.h"

#define TOP_COLUMNS_MAX 20
#define TOP_GAP		2
#define TOP_CELL_MAX	4096 /* bytes */

struct top_layout {
	unsigned n;			  /* columns that are shown */
	unsigned column[TOP_COLUMNS_MAX]; /* their numbers */
	unsigned width[TOP_COLUMNS_MAX];  /* of these */
	unsigned x[TOP_COLUMNS_MAX];	  /* where they begin */
	unsigned seen[TOP_COLUMNS_MAX];	  /* by column number: what was needed so far */
};

/* Another table, or another terminal: widths begin anew. */
void top_layout_reset(struct top_layout *layout);
/* For rows first .. first + n - 1 in order, on so many columns of a terminal. */
void top_layout_fit(struct top_layout *layout, const struct top_page *page, size_t first, size_t n,
		    unsigned columns, bool utf8);
/* The text of a cell; "-" when it is empty. */
void top_cell_text(struct text *text, const struct top_column *column, const struct top_page *page,
		   size_t row);

#endif
