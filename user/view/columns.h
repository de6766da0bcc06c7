/* SPDX-License-Identifier: GPL-2.0-only */
/* A table of text with aligned columns, as wide as what stands in them. */
#ifndef PORTSNOOP_VIEW_COLUMNS_H
#define PORTSNOOP_VIEW_COLUMNS_H

#include "view/text_parts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct column {
	const char *title;
	/* Writes the cell of a row; an empty one becomes "-", so that every line has as many words. */
	void (*cell)(struct text *text, const void *context, size_t row);
	bool hidden;
};

/* cell_max: bytes that the longest cell may have. 0 or -ENOMEM; the stream keeps its own error. */
int columns_print(FILE *out, const struct column *columns, size_t n_columns, size_t n_rows,
		  const void *context, size_t cell_max, bool colour);

#endif
