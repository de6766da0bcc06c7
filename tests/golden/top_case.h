/* SPDX-License-Identifier: GPL-2.0-only */
/* What top collects beside the tables, and its views as plain text. Needs text_record.h before it. */
#ifndef TESTS_GOLDEN_TOP_CASE_H
#define TESTS_GOLDEN_TOP_CASE_H

#include "core/filter.h"
#include "view/top_print.h"

struct top_collection {
	struct rates *rates;
	struct departed *departed;
	struct backlog *backlog;
	struct history *history;
	struct top_table table;
};

static bool top_collection_open(struct top_collection *top)
{
	*top = (struct top_collection){.rates = rates_new(NULL),
				       .departed = departed_new(64),
				       .backlog = backlog_new(64),
				       .history = history_new(64)};
	return top->rates && top->departed && top->backlog && top->history;
}

static void top_collection_close(struct top_collection *top)
{
	rates_free(top->rates);
	departed_free(top->departed);
	backlog_free(top->backlog);
	history_free(top->history);
	top_table_free(&top->table);
}

static void top_collect(struct top_collection *top, const struct model *model, const struct change *change)
{
	rates_take(top->rates, model, change);
	departed_take(top->departed, change);
	history_take(top->history, model, change);
	if (record_is_public(change->record.header->kind))
		backlog_put(top->backlog, change->record.header);
}

/* With `verbose` each socket is a row, and processes are a tree. */
static struct top_source top_case_source(const struct top_collection *top, const struct top_source *source)
{
	struct top_source whole = *source;

	whole.rates = top->rates;
	whole.departed = top->departed;
	whole.backlog = top->backlog;
	whole.history = top->history;
	whole.home_netns = 4026531840u;
	whole.closed = true;
	whole.unfold = whole.tree = source->view.verbose;
	return whole;
}

static enum top_view top_case_read(struct top_collection *top, const struct words *words,
				   const struct top_source *source)
{
	enum top_view view;

	if (words->n < 2 || top_view_find(words->word[1], &view))
		give_up("top: a view must follow");
	if (top_table_read(&top->table, view, source))
		give_up("top_table_read() failed");
	return view;
}

static void top_case_print(struct top_collection *top, FILE *out, const struct top_source *given,
			   struct words *words)
{
	struct top_source source = top_case_source(top, given);
	const struct top_page page = {
		.table = &top->table, .model = source.model, .backlog = top->backlog, .view = source.view};
	struct filter_error error;
	struct filter *filter = NULL;
	enum top_view view;

	if (words->n > 2 && filter_parse(words->word + 2, words->n - 2, NULL, &filter, &error))
		give_up("filter: %s", error.message);
	source.filter = filter;
	view = top_case_read(top, words, &source);
	if (top_print_text(out, NULL, &top->table, &page, top_default_sort(view), false))
		give_up("top_print_text() failed");
	filter_free(filter);
}

static void top_case_details(struct top_collection *top, FILE *out, const struct top_source *given,
			     const struct words *words)
{
	const struct top_source source = top_case_source(top, given);
	enum top_view view = top_case_read(top, words, &source);
	size_t row = words->n > 2 ? (size_t)atoi(words->word[2]) : 0;

	if (!row || row > top->table.n)
		give_up("details: no such row");
	if (top_print_details(out, &top->table.rows[row - 1], view, &source))
		give_up("top_print_details() failed");
}

#endif
