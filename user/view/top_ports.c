/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of ports: who has each, how full its accept queue is, how much comes in. */
#include "view/actor_set.h"
#include "view/port_table.h"
#include "view/top.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* --- reading ----------------------------------------------------------------------------------------------
 */

/* Of the place, whatever its state: a port that begins to listen is the same one. */
static struct top_id id_of_place(const struct rec_socket *socket)
{
	struct top_id id;
	uint64_t words[2];

	memcpy(words, socket->local_addr, sizeof(words));
	id.a = words[0] * 31 + words[1] + ((uint64_t)socket->netns << 24);
	id.b = (uint64_t)socket->local_port << 32 | (uint64_t)socket->protocol << 8 | socket->family;
	return id;
}

/* All holders of the sockets that fold, each process once. */
static void take_holders(struct top_row *row, const struct model *model, const struct port_row *ports,
			 size_t n, struct actor *room)
{
	struct actor_set set = {.actors = room};

	for (size_t i = 0; i < n; i++)
		actor_set_add(&set, model, ports[i].socket);
	actor_set_settle(&set);
	for (size_t i = 0; i < n; i++)
		top_take_holder(row, ports[i].socket);
	row->n_who = (uint32_t)set.n;
}

static void take_port(struct top_row *row, const struct port_row *ports, size_t n,
		      const struct top_source *source)
{
	const struct socket_row *first = ports[0].socket;

	row->socket = first->socket;
	row->n_sockets = (uint32_t)n;
	row->in = ports[0].active;
	row->since_ns = first->since_ns;
	for (size_t i = 0; i < n; i++) {
		row->queue_length += ports[i].socket->queue_length;
		row->queue_limit += ports[i].socket->queue_limit;
		if (ports[i].socket->since_ns < row->since_ns)
			row->since_ns = ports[i].socket->since_ns;
	}
	top_take_rates(row, source->rates ? rates_of_port(source->rates, &first->socket) : NULL,
		       source->rates);
}

/* How many of the ports from here on are one row. */
static size_t fold(const struct port_table *ports, size_t first, bool unfold)
{
	size_t n = 1;

	while (!unfold && first + n < ports->n_ports &&
	       port_rows_fold(&ports->ports[first], &ports->ports[first + n]))
		n++;
	return n;
}

static size_t most_holders(const struct port_table *ports, bool unfold)
{
	size_t most = 0;

	for (size_t i = 0, n; i < ports->n_ports; i += n) {
		size_t holders = 0;

		n = fold(ports, i, unfold);
		for (size_t k = 0; k < n; k++)
			holders += ports->ports[i + k].socket->n_holders;
		if (holders > most)
			most = holders;
	}
	return most;
}

static int add_ports(struct top_table *table, const struct port_table *ports, const struct top_source *source)
{
	struct actor *room = calloc(most_holders(ports, source->unfold) + 1, sizeof(*room));
	int error = room ? 0 : -ENOMEM;

	if (error)
		return error;
	for (size_t i = 0, n; i < ports->n_ports; i += n) {
		struct top_row *row = top_table_add(table);

		n = fold(ports, i, source->unfold);
		if (!row) {
			error = -ENOMEM;
			break;
		}
		take_port(row, &ports->ports[i], n, source);
		take_holders(row, source->model, &ports->ports[i], n, room);
		row->id = source->unfold ? (struct top_id){row->socket.cookie, row->socket.protocol}
					 : id_of_place(&row->socket);
		/* The same place twice, in different states. */
		if (table->n > 1 && top_id_equal(row->id, row[-1].id))
			row->id.b |= UINT64_C(1) << 63;
	}
	free(room);
	return error;
}

struct adding {
	struct top_table *table;
	const struct top_source *source;
	size_t n_living;
};

static bool lives(const struct adding *adding, const struct top_row *row)
{
	for (size_t i = 0; i < adding->n_living; i++) {
		const struct rec_socket *other = &adding->table->rows[i].socket;

		if (top_id_equal(id_of_place(other), id_of_place(&row->socket)))
			return true;
	}
	return false;
}

static void add_departed(void *context, const struct departed_row *departed)
{
	struct adding *adding = context;
	struct top_row row = {.socket = departed->row.socket,
			      .n_sockets = 1,
			      .since_ns = departed->row.since_ns,
			      .ended_ns = departed->ended_ns,
			      .who = departed->task,
			      .n_who = departed->task.pid != 0};
	struct top_row *at;

	if (socket_row_kind(&row.socket) != ROW_PORT || !top_matches(adding->source, departed) ||
	    lives(adding, &row))
		return;
	row.id = (struct top_id){row.socket.cookie, UINT64_MAX};
	at = top_table_add(adding->table);
	if (at)
		*at = row;
}

