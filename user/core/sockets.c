/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/sockets.h"

#include "core/table.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define HOLDERS_MAX 4096u /* of one socket */

struct sockets {
	struct table *rows;
	uint64_t left_out;
};

/* A row with room for the one holder that most sockets have. */
struct slot {
	struct socket_row row; /* first: a row is its slot */
	struct holder first;
};

struct socket_key {
	uint64_t cookie;
	uint16_t protocol;
};

static bool socket_equal(const void *row, const void *key)
{
	const struct slot *slot = row;
	const struct socket_key *wanted = key;

	return slot->row.socket.cookie == wanted->cookie && slot->row.socket.protocol == wanted->protocol;
}

static void holders_forget(struct slot *slot)
{
	if (slot->row.holders != &slot->first)
		free(slot->row.holders);
	slot->row.holders = NULL;
	slot->row.n_holders = 0;
}

static int forget_row(void *row, void *context)
{
	holders_forget(row);
	return 0;
}

struct sockets *sockets_new(size_t max_sockets)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));

	if (!sockets)
		return NULL;
	sockets->rows = table_new(sizeof(struct slot), max_sockets, socket_equal);
	if (!sockets->rows) {
		free(sockets);
		return NULL;
	}
	return sockets;
}

void sockets_free(struct sockets *sockets)
{
	if (!sockets)
		return;
	table_each(sockets->rows, forget_row, NULL);
	table_free(sockets->rows);
	free(sockets);
}

struct socket_row *sockets_find(const struct sockets *sockets, uint64_t cookie, uint16_t protocol)
{
	struct socket_key key = {.cookie = cookie, .protocol = protocol};

	return table_find(sockets->rows, table_hash(cookie, protocol), &key);
}

static struct socket_row *socket_see(struct sockets *sockets, const struct rec_socket *socket)
{
	struct socket_row *row = sockets_find(sockets, socket->cookie, socket->protocol);

	if (!row)
		row = table_add(sockets->rows, table_hash(socket->cookie, socket->protocol));
	if (!row)
		sockets->left_out++;
	return row;
}

void sockets_remove(struct sockets *sockets, struct socket_row *row)
{
	holders_forget((struct slot *)row);
	table_remove(sockets->rows, row);
}

/* Room for one more: the slot's own, then blocks that double. */
static bool holders_grow(struct slot *slot)
{
	struct socket_row *row = &slot->row;
	uint32_t n = row->n_holders;
	struct holder *holders;

	if (n == 0) {
		row->holders = &slot->first;
		return true;
	}
	if (n & (n - 1))
		return true; /* not at a power of two: there is room */
	if (n >= HOLDERS_MAX)
		return false;
	holders = malloc(2 * n * sizeof(*holders));
	if (!holders)
		return false;
	memcpy(holders, row->holders, n * sizeof(*holders));
	if (row->holders != &slot->first)
		free(row->holders);
	row->holders = holders;
	return true;
}

static void holder_add(struct sockets *sockets, struct socket_row *row, const struct holder *holder)
{
	for (uint32_t i = 0; i < row->n_holders; i++) {
		struct holder *known = &row->holders[i];

		if (known->pid != holder->pid || known->start_ns != holder->start_ns)
			continue;
		if (known->fd < 0)
			known->fd = holder->fd;
		return;
	}
	if (!holders_grow((struct slot *)row)) {
		sockets->left_out++;
		return;
	}
	row->holders[row->n_holders++] = *holder;
}

void sockets_hold(struct sockets *sockets, const struct rec_holder *record)
{
	struct socket_row *row = sockets_find(sockets, record->cookie, record->protocol);
	struct holder holder = {
		.pid = record->task.pid,
		.start_ns = record->task.start_ns,
		.fd = record->fd,
		.cause = HOLDER_OBSERVED,
	};

	if (row)
		holder_add(sockets, row, &holder);
}

/* Who acts on a socket through a descriptor holds it. Who made it is in the row, even if this record does not
 * say. */
static void held_by_actor(struct sockets *sockets, struct socket_row *row, const struct rec_task *task,
			  enum holder_cause cause)
{
	struct holder holder = {.fd = -1, .cause = cause};

	if (!task)
		return;
	holder.pid = task->pid;
	holder.start_ns = task->start_ns;
	if (task->pid == row->socket.creator_pid && task->start_ns == row->socket.creator_start_ns)
		holder.cause = HOLDER_MADE;
	holder_add(sockets, row, &holder);
}

/* Takes over what the record says; what it does not say (creator, options) stays. */
static void socket_update(struct socket_row *row, const struct rec_socket *socket)
{
	struct rec_socket before = row->socket;

	row->socket = *socket;
	if (!socket->creator_pid) {
		row->socket.creator_pid = before.creator_pid;
		row->socket.creator_start_ns = before.creator_start_ns;
	}
	if (!socket->options)
		row->socket.options = before.options;
}

static struct socket_row *socket_acted(struct sockets *sockets, const struct record *record,
				       enum holder_cause cause)
{
	struct socket_row *row = socket_see(sockets, record->socket);

	if (!row)
		return NULL;
	socket_update(row, record->socket);
	row->orphan = false;
	held_by_actor(sockets, row, record->task, cause);
	return row;
}

