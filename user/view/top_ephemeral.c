/* SPDX-License-Identifier: GPL-2.0-only */
/* Ephemeral ports: above, each range that is used with its map, and what to know; then the destinations. */
#include "core/subject.h"
#include "view/ephemeral.h"
#include "view/top.h"

#include <errno.h>
#include <string.h>

#define SPACES_SHOWN   2
#define FINDINGS_SHOWN 4
#define MAP_CELLS      64

/* --- above the rows ---------------------------------------------------------------------------------------
 */

static struct top_line *next_line(struct top_table *table)
{
	struct top_line *line;

	if (table->n_lead == TOP_LEAD_MAX)
		return NULL;
	line = &table->lead[table->n_lead++];
	top_line_begin(line);
	return line;
}

static void add_space(struct top_table *table, const struct top_source *source,
		      const struct ephemeral_space *space)
{
	const struct ephemeral_options options = {
		.view = source->view, .now_ns = source->now_ns, .home_netns = source->home_netns};
	struct top_line *words = next_line(table), *map = next_line(table);

	if (!words || !map)
		return;
	top_line_style(words, STYLE_PLAIN);
	ephemeral_put_space(&words->text, source->model, space, &options);
	top_line_put(map, STYLE_DIM, "[");
	top_line_style(map, STYLE_NOTE);
	ephemeral_put_map(&map->text, space, MAP_CELLS);
	top_line_put(map, STYLE_DIM, "]");
}

static unsigned used(const struct ephemeral_space *space)
{
	return space->n_in_use + space->n_time_wait;
}

/* With a filter, only namespaces of which a destination is shown. */
static bool is_relevant(const struct top_table *table, const struct top_source *source,
			const struct ephemeral_space *space)
{
	if (!source->filter)
		return true;
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].socket.netns == space->netns)
			return true;
	return false;
}

/* Those that are used most. */
static void add_spaces(struct top_table *table, const struct top_source *source,
		       const struct ephemeral *ephemeral)
{
	const struct ephemeral_space *last = NULL;

	for (unsigned shown = 0; shown < SPACES_SHOWN; shown++) {
		const struct ephemeral_space *best = NULL;

		for (size_t i = 0; i < ephemeral->n_spaces; i++) {
			const struct ephemeral_space *space = &ephemeral->spaces[i];

			if (ephemeral_space_is_empty(space) || !is_relevant(table, source, space) ||
			    (last &&
			     (used(space) > used(last) || (used(space) == used(last) && space <= last))))
				continue;
			if (!best || used(space) > used(best))
				best = space;
		}
		if (!best)
			break;
		add_space(table, source, best);
		last = best;
	}
	if (!last)
		top_line_put(next_line(table), STYLE_DIM,
			     source->filter ? "no destination matches the filter"
					    : "no port of any range in use");
	else
		top_line_put(next_line(table), STYLE_DIM, EPHEMERAL_MAP_KEY);
}

static void add_findings(struct top_table *table, const struct top_source *source,
			 const struct ephemeral *ephemeral)
{
	char words[EPHEMERAL_WORDS_MAX];

	for (size_t i = 0, shown = 0; i < ephemeral->n_findings && shown < FINDINGS_SHOWN; i++) {
		const struct ephemeral_finding *finding = &ephemeral->findings[i];
		struct top_line *line;

		if (!is_relevant(table, source, &ephemeral->spaces[finding->space]))
			continue;
		line = next_line(table);
		if (!line)
			return;
		shown++;
		top_line_style(line, finding->kind == FINDING_EXHAUSTED ? STYLE_ERROR : STYLE_NOTE);
		text_format(&line->text, "%s: ", ephemeral_finding_name(finding->kind));
		top_line_put(line, STYLE_PLAIN,
			     ephemeral_finding_text(words, source->model, ephemeral, finding));
	}
}

/* --- destinations -----------------------------------------------------------------------------------------
 */

static bool wanted(const struct top_source *source, const struct ephemeral_destination *destination)
{
	struct socket_row row = {.socket = destination->ends, .direction = DIRECTION_OUT};
	struct filter_process process = {0}, *room = &process;
	struct subject_storage storage;

	if (!source->filter)
		return true;
	subject_of_row(source->model, &row, NULL, room, 0, &storage);
	if (destination->process) {
		process = (struct filter_process){
			.pid = destination->process->pid,
			.ns_pid = destination->process->ns_pid,
			.uid = destination->process->uid,
			.comm = destination->process->comm,
			.cgroup = model_cgroup_path(source->model, destination->process->cgroup_id)};
		storage.subject.processes = room;
		storage.subject.n_processes = 1;
	}
	return filter_match(source->filter, &storage.subject);
}

static struct top_id id_of(const struct rec_socket *ends)
{
	uint64_t local[2], peer[2];

	memcpy(local, ends->local_addr, sizeof(local));
	memcpy(peer, ends->peer_addr, sizeof(peer));
	return (struct top_id){local[0] * 31 + local[1] + ((uint64_t)ends->netns << 24),
			       peer[0] * 31 + peer[1] + ((uint64_t)ends->peer_port << 40)};
}

