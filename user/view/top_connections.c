/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of connections. */
#include "view/port_table.h"
#include "view/top.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

/* --- reading ----------------------------------------------------------------------------------------------
 */

static void take_socket(struct top_row *row, const struct socket_row *socket, unsigned direction)
{
	row->id = (struct top_id){socket->socket.cookie, socket->socket.protocol};
	row->socket = socket->socket;
	row->since_ns = socket->since_ns;
	row->sent = socket->bytes_sent;
	row->received = socket->bytes_received;
	row->counted = describe_row_has_counters(socket);
	row->rtt_us = socket->rtt_us;
	row->retransmits = socket->retransmits;
	row->direction = (uint8_t)direction;
}

/* Who had it last, of a connection that goes on without a holder. */
static void take_last_holder(struct top_row *row, const struct model *model, const struct socket_row *socket)
{
	const struct past_holder *last = row->who.pid ? NULL : describe_last_holder(model, socket);

	if (!last)
		return;
	row->who = (struct rec_task){.start_ns = last->start_ns, .pid = last->pid, .uid = last->uid};
	memcpy(row->who.comm, last->comm, sizeof(row->who.comm));
}

struct adding {
	struct top_table *table;
	const struct top_source *source;
};

static void add_departed(void *context, const struct departed_row *departed)
{
	struct adding *adding = context;
	const struct rec_socket *socket = &departed->row.socket;
	struct top_row *row;

	/* What it left in TIME_WAIT has its cookie. */
	if (socket_row_kind(socket) != ROW_CONNECTION || !top_matches(adding->source, departed) ||
	    model_socket(adding->source->model, socket->cookie, socket->protocol))
		return;
	row = top_table_add(adding->table);
	if (!row)
		return;
	take_socket(row, &departed->row, departed->row.direction);
	row->ended_ns = departed->ended_ns;
	row->who = departed->task;
	row->n_who = departed->task.pid != 0;
}

int top_read_connections(struct top_table *table, const struct top_source *source)
{
	struct adding adding = {table, source};
	struct port_table ports;
	int error = port_table_read(source->model, &ports);

	if (error)
		return error;
	error = port_table_filter(&ports, source->model, source->filter);
	for (size_t i = 0; !error && i < ports.n_connections; i++) {
		const struct connection_row *connection = &ports.connections[i];
		struct top_row *row = top_table_add(table);

		if (!row) {
			error = -ENOMEM;
			break;
		}
		take_socket(row, connection->socket, connection->direction);
		top_take_holder(row, connection->socket);
		take_last_holder(row, source->model, connection->socket);
	}
	port_table_free(&ports);
	if (!error && source->closed)
		departed_each(source->departed, source->now_ns, add_departed, &adding);
	return error;
}

/* --- columns ----------------------------------------------------------------------------------------------
 */

static void cell_local(struct text *text, const void *context, size_t row)
{
	struct endpoint local = endpoint_local(&top_row_at(context, row)->socket);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_text(&local, buf));
}

static void cell_peer(struct text *text, const void *context, size_t row)
{
	struct endpoint peer = endpoint_peer(&top_row_at(context, row)->socket);
	char buf[ENDPOINT_TEXT_MAX];

	text_put(text, endpoint_text(&peer, buf));
}

static void cell_direction(struct text *text, const void *context, size_t row)
{
	const char *name = direction_name(top_row_at(context, row)->direction);

	text_put(text, name ? name : "");
}

static void put_bytes(struct text *text, const struct top_row *row, uint64_t bytes)
{
	char *from, *to;

	if (!row->counted)
		return;
	text_bytes(text, bytes);
	for (from = to = text->buf; *from; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	text->length = (size_t)(to - text->buf);
}

static void cell_sent(struct text *text, const void *context, size_t row)
{
	put_bytes(text, top_row_at(context, row), top_row_at(context, row)->sent);
}

static void cell_received(struct text *text, const void *context, size_t row)
{
	put_bytes(text, top_row_at(context, row), top_row_at(context, row)->received);
}

static void cell_rtt(struct text *text, const void *context, size_t row)
{
	uint32_t rtt_us = top_row_at(context, row)->rtt_us;

	if (rtt_us)
		text_duration_word(text, rtt_us * UINT64_C(1000));
}

static void cell_retransmits(struct text *text, const void *context, size_t row)
{
	if (top_row_at(context, row)->counted)
		text_uint(text, top_row_at(context, row)->retransmits);
}

static int by_local(const struct top_row *a, const struct top_row *b)
{
	int order = top_compare_numbers(a->socket.local_port, b->socket.local_port);

	return order ? order
		     : memcmp(a->socket.local_addr, b->socket.local_addr, sizeof(a->socket.local_addr));
}

static int by_peer(const struct top_row *a, const struct top_row *b)
{
	int order = memcmp(a->socket.peer_addr, b->socket.peer_addr, sizeof(a->socket.peer_addr));

	return order ? order : top_compare_numbers(a->socket.peer_port, b->socket.peer_port);
}

static int by_direction(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->direction, b->direction);
}

static int by_sent(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->sent, b->sent);
}

static int by_received(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->received, b->received);
}

static int by_rtt(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->rtt_us, b->rtt_us);
}

static int by_retransmits(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->retransmits, b->retransmits);
}

static enum top_style retransmits_style(const struct top_page *page, const struct top_row *row)
{
	return row->retransmits ? STYLE_NOTE : top_row_style(page, row);
}

const struct top_column top_connection_columns[] = {
	{"PROTO", top_cell_protocol, top_by_protocol, 9, 5, 5},
	{"LOCAL", cell_local, by_local, 0, 15, 47},
	{"PEER", cell_peer, by_peer, 1, 15, 47},
	{"STATE", top_cell_state, top_by_state, 3, 11, 12},
	{"DIR", cell_direction, by_direction, 5, 3, 3},
	{"PID", top_cell_pid, top_by_pid, 4, 7, 7, .right = true},
	{"PROCESS", top_cell_process, top_by_process, 2, 12, 24},
	{"USER", top_cell_user, top_by_user, 13, 8, 16},
	{"AGE", top_cell_age, top_by_age, 6, 6, 8, .right = true},
	{"SENT", cell_sent, by_sent, 8, 6, 8, .right = true, .from_most = true},
	{"RECEIVED", cell_received, by_received, 10, 8, 8, .right = true, .from_most = true},
	{"RTT", cell_rtt, by_rtt, 11, 6, 8, .right = true, .from_most = true},
	{"RETRANS", cell_retransmits, by_retransmits, 12, 7, 7, .right = true, .from_most = true,
	 .style = retransmits_style},
	{"NETNS", top_cell_netns, top_by_netns, 7, 10, 16, .hidden = top_one_netns},
	{"WHERE", top_cell_place, top_by_place, 14, 8, 0, .hidden = top_no_place},
};
const size_t top_n_connection_columns = sizeof(top_connection_columns) / sizeof(top_connection_columns[0]);