static void began(struct socket_row *row, const struct record *record)
{
	row->since_ns = record->header->time_ns;
	row->seen_from_start = true;
}

static struct socket_row *apply_bind(struct sockets *sockets, const struct record *record)
{
	const struct rec_bind *bind = (const void *)record->header;
	struct socket_row *row;

	if (bind->error || !record->socket->local_port)
		return sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	row = socket_acted(sockets, record, HOLDER_OBSERVED);
	if (row)
		began(row, record);
	return row;
}

static struct socket_row *apply_listen(struct sockets *sockets, const struct record *record)
{
	const struct rec_listen *listen = (const void *)record->header;
	struct socket_row *row;

	if (listen->error)
		return sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	row = socket_acted(sockets, record, HOLDER_OBSERVED);
	if (!row)
		return NULL;
	if (!row->since_ns)
		began(row, record);
	row->queue_limit = listen->backlog;
	return row;
}

static struct socket_row *apply_connect(struct sockets *sockets, const struct record *record)
{
	const struct rec_connect *connect = (const void *)record->header;
	struct socket_row *row;

	if (connect->error)
		return sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	row = socket_acted(sockets, record, HOLDER_CONNECTED);
	if (!row)
		return NULL;
	began(row, record);
	row->direction = DIRECTION_OUT;
	return row;
}

static struct socket_row *apply_accept(struct sockets *sockets, const struct record *record)
{
	const struct rec_accept *accept = (const void *)record->header;
	struct socket_row *listener = sockets_find(sockets, accept->listener, record->socket->protocol);
	struct socket_row *row;

	if (listener)
		listener->accepts++;
	if (!record->socket->cookie)
		return listener;
	row = socket_acted(sockets, record, HOLDER_ACCEPTED);
	if (!row)
		return NULL;
	began(row, record);
	row->since_ns -= accept->queue_ns;
	row->direction = DIRECTION_IN;
	return row;
}

static struct socket_row *apply_autobind(struct sockets *sockets, const struct record *record)
{
	struct socket_row *row = socket_acted(sockets, record, HOLDER_OBSERVED);

	if (row)
		began(row, record);
	return row;
}

static struct socket_row *apply_close(struct sockets *sockets, const struct record *record, bool *ret_ended)
{
	struct socket_row *row = sockets_find(sockets, record->socket->cookie, record->socket->protocol);

	if (!row)
		return NULL;
	if (!(record->header->flags & CLOSE_F_STILL_BOUND)) {
		*ret_ended = true;
		return row;
	}
	row->socket.state = TCP_CLOSE;
	row->socket.peer_port = 0;
	memset(row->socket.peer_addr, 0, sizeof(row->socket.peer_addr));
	row->direction = DIRECTION_UNKNOWN;
	return row;
}

/* Events win over a row of the snapshot: they are applied after it, and what they made stands. */
static struct socket_row *apply_row(struct sockets *sockets, const struct record *record)
{
	const struct rec_socket_row *found = (const void *)record->header;
	struct socket_row *row = socket_see(sockets, record->socket);

	if (!row)
		return NULL;
	socket_update(row, record->socket);
	row->orphan = record->header->flags & SOCKET_F_ORPHAN;
	row->queue_length = found->queue_length;
	row->queue_limit = found->queue_limit;
	row->bytes_sent = found->bytes_sent;
	row->bytes_received = found->bytes_received;
	row->retransmits = found->retransmits;
	row->rtt_us = found->rtt_us;
	return row;
}

void sockets_apply(struct sockets *sockets, const struct record *record, struct socket_row **ret_row,
		   bool *ret_ended)
{
	*ret_row = NULL;
	*ret_ended = false;
	if (!record->socket || (!record->socket->cookie && record->header->kind != REC_ACCEPT))
		return;
	switch (record->header->kind) {
	case REC_BIND:
		*ret_row = apply_bind(sockets, record);
		break;
	case REC_LISTEN:
		*ret_row = apply_listen(sockets, record);
		break;
	case REC_CONNECT:
		*ret_row = apply_connect(sockets, record);
		break;
	case REC_ACCEPT:
		*ret_row = apply_accept(sockets, record);
		break;
	case REC_AUTOBIND:
		*ret_row = apply_autobind(sockets, record);
		break;
	case REC_CLOSE:
		*ret_row = apply_close(sockets, record, ret_ended);
		break;
	case REC_SOCKET:
		*ret_row = apply_row(sockets, record);
		break;
	default:
		*ret_row = sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	}
}

size_t sockets_count(const struct sockets *sockets)
{
	return table_count(sockets->rows);
}

uint64_t sockets_left_out(const struct sockets *sockets)
{
	return sockets->left_out;
}

struct each {
	int (*callback)(const struct socket_row *, void *);
	void *context;
};

static int each_row(void *row, void *context)
{
	struct each *each = context;

	return each->callback(row, each->context);
}

int sockets_each(const struct sockets *sockets, int (*callback)(const struct socket_row *, void *),
		 void *context)
{
	struct each each = {callback, context};

	return table_each(sockets->rows, each_row, &each);
}
