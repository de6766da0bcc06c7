/* SPDX-License-Identifier: GPL-2.0-only */
/* The last events: the lines of `trace`, in columns. */
#include "core/subject.h"
#include "view/civil_time.h"
#include "view/top.h"

#include <errno.h>

/* ready, lost and resync are about the trace itself: no filter holds them back. */
static bool wanted(const struct top_source *source, uint64_t number)
{
	struct subject_storage storage;
	struct change change;

	if (!source->filter)
		return true;
	if (!backlog_change(source->backlog, number, source->model, &change))
		return false;
	return !change.record.fact ||
	       filter_match(source->filter, subject_of_change(source->model, &change, &storage));
}

/* For whoever wants to send a signal. */
static void take_actor(struct top_row *row, const struct rec_header *header)
{
	if (header->flags & REC_F_TASK && header->size >= sizeof(struct rec_fact))
		row->who = ((const struct rec_fact *)header)->task;
}

int top_read_events(struct top_table *table, const struct top_source *source)
{
	for (uint64_t number = backlog_first(source->backlog); number < backlog_end(source->backlog);
	     number++) {
		struct top_row *row;

		if (!wanted(source, number))
			continue;
		row = top_table_add(table);
		if (!row)
			return -ENOMEM;
		row->id = (struct top_id){number, 1};
		take_actor(row, backlog_at(source->backlog, number));
	}
	return 0;
}

/* --- columns ----------------------------------------------------------------------------------------------
 */

struct shown {
	struct change change;
	struct description description;
	struct actor actor;
};

static bool look(const struct top_page *page, const struct top_row *row, struct shown *ret)
{
	if (row->id.a < backlog_first(page->backlog) ||
	    !backlog_change(page->backlog, row->id.a, page->model, &ret->change))
		return false;
	describe_change(page->model, &ret->change, &ret->description);
	ret->actor = describe_actor(&ret->change);
	return true;
}

static bool look_at(const void *context, size_t row, struct shown *ret)
{
	return look(context, top_row_at(context, row), ret);
}

static void cell_time(struct text *text, const void *context, size_t row)
{
	const struct top_page *page = context;
	struct shown shown;
	char buf[CIVIL_TIME_MAX];

	if (look_at(context, row, &shown))
		text_put(text, civil_clock(model_wall_ns(page->model, shown.change.record.header->time_ns),
					   page->view.utc_offset_s, buf));
}

static void cell_event(struct text *text, const void *context, size_t row)
{
	struct shown shown;

	if (look_at(context, row, &shown))
		text_put(text, record_kind_name(shown.change.record.header->kind));
}

static void cell_protocol(struct text *text, const void *context, size_t row)
{
	struct shown shown;

	if (look_at(context, row, &shown) && shown.description.socket)
		text_put(text, protocol_name(shown.description.socket));
}

static void put_end(struct text *text, bool known, const struct endpoint *endpoint)
{
	char buf[ENDPOINT_TEXT_MAX];

	if (known)
		text_put(text, endpoint_text(endpoint, buf));
}

static void cell_local(struct text *text, const void *context, size_t row)
{
	struct shown shown;

	if (look_at(context, row, &shown))
		put_end(text, shown.description.has_local, &shown.description.local);
}

static void cell_peer(struct text *text, const void *context, size_t row)
{
	struct shown shown;

	if (look_at(context, row, &shown))
		put_end(text, shown.description.has_peer, &shown.description.peer);
}

static void cell_pid(struct text *text, const void *context, size_t row)
{
	struct shown shown;

	if (look_at(context, row, &shown) && shown.actor.pid)
		text_uint(text, shown.actor.pid);
}

static void cell_process(struct text *text, const void *context, size_t row)
{
	struct shown shown;

	if (look_at(context, row, &shown) && shown.actor.pid)
		text_comm(text, &shown.actor);
}

static void cell_details(struct text *text, const void *context, size_t row)
{
	const struct top_page *page = context;
	const struct view_tally tally = {0};
	struct shown shown;

	if (!look_at(context, row, &shown))
		return;
	if (shown.change.record.fact)
		text_event_details(text, page->model, &shown.change, &shown.description, &page->view);
	else
		text_trace_details(text, page->model, &shown.change, &tally);
}

/* What happened and how it went is in colour; the rest of the line only fades when something is over. */
static enum top_style meaning_style(const struct top_page *page, const struct top_row *row)
{
	static const enum top_style styles[] = {
		[MEANS_NOTHING] = STYLE_PLAIN, [MEANS_BEGIN] = STYLE_NEW,    [MEANS_END] = STYLE_DIM,
		[MEANS_ASSIGNED] = STYLE_KEY,  [MEANS_WARNING] = STYLE_NOTE, [MEANS_ERROR] = STYLE_ERROR,
		[MEANS_LOSS] = STYLE_ALARM,
	};
	struct shown shown;

	if (!look(page, row, &shown))
		return STYLE_DIM;
	return styles[event_meaning(&shown.change.record, &shown.description)];
}

enum top_style top_event_style(const struct top_page *page, const struct top_row *row)
{
	return meaning_style(page, row) == STYLE_DIM ? STYLE_DIM : STYLE_PLAIN;
}

/* They come in one order, the newest last. */
const struct top_column top_event_columns[] = {
	{"TIME", cell_time, NULL, 4, 12, 12},
	{"EVENT", cell_event, NULL, 0, 8, 9, .style = meaning_style},
	{"PROTO", cell_protocol, NULL, 6, 5, 5},
	{"LOCAL", cell_local, NULL, 1, 15, 47},
	{"PEER", cell_peer, NULL, 2, 15, 47},
	{"PID", cell_pid, NULL, 5, 7, 7, .right = true},
	{"PROCESS", cell_process, NULL, 3, 12, 15},
	{"DETAILS", cell_details, NULL, 7, 12, 0, .style = meaning_style},
};
const size_t top_n_event_columns = sizeof(top_event_columns) / sizeof(top_event_columns[0]);
