/* SPDX-License-Identifier: GPL-2.0-only */
/* Cells, orders and styles that several tables of top have. */
#include "core/subject.h"
#include "view/top.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define NS_PER_S 1000000000ull
#define NEW_NS	 (3 * NS_PER_S) /* rows that came so lately stand out */

const struct top_row *top_row_at(const void *context, size_t row)
{
	return top_table_at(((const struct top_page *)context)->table, row);
}

static struct actor who_of(const void *context, size_t row)
{
	const struct top_page *page = context;
	const struct rec_task *who = &top_row_at(context, row)->who;
	struct actor actor = {.comm = who->comm,
			      .cgroup_id = who->cgroup_id,
			      .pid = who->pid,
			      .uid = who->pid ? who->uid : UID_UNKNOWN,
			      .process = model_process(page->model, who->pid, who->start_ns)};

	return actor;
}

/* --- taking over ------------------------------------------------------------------------------------------
 */

void top_take_holder(struct top_row *row, const struct socket_row *socket)
{
	for (const struct holder *holder = socket->holders; holder; holder = holder->next) {
		row->n_who++;
		if (!row->who.pid || holder->process->pid < row->who.pid)
			row->who = process_task(holder->process);
	}
}

void top_take_rates(struct top_row *row, const struct rate_counts *counts, const struct rates *rates)
{
	row->rates_known = rates && rates_machine(rates)->known;
	if (counts)
		memcpy(row->rate, counts->per_second, sizeof(row->rate));
}

/* --- who --------------------------------------------------------------------------------------------------
 */

void top_cell_pid(struct text *text, const void *context, size_t row)
{
	if (top_row_at(context, row)->who.pid)
		text_uint(text, top_row_at(context, row)->who.pid);
}

/* nginx, nginx +3; below its parent in a tree. Only what a process is says that it has ended. */
void top_cell_process(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);
	struct actor actor = who_of(context, row);

	for (unsigned i = 0; i < at->depth; i++)
		text_put(text, "  ");
	if (actor.pid)
		text_comm(text, &actor);
	if (at->n_who > 1)
		text_format(text, " +%u", at->n_who - 1);
	if (at->ended_ns && ((const struct top_page *)context)->table->view == TOP_PROCESSES)
		text_put(text, " (ended)");
}

void top_cell_user(struct text *text, const void *context, size_t row)
{
	const struct top_page *page = context;
	struct actor actor = who_of(context, row);

	if (actor.pid)
		text_user(text, page->model, actor.uid, page->view.numeric);
}

void top_cell_place(struct text *text, const void *context, size_t row)
{
	const struct top_page *page = context;
	struct actor actor = who_of(context, row);
	struct cgroup_part unit;
	struct cgroup_name place;

	actor_place(page->model, &actor, &place);
	text_container(text, &place, page->view.numeric);
	unit = cgroup_telling_unit(&place);
	if (!text->length && unit.length)
		text_name(text, unit.text, unit.length);
}

void top_put_age(struct text *text, uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_S;

	if (seconds < 60)
		text_format(text, "%us", (unsigned)seconds);
	else
		text_duration_word(text, seconds * NS_PER_S);
}

/* --- where ------------------------------------------------------------------------------------------------
 */

void top_cell_protocol(struct text *text, const void *context, size_t row)
{
	text_put(text, protocol_name(&top_row_at(context, row)->socket));
}

void top_cell_netns(struct text *text, const void *context, size_t row)
{
	const struct top_page *page = context;

	text_netns(text, page->model, top_row_at(context, row)->socket.netns, page->view.numeric);
}

void top_cell_state(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);
	const char *state = socket_state_name(&at->socket, at->socket.local_port);

	text_put(text, at->ended_ns ? "closed" : state ? state : "");
	if (at->n_sockets > 1)
		text_format(text, "(%u)", at->n_sockets);
}

/* In whole seconds: more is noise that makes the column jump. */
void top_cell_age(struct text *text, const void *context, size_t row)
{
	const struct top_page *page = context;
	const struct top_row *at = top_row_at(context, row);
	uint64_t until_ns = at->ended_ns ? at->ended_ns : page->table->now_ns;

	if (!at->since_ns || until_ns < at->since_ns)
		return;
	top_put_age(text, until_ns - at->since_ns);
}

/* --- how much ---------------------------------------------------------------------------------------------
 */

/* 0.4, 12.5, 1234 */
static void put_rate(struct text *text, const struct top_row *row, enum rate what)
{
	double value = row->rate[what];

	if (row->rates_known)
		text_format(text, value > 0 && value < 99.95 ? "%.1f" : "%.0f", value);
}

