/* SPDX-License-Identifier: GPL-2.0-only */
/* A view of top without a terminal: the same tables, plainly, for scripts and files. */
#ifndef PORTSNOOP_VIEW_TOP_PRINT_H
#define PORTSNOOP_VIEW_TOP_PRINT_H

#include "view/top.h"
#include "view/top_head.h"

#include <stdio.h>

/* Header lines of a frame; head may be NULL. 0, -ENOMEM, or -EIO when the stream has an error. */
int top_print_text(FILE *out, const struct top_head *head, struct top_table *table,
		   const struct top_page *page, unsigned sort, bool reverse);
/* The rows as `ls`, `ephemeral` and `trace` have them in JSON. */
int top_print_json(FILE *out, enum top_view view, const struct top_source *source);
/* Everything about one row, for people: holders, history, last events. 0 or -ENOMEM. */
int top_print_details(FILE *out, const struct top_row *row, enum top_view view,
		      const struct top_source *source);

#endif
