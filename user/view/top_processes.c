/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of processes that hold sockets. */
#include "view/process_table.h"
#include "view/top.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* --- reading ----------------------------------------------------------------------------------------------
 */

/* Each port once, whatever addresses it is bound to. */
static void take_ports(struct top_row *row, const struct process_row *process)
{
	const struct rec_socket *before = NULL;

	for (size_t i = 0; i < process->n_ports; i++) {
		const struct rec_socket *socket = &process->ports[i]->socket;

		if (before && before->local_port == socket->local_port &&
		    before->protocol == socket->protocol)
			continue;
		before = socket;
		if (row->n_ports < TOP_PORTS_SHOWN)
			row->ports[row->n_ports] = (struct top_port){socket->local_port, socket->protocol};
		row->n_ports++;
	}
}

static void take_process(struct top_row *row, const struct process_row *process,
			 const struct top_source *source)
{
	const struct actor *actor = &process->actor;
	uint64_t start_ns = actor->process ? actor->process->start_ns : 0;

	row->id = (struct top_id){actor->pid, start_ns};
	row->who = (struct rec_task){
		.start_ns = start_ns, .cgroup_id = actor->cgroup_id, .pid = actor->pid, .uid = actor->uid};
	if (actor->process)
		memcpy(row->who.comm, actor->process->comm, sizeof(row->who.comm));
	row->n_who = 1;
	row->since_ns = start_ns;
	row->in = process->in;
	row->out = process->out;
	row->undirected = process->undirected;
	take_ports(row, process);
	top_take_rates(row, source->rates ? rates_of_process(source->rates, actor->pid, start_ns) : NULL,
		       source->rates);
}

static int add_processes(struct top_table *table, const struct port_table *ports,
			 const struct top_source *source)
{
	struct process_table_view view;
	int error = process_table_read(source->model, ports, source->filter, &view);

	if (error)
		return error;
	for (size_t i = 0; i < view.n_rows; i++) {
		struct top_row *row = top_table_add(table);

		if (!row)
			error = -ENOMEM;
		if (error)
			break;
		take_process(row, &view.rows[i], source);
	}
	process_table_view_free(&view);
	return error;
}

/* --- what has ended ---------------------------------------------------------------------------------------
 */

struct ending {
	const struct top_source *source;
	struct top_row row; /* of the process */
	bool matches;
};

static bool has_port(const struct top_row *row, const struct rec_socket *socket)
{
	for (uint32_t i = 0; i < row->n_ports && i < TOP_PORTS_SHOWN; i++)
		if (row->ports[i].port == socket->local_port && row->ports[i].protocol == socket->protocol)
			return true;
	return false;
}

static void take_socket(struct ending *ending, const struct departed_row *departed)
{
	const struct rec_socket *socket = &departed->row.socket;
	struct top_row *row = &ending->row;

	ending->matches |= top_matches(ending->source, departed);
	if (socket_row_kind(socket) != ROW_PORT || has_port(row, socket))
		return;
	if (row->n_ports < TOP_PORTS_SHOWN)
		row->ports[row->n_ports] = (struct top_port){socket->local_port, socket->protocol};
	row->n_ports++;
}

/* What ended with it. */
static void take_departed(void *context, const struct departed_row *departed)
{
	struct ending *ending = context;

	if (departed->task.pid == ending->row.who.pid && departed->task.start_ns == ending->row.who.start_ns)
		take_socket(ending, departed);
}

struct adding {
	struct top_table *table;
	const struct top_source *source;
};

static void add_departed(void *context, const struct departed_process *departed)
{
	const struct adding *adding = context;
	const struct departed_row nothing = {.task = departed->task, .ended_ns = departed->ended_ns};
	struct ending ending = {.source = adding->source,
				.matches = top_matches(adding->source, &nothing),
				.row = {.id = {departed->task.pid, departed->task.start_ns},
					.who = departed->task,
					.n_who = 1,
					.n_sockets = 1,
					.since_ns = departed->task.start_ns,
					.ended_ns = departed->ended_ns}};
	struct top_row *row;

	for (size_t i = 0; i < departed->n_sockets; i++) {
		const struct departed_row held = {.row = {.socket = departed->sockets[i]},
						  .task = departed->task,
						  .ended_ns = departed->ended_ns};

		take_socket(&ending, &held);
	}
	departed_each(adding->source->departed, adding->source->now_ns, take_departed, &ending);
	row = ending.matches ? top_table_add(adding->table) : NULL;
	if (row)
		*row = ending.row;
}