static void take_destination(struct top_row *row, const struct ephemeral *ephemeral,
			     const struct ephemeral_destination *destination)
{
	row->id = id_of(&destination->ends);
	row->socket = destination->ends;
	row->socket.netns = ephemeral->spaces[destination->space].netns;
	row->in_use = destination->in_use;
	row->time_wait = destination->time_wait;
	row->available = destination->available;
	row->used_ratio = ephemeral_used_ratio(ephemeral, destination);
	row->watched = destination->watched;
	row->failed = destination->failed;
	row->rate[RATE_CONNECTS] = destination->assigned_per_second;
	row->will_be_exhausted = destination->will_be_exhausted;
	row->exhausted_in_seconds = destination->exhausted_in_seconds;
	if (!destination->process)
		return;
	row->who = process_task(destination->process);
	row->n_who = 1;
}

int top_read_ephemeral(struct top_table *table, const struct top_source *source)
{
	struct ephemeral ephemeral;
	int error = ephemeral_read(source->model, 0, source->now_ns, source->by_events, &ephemeral);

	if (error)
		return error;
	table->unwatched = true;
	for (size_t i = 0; i < ephemeral.n_destinations; i++) {
		const struct ephemeral_destination *destination = &ephemeral.destinations[i];
		struct top_row *row;

		if (!wanted(source, destination))
			continue;
		row = top_table_add(table);
		if (!row) {
			error = -ENOMEM;
			break;
		}
		take_destination(row, &ephemeral, destination);
		table->unwatched &= !destination->watched;
	}
	add_spaces(table, source, &ephemeral);
	add_findings(table, source, &ephemeral);
	ephemeral_free(&ephemeral);
	return error;
}

/* --- columns ----------------------------------------------------------------------------------------------
 */

static void cell_to(struct text *text, const void *context, size_t row)
{
	struct endpoint peer = endpoint_peer(&top_row_at(context, row)->socket);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_text(&peer, buf));
}

static void cell_from(struct text *text, const void *context, size_t row)
{
	struct endpoint local = endpoint_local(&top_row_at(context, row)->socket);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_address_text(&local, buf));
}

static void cell_in_use(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->in_use);
}

static void cell_time_wait(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->time_wait);
}

static void cell_free(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->available);
}

static void cell_used(struct text *text, const void *context, size_t row)
{
	text_format(text, "%.1f%%", 100 * top_row_at(context, row)->used_ratio);
}

static void cell_rate(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);

	if (at->watched)
		text_format(text, "%.1f", at->rate[RATE_CONNECTS]);
}

static void cell_empty_in(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);

	if (at->will_be_exhausted)
		top_put_age(text, at->exhausted_in_seconds * UINT64_C(1000000000));
}

static void cell_failed(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);

	if (at->watched)
		text_uint(text, at->failed);
}

static bool is_unwatched(const struct top_table *table)
{
	return table->unwatched;
}

static int by_to(const struct top_row *a, const struct top_row *b)
{
	int order = memcmp(a->socket.peer_addr, b->socket.peer_addr, sizeof(a->socket.peer_addr));

	return order ? order : top_compare_numbers(a->socket.peer_port, b->socket.peer_port);
}

static int by_from(const struct top_row *a, const struct top_row *b)
{
	return memcmp(a->socket.local_addr, b->socket.local_addr, sizeof(a->socket.local_addr));
}

static int by_in_use(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->in_use, b->in_use);
}

static int by_time_wait(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->time_wait, b->time_wait);
}

static int by_free(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->available, b->available);
}

static int by_used(const struct top_row *a, const struct top_row *b)
{
	return (a->used_ratio > b->used_ratio) - (a->used_ratio < b->used_ratio);
}

static int by_failed(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->failed, b->failed);
}

static enum top_style used_style(const struct top_page *page, const struct top_row *row)
{
	if (!row->available)
		return STYLE_ERROR;
	return row->used_ratio >= 0.8 || row->will_be_exhausted ? STYLE_NOTE : top_row_style(page, row);
}

static enum top_style failed_style(const struct top_page *page, const struct top_row *row)
{
	return row->failed ? STYLE_ERROR : top_row_style(page, row);
}

const struct top_column top_ephemeral_columns[] = {
	{"TO", cell_to, by_to, 0, 15, 47},
	{"FROM", cell_from, by_from, 5, 9, 39},
	{"IN-USE", cell_in_use, by_in_use, 3, 6, 6, .right = true, .from_most = true},
	{"TIME-WAIT", cell_time_wait, by_time_wait, 8, 9, 9, .right = true, .from_most = true},
	{"FREE", cell_free, by_free, 1, 6, 6, .right = true, .style = used_style},
	{"USED", cell_used, by_used, 2, 6, 6, .right = true, .from_most = true, .style = used_style},
	{"RATE/S", cell_rate, top_by_connects, 7, 7, 8, .right = true, .from_most = true,
	 .hidden = is_unwatched},
	{"EMPTY-IN", cell_empty_in, NULL, 4, 8, 8, .right = true, .style = used_style,
	 .hidden = is_unwatched},
	{"FAILED", cell_failed, by_failed, 10, 6, 8, .right = true, .from_most = true, .style = failed_style,
	 .hidden = is_unwatched},
	{"PID", top_cell_pid, top_by_pid, 11, 7, 7, .right = true},
	{"MOSTLY", top_cell_process, top_by_process, 9, 12, 24},
	{"NETNS", top_cell_netns, top_by_netns, 6, 10, 16, .hidden = top_one_netns},
	{"WHERE", top_cell_place, top_by_place, 12, 8, 0, .hidden = top_no_place},
};
const size_t top_n_ephemeral_columns = sizeof(top_ephemeral_columns) / sizeof(top_ephemeral_columns[0]);