int top_read_ports(struct top_table *table, const struct top_source *source)
{
	struct adding adding = {table, source, 0};
	struct port_table ports;
	int error = port_table_count(source->model, &ports);

	if (error)
		return error;
	error = port_table_filter(&ports, source->model, source->filter);
	if (!error)
		error = add_ports(table, &ports, source);
	port_table_free(&ports);
	adding.n_living = table->n;
	if (!error && source->closed)
		departed_each(source->departed, source->now_ns, add_departed, &adding);
	return error;
}

/* --- columns ----------------------------------------------------------------------------------------------
 */

static void cell_port(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->socket.local_port);
}

static void cell_address(struct text *text, const void *context, size_t row)
{
	text_served_address(text, &top_row_at(context, row)->socket);
}

static void cell_service(struct text *text, const void *context, size_t row)
{
	const struct top_page *page = context;
	const struct rec_socket *socket = &top_row_at(context, row)->socket;
	const char *service = model_service_name(page->model, socket->protocol, socket->local_port);

	if (service && !page->view.numeric)
		text_name(text, service, strlen(service));
}

static void cell_holders(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->n_who);
}

static void cell_queue(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);

	if (at->queue_limit)
		text_format(text, "%u/%u", at->queue_length, at->queue_limit);
}

static void cell_active(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);

	if (at->socket.state == TCP_LISTEN && !at->ended_ns)
		text_uint(text, at->in);
}

static int by_port(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->socket.local_port, b->socket.local_port);
}

static int by_address(const struct top_row *a, const struct top_row *b)
{
	return memcmp(a->socket.local_addr, b->socket.local_addr, sizeof(a->socket.local_addr));
}

static int by_holders(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->n_who, b->n_who);
}

/* By how full it is. */
static int by_queue(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers((uint64_t)a->queue_length * (b->queue_limit ? b->queue_limit : 1),
				   (uint64_t)b->queue_length * (a->queue_limit ? a->queue_limit : 1));
}

static int by_active(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->in, b->in);
}

/* The kernel drops a handshake when the queue is longer than its limit. */
static enum top_style queue_style(const struct top_page *page, const struct top_row *row)
{
	if (row->queue_limit && row->queue_length >= row->queue_limit)
		return STYLE_ERROR;
	if (row->queue_limit && row->queue_length * 2 >= row->queue_limit)
		return STYLE_NOTE;
	return top_row_style(page, row);
}

static enum top_style state_style(const struct top_page *page, const struct top_row *row)
{
	enum top_style style = top_row_style(page, row);

	return style == STYLE_PLAIN && row->socket.state != TCP_LISTEN ? STYLE_DIM : style;
}

static enum top_style port_style(const struct top_page *page, const struct top_row *row)
{
	enum top_style style = top_row_style(page, row);

	return style == STYLE_PLAIN ? STYLE_STRONG : style;
}

const struct top_column top_port_columns[] = {
	{"PORT", cell_port, by_port, 0, 5, 5, .right = true, .style = port_style},
	{"PROTO", top_cell_protocol, top_by_protocol, 4, 5, 5},
	{"ADDRESS", cell_address, by_address, 3, 9, 41},
	{"STATE", top_cell_state, top_by_state, 5, 6, 12, .style = state_style},
	{"SERVICE", cell_service, NULL, 13, 7, 16},
	{"PID", top_cell_pid, top_by_pid, 2, 7, 7, .right = true},
	{"PROCESS", top_cell_process, top_by_process, 1, 12, 24, .style = port_style},
	{"HOLDERS", cell_holders, by_holders, 16, 7, 7, .right = true, .from_most = true},
	{"USER", top_cell_user, top_by_user, 11, 8, 16},
	{"QUEUE", cell_queue, by_queue, 8, 7, 13, .right = true, .from_most = true, .style = queue_style},
	{"ACTIVE", cell_active, by_active, 7, 6, 8, .right = true, .from_most = true},
	{"ACC/S", top_cell_accepts, top_by_accepts, 9, 6, 8, .right = true, .from_most = true},
	{"ERR/S", top_cell_errors, top_by_errors, 10, 6, 8, .right = true, .from_most = true,
	 .style = top_errors_style},
	{"BYTES/S", top_cell_bytes, top_by_bytes, 14, 7, 8, .right = true, .from_most = true},
	{"AGE", top_cell_age, top_by_age, 15, 6, 8, .right = true},
	{"NETNS", top_cell_netns, top_by_netns, 6, 10, 16, .hidden = top_one_netns},
	{"WHERE", top_cell_place, top_by_place, 12, 8, 0, .hidden = top_no_place},
};
const size_t top_n_port_columns = sizeof(top_port_columns) / sizeof(top_port_columns[0]);