int top_read_processes(struct top_table *table, const struct top_source *source)
{
	struct port_table ports;
	int error = port_table_count(source->model, &ports);

	if (error)
		return error;
	error = add_processes(table, &ports, source);
	port_table_free(&ports);
	if (!error && source->closed)
		departed_each_process(source->departed, source->now_ns, add_departed,
				      &(struct adding){table, source});
	return !error && table->tree ? top_tree_read(table, source->model) : error;
}

/* --- columns ----------------------------------------------------------------------------------------------
 */

/* 80,443,53/udp,+3 */
static void cell_ports(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);

	for (uint32_t i = 0; i < at->n_ports && i < TOP_PORTS_SHOWN; i++) {
		const struct top_port *port = &at->ports[i];
		const char *name = record_transport_name(port->protocol);

		text_format(text, "%s%u%s%s", i ? "," : "", port->port,
			    port->protocol == IPPROTO_TCP ? "" : "/",
			    port->protocol == IPPROTO_TCP ? ""
			    : name			  ? name
							  : "?");
	}
	if (at->n_ports > TOP_PORTS_SHOWN)
		text_format(text, ",+%u", at->n_ports - TOP_PORTS_SHOWN);
}

/* What it had at its end was not counted. */
static void cell_in(struct text *text, const void *context, size_t row)
{
	if (!top_row_at(context, row)->ended_ns)
		text_uint(text, top_row_at(context, row)->in);
}

static void cell_out(struct text *text, const void *context, size_t row)
{
	if (!top_row_at(context, row)->ended_ns)
		text_uint(text, top_row_at(context, row)->out);
}

/* Connections that are older than our watch. */
static void cell_undirected(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->undirected);
}

static bool every_direction_known(const struct top_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].undirected)
			return false;
	return true;
}

static int by_ports(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->n_ports, b->n_ports);
}

static int by_in(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->in, b->in);
}

static int by_out(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->out, b->out);
}

static enum top_style process_style(const struct top_page *page, const struct top_row *row)
{
	enum top_style style = top_row_style(page, row);

	return style == STYLE_PLAIN ? STYLE_STRONG : style;
}

const struct top_column top_process_columns[] = {
	{"PID", top_cell_pid, top_by_pid, 1, 7, 7, .right = true},
	{"USER", top_cell_user, top_by_user, 6, 8, 16},
	{"PROCESS", top_cell_process, top_by_process, 0, 15, 36, .style = process_style},
	{"PORTS", cell_ports, by_ports, 2, 12, 40, .from_most = true},
	{"IN", cell_in, by_in, 3, 6, 8, .right = true, .from_most = true},
	{"OUT", cell_out, by_out, 4, 6, 8, .right = true, .from_most = true},
	{"UNKNOWN", cell_undirected, NULL, 10, 7, 8, .right = true, .hidden = every_direction_known},
	{"CONN/S", top_cell_connects, top_by_connects, 5, 6, 8, .right = true, .from_most = true},
	{"ACC/S", top_cell_accepts, top_by_accepts, 8, 6, 8, .right = true, .from_most = true},
	{"ERR/S", top_cell_errors, top_by_errors, 7, 6, 8, .right = true, .from_most = true,
	 .style = top_errors_style},
	{"BYTES/S", top_cell_bytes, top_by_bytes, 9, 7, 8, .right = true, .from_most = true},
	{"AGE", top_cell_age, top_by_age, 12, 6, 8, .right = true},
	{"WHERE", top_cell_place, top_by_place, 11, 8, 0, .hidden = top_no_place},
};
const size_t top_n_process_columns = sizeof(top_process_columns) / sizeof(top_process_columns[0]);