void top_cell_accepts(struct text *text, const void *context, size_t row)
{
	put_rate(text, top_row_at(context, row), RATE_ACCEPTS);
}

void top_cell_connects(struct text *text, const void *context, size_t row)
{
	put_rate(text, top_row_at(context, row), RATE_CONNECTS);
}

void top_cell_errors(struct text *text, const void *context, size_t row)
{
	put_rate(text, top_row_at(context, row), RATE_ERRORS);
}

/* Nothing hooks the data path, so there is nothing to tell of UDP. */
void top_cell_bytes(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);
	size_t begin = text->length;

	if (!at->rates_known || at->socket.protocol == IPPROTO_UDP)
		return;
	text_bytes(text, (uint64_t)(at->rate[RATE_BYTES] + 0.5));
	for (size_t i = begin; i < text->length; i++)
		if (text->buf[i] == ' ')
			memmove(text->buf + i, text->buf + i + 1, text->length-- - i);
}

/* --- orders -----------------------------------------------------------------------------------------------
 */

int top_compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_rates(const struct top_row *a, const struct top_row *b, enum rate what)
{
	return (a->rate[what] > b->rate[what]) - (a->rate[what] < b->rate[what]);
}

int top_by_pid(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->who.pid, b->who.pid);
}

int top_by_process(const struct top_row *a, const struct top_row *b)
{
	return strncmp(a->who.comm, b->who.comm, sizeof(a->who.comm));
}

int top_by_user(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->who.uid, b->who.uid);
}

int top_by_place(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->who.cgroup_id, b->who.cgroup_id);
}

int top_by_netns(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->socket.netns, b->socket.netns);
}

int top_by_state(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->ended_ns ? UINT8_MAX : a->socket.state,
				   b->ended_ns ? UINT8_MAX : b->socket.state);
}

int top_by_protocol(const struct top_row *a, const struct top_row *b)
{
	return strcmp(protocol_name(&a->socket), protocol_name(&b->socket));
}

/* What is older than our watch is the oldest. */
int top_by_age(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(b->since_ns, a->since_ns);
}

int top_by_accepts(const struct top_row *a, const struct top_row *b)
{
	return compare_rates(a, b, RATE_ACCEPTS);
}

int top_by_connects(const struct top_row *a, const struct top_row *b)
{
	return compare_rates(a, b, RATE_CONNECTS);
}

int top_by_errors(const struct top_row *a, const struct top_row *b)
{
	return compare_rates(a, b, RATE_ERRORS);
}

int top_by_bytes(const struct top_row *a, const struct top_row *b)
{
	return compare_rates(a, b, RATE_BYTES);
}

/* --- styles -----------------------------------------------------------------------------------------------
 */

static bool is_closing(const struct rec_socket *socket)
{
	switch (socket->protocol == IPPROTO_UDP ? TCP_CLOSE : socket->state) {
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_TIME_WAIT:
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		return true;
	default:
		return false;
	}
}

enum top_style top_row_style(const struct top_page *page, const struct top_row *row)
{
	if (page->table->view == TOP_EVENTS)
		return top_event_style(page, row);
	if (row->ended_ns)
		return STYLE_DIM;
	if (page->table->view == TOP_EPHEMERAL)
		return STYLE_PLAIN;
	if (is_closing(&row->socket))
		return STYLE_CLOSING;
	if (row->since_ns && row->since_ns <= page->table->now_ns &&
	    page->table->now_ns - row->since_ns < NEW_NS)
		return STYLE_NEW;
	return STYLE_PLAIN;
}

enum top_style top_errors_style(const struct top_page *page, const struct top_row *row)
{
	return row->rate[RATE_ERRORS] > 0 ? STYLE_ERROR : top_row_style(page, row);
}

bool top_one_netns(const struct top_table *table)
{
	return table->one_netns;
}

bool top_no_place(const struct top_table *table)
{
	return table->no_place;
}

/* --- what has ended ---------------------------------------------------------------------------------------
 */

/* As a row without holders; whom it belonged to is asked like a holder. */
bool top_matches(const struct top_source *source, const struct departed_row *departed)
{
	struct subject_storage storage;
	struct filter_process room[1] = {
		{.pid = departed->task.pid,
		 .uid = departed->task.uid,
		 .comm = departed->task.comm,
		 .cgroup = model_cgroup_path(source->model, departed->task.cgroup_id)}};

	if (!source->filter)
		return true;
	subject_of_row(source->model, &departed->row, NULL, room, 0, &storage);
	storage.subject.processes = room;
	storage.subject.n_processes = departed->task.pid ? 1 : 0;
	return filter_match(source->filter, &storage.subject);
}
