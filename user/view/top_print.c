/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/top_print.h"

#include "core/subject.h"
#include "view/columns.h"
#include "view/ephemeral.h"
#include "view/list.h"
#include "view/top_layout.h"

#include <errno.h>

static void print_line(FILE *out, const struct top_line *line)
{
	fprintf(out, "%s\n", line->buf);
}

int top_print_text(FILE *out, const struct top_head *head, struct top_table *table,
		   const struct top_page *page, unsigned sort, bool reverse)
{
	struct column columns[TOP_COLUMNS_MAX];
	size_t n;
	const struct top_column *all = top_columns(table->view, &n);
	int error;

	for (unsigned i = 0; head && i < TOP_HEAD_LINES; i++)
		fprintf(out, "%s%s%s\n", head->left[i].buf, *head->right[i].buf ? "  " : "",
			head->right[i].buf);
	for (size_t i = 0; i < table->n_lead; i++)
		print_line(out, &table->lead[i]);
	for (size_t i = 0; i < n; i++)
		columns[i] = (struct column){.title = all[i].title,
					     .cell = all[i].cell,
					     .hidden = all[i].hidden && all[i].hidden(table)};
	top_table_order(table, sort, reverse, 0, table->n);
	error = columns_print(out, columns, n, table->n, page, TOP_CELL_MAX, false);
	if (error)
		return error;
	return ferror(out) ? -EIO : 0;
}

static int print_events_json(FILE *out, const struct top_source *source)
{
	const struct view_tally tally = {0};
	struct json_writer writer = {0};
	int error = 0;

	for (uint64_t i = backlog_first(source->backlog); !error && i < backlog_end(source->backlog); i++) {
		struct subject_storage storage;
		struct change change;

		if (!backlog_change(source->backlog, i, source->model, &change))
			continue;
		if (source->filter && change.record.fact &&
		    !filter_match(source->filter, subject_of_change(source->model, &change, &storage)))
			continue;
		json_begin(&writer);
		event_json(&writer, source->model, &change, &tally, &source->view);
		error = json_finish(&writer);
		if (!error)
			fprintf(out, "%s\n", writer.data);
	}
	json_free(&writer);
	return error;
}

int top_print_json(FILE *out, enum top_view view, const struct top_source *source)
{
	static const enum list_what lists[] = {[TOP_PORTS] = LIST_PORTS,
					       [TOP_PROCESSES] = LIST_PROCESSES,
					       [TOP_CONNECTIONS] = LIST_CONNECTIONS};
	const struct list_options list = {
		.view = source->view,
		.json = true,
		.filter = source->filter,
		.now_ns = source->now_ns,
		.holders_as_of_ns = source->by_events ? 0 : model_repairs(source->model)->holders_as_of_ns,
	};
	const struct ephemeral_options ephemeral = {.view = source->view,
						    .json = true,
						    .by_events = source->by_events,
						    .now_ns = source->now_ns,
						    .home_netns = source->home_netns};
	int error;

	if (view == TOP_EPHEMERAL)
		return ephemeral_print(out, source->model, &ephemeral);
	if (view != TOP_EVENTS)
		return list_print(out, source->model, lists[view], &list);
	error = print_events_json(out, source);
	if (error)
		return error;
	return ferror(out) ? -EIO : 0;
}
