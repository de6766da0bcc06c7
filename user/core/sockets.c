/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/sockets_table.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a connection leaves in TIME_WAIT has its cookie, and the socket may have gone on to be a listener, or
 * to another connection: then there are several of one cookie, and their ends tell them apart.
 */
struct socket_key {
	uint64_t cookie;
	uint16_t protocol;
	bool remains;
	const struct rec_socket *ends; /* of remains; NULL: whichever */
};

static bool same_ends(const struct rec_socket *a, const struct rec_socket *b)
{
	return a->local_port == b->local_port && a->peer_port == b->peer_port && a->netns == b->netns &&
	       a->family == b->family && !memcmp(a->local_addr, b->local_addr, sizeof(a->local_addr)) &&
	       !memcmp(a->peer_addr, b->peer_addr, sizeof(a->peer_addr));
}

static bool socket_equal(const void *item, const void *key)
{
	const struct socket_row *row = item;
	const struct socket_key *wanted = key;

	return row->socket.cookie == wanted->cookie && row->socket.protocol == wanted->protocol &&
	       row->remains == wanted->remains && (!wanted->ends || same_ends(&row->socket, wanted->ends));
}

struct sockets *sockets_new(size_t max_sockets, const struct sockets_context *context)
{
	struct sockets *sockets = calloc(1, sizeof(*sockets));

	if (!sockets)
		return NULL;
	sockets->with = *context;
	sockets->rows = table_new(sizeof(struct socket_row), max_sockets, socket_equal);
	sockets->tuples = sockets->rows ? tuples_new(sockets->rows) : NULL;
	if (!sockets->tuples) {
		sockets_free(sockets);
		return NULL;
	}
	return sockets;
}

void sockets_free(struct sockets *sockets)
{
	if (!sockets)
		return;
	tuples_free(sockets->tuples);
	table_free(sockets->rows);
	free(sockets);
}

struct socket_row *sockets_find(const struct sockets *sockets, uint64_t cookie, uint16_t protocol)
{
	struct socket_key key = {.cookie = cookie, .protocol = protocol};

	return table_find(sockets->rows, table_hash(cookie, protocol), &key);
}

struct socket_row *sockets_find_remains(const struct sockets *sockets, uint64_t cookie, uint16_t protocol,
					const struct rec_socket *ends)
{
	struct socket_key key = {.cookie = cookie, .protocol = protocol, .remains = true, .ends = ends};

	return sockets->n_remains ? table_find(sockets->rows, table_hash(cookie, protocol), &key) : NULL;
}

static struct socket_row *add(struct sockets *sockets, const struct rec_socket *socket)
{
	struct socket_row *row = table_add(sockets->rows, table_hash(socket->cookie, socket->protocol));

	if (!row)
		sockets->left_out++;
	return row;
}

/* With the same ends it is the same connection: what was listed of it as remains is the socket itself. */
static void drop_remains(struct sockets *sockets, const struct rec_socket *socket)
{
	struct socket_row *row = sockets_find_remains(sockets, socket->cookie, socket->protocol, socket);

	if (row)
		sockets_remove(sockets, row);
}

struct socket_row *sockets_see(struct sockets *sockets, const struct rec_socket *socket)
{
	struct socket_row *row = sockets_find(sockets, socket->cookie, socket->protocol);

	drop_remains(sockets, socket);
	return row ? row : add(sockets, socket);
}

/* Who holds it now has it last. */
static void became_remains(struct sockets *sockets, struct socket_row *row, uint64_t time_ns)
{
	struct past_holder holder;

	if (row->holders) {
		holder = past_holder_of(row->holders->process, time_ns);
		past_put_socket(sockets->with.past, &row->socket, &holder);
	}
	while (row->holders)
		holders_remove(sockets->with.holders, row->holders, CHANGE_CLOSE, true, time_ns);
	sockets_remove(sockets, row);
}

struct socket_row *sockets_see_remains(struct sockets *sockets, const struct rec_socket *socket,
				       uint64_t time_ns)
{
	struct socket_row *row = sockets_find(sockets, socket->cookie, socket->protocol);

	if (row && same_ends(&row->socket, socket)) {
		if (row->touched_ns > time_ns)
			return NULL;
		became_remains(sockets, row, time_ns);
	}
	row = sockets_find_remains(sockets, socket->cookie, socket->protocol, socket);
	if (row)
		return row;
	row = add(sockets, socket);
	if (row) {
		row->remains = true;
		sockets->n_remains++;
	}
	return row;
}

void sockets_remove(struct sockets *sockets, struct socket_row *row)
{
	sockets->n_remains -= row->remains;
	tuples_remove(sockets->tuples, row);
	holders_drop_socket(sockets->with.holders, row);
	table_remove(sockets->rows, row);
}

/* --- holders ----------------------------------------------------------------------------------------------
 */

/* What an exec closed, a walk that began before it may still have seen. */
static bool is_outdated(const struct rec_holder *record, const struct process *process)
{
	return !(record->header.flags & HOLDER_F_EXEC) && record->header.time_ns < process->exec_ns;
}

void sockets_hold(struct sockets *sockets, const struct rec_holder *record, struct process *process)
{
	struct socket_row *row = sockets_find(sockets, record->cookie, record->protocol);
	bool by_exec = record->header.flags & HOLDER_F_EXEC;
	const struct holding holding = {
		.since_ns = record->since_ns ? record->since_ns : record->header.time_ns,
		.fd = record->fd,
		.cause = record->cause ? record->cause - 1u : HOLDER_OBSERVED,
		.change = walk_repairs(sockets->with.walk) ? CHANGE_REPAIR : CHANGE_PASS,
		.observed = true,
	};
	size_t before = holders_count(sockets->with.holders);
	struct holder *holder;

	if (!row || !process || is_outdated(record, process))
		return;
	holder = holders_add(sockets->with.holders, row, process, &holding);
	if (walk_repairs(sockets->with.walk) && !row->fresh && holders_count(sockets->with.holders) > before)
		walk_counts(sockets->with.walk)->owner_changed++;
	if (!holder)
		return;
	/* The one that was known may be closed: dup2() has no event. */
	if (by_exec ? !holder->kept : walk_saw_holder(sockets->with.walk, holder))
		holder->fd = record->fd;
	holder->kept |= by_exec;
}

/* Who acts on a socket through a descriptor holds it. Who made it is in the row, even if this record does not
 * say. */
static void held_by_actor(struct sockets *sockets, struct socket_row *row, struct process *process,
			  enum holder_cause cause, uint64_t time_ns)
{
	struct holding holding = {.since_ns = time_ns, .fd = -1, .cause = cause, .change = CHANGE_ACTED};

	if (!process)
		return;
	if (process->pid == row->socket.creator_pid && process->start_ns == row->socket.creator_start_ns)
		holding.cause = HOLDER_MADE;
	holders_add(sockets->with.holders, row, process, &holding);
}

/* Of the two ends, the one that closed first. */
static bool may_leave_time_wait(uint8_t state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
	       state == TCP_TIME_WAIT;
}

/* Who had it last: who let go of it, or else the holder that is left, or the last one before. */
static void remember(struct sockets *sockets, const struct socket_row *row, const struct rec_close *close,
		     const struct process *releaser)
{
	const struct process *process = releaser ? releaser : row->holders ? row->holders->process : NULL;
	const struct past_holder *before = past_of_socket(sockets->with.past, &row->socket);
	struct past_holder holder;
	bool port = close->fact.socket.state == TCP_LISTEN || close->fact.socket.state == TCP_CLOSE ||
		    row->socket.protocol == IPPROTO_UDP;

	if (!process && !before)
		return;
	holder = process ? past_holder_of(process, close->fact.header.time_ns) : *before;
	if (port)
		past_put_port(sockets->with.past, &row->socket, &holder);
	else if (process && may_leave_time_wait(close->fact.socket.state))
		past_put_socket(sockets->with.past, &row->socket, &holder);
}

/* --- events -----------------------------------------------------------------------------------------------
 */

/* Takes over what the record says; what it does not say (creator, options) stays. */
void sockets_update(const struct sockets *sockets, struct socket_row *row, const struct rec_socket *socket)
{
	struct rec_socket before = row->socket;
	bool moved = !same_ends(&before, socket);

	if (moved)
		tuples_remove(sockets->tuples, row);
	row->socket = *socket;
	if (!socket->creator_pid) {
		row->socket.creator_pid = before.creator_pid;
		row->socket.creator_start_ns = before.creator_start_ns;
	}
	if (!socket->options)
		row->socket.options = before.options;
	if (moved)
		tuples_add(sockets->tuples, row);
}

static struct socket_row *socket_acted(struct sockets *sockets, const struct record *record,
				       struct process *process, enum holder_cause cause)
{
	struct socket_row *row = sockets_see(sockets, record->socket);

	if (!row)
		return NULL;
	sockets_update(sockets, row, record->socket);
	row->touched_ns = record->header->time_ns;
	row->orphan = row->absent = false;
	held_by_actor(sockets, row, process, cause, record->header->time_ns);
	return row;
}

static void began(struct socket_row *row, const struct record *record)
{
	row->since_ns = record->header->time_ns;
	row->seen_from_start = true;
}

/* How it got its port: by bind or listen, so that no connect is given it, or by a connect. */
static void got_port(struct socket_row *row, bool exclusive, bool chosen)
{
	row->port_read = true;
	row->exclusive = exclusive && row->socket.protocol == IPPROTO_TCP;
	row->chosen = chosen;
}

static struct socket_row *apply_bind(struct sockets *sockets, const struct record *record,
				     struct process *process)
{
	const struct rec_bind *bind = (const void *)record->header;
	struct socket_row *row;

	if (bind->error || !record->socket->local_port)
		return sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	row = socket_acted(sockets, record, process, HOLDER_OBSERVED);
	if (!row)
		return NULL;
	began(row, record);
	got_port(row, true, record->header->flags & BIND_F_REQUESTED && bind->requested_port);
	return row;
}

static struct socket_row *apply_listen(struct sockets *sockets, const struct record *record,
				       struct process *process)
{
	const struct rec_listen *listen = (const void *)record->header;
	struct socket_row *row;

	if (listen->error)
		return sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	row = socket_acted(sockets, record, process, HOLDER_OBSERVED);
	if (!row)
		return NULL;
	if (!row->since_ns)
		began(row, record);
	if (record->header->flags & LISTEN_F_AUTOBOUND)
		got_port(row, true, false);
	row->queue_limit = listen->backlog;
	return row;
}

static struct socket_row *apply_connect(struct sockets *sockets, const struct record *record,
					struct process *process)
{
	const struct rec_connect *connect = (const void *)record->header;
	struct socket_row *row;

	if (connect->error)
		return sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	row = socket_acted(sockets, record, process, HOLDER_CONNECTED);
	if (!row)
		return NULL;
	began(row, record);
	if (record->header->flags & CONNECT_F_AUTOBOUND)
		got_port(row, false, false);
	row->direction = DIRECTION_OUT;
	return row;
}

static struct socket_row *apply_accept(struct sockets *sockets, const struct record *record,
				       struct process *process)
{
	const struct rec_accept *accept = (const void *)record->header;
	struct socket_row *listener = sockets_find(sockets, accept->listener, record->socket->protocol);
	struct socket_row *row;

	if (listener)
		listener->accepts++;
	if (!record->socket->cookie)
		return listener;
	row = socket_acted(sockets, record, process, HOLDER_ACCEPTED);
	if (!row)
		return NULL;
	began(row, record);
	/* A wait from before the clock began is damage: since when is not known then. */
	row->since_ns = row->since_ns > accept->queue_ns ? row->since_ns - accept->queue_ns : 0;
	row->direction = DIRECTION_IN;
	got_port(row, true, false); /* the listener's */
	return row;
}

static struct socket_row *apply_autobind(struct sockets *sockets, const struct record *record,
					 struct process *process)
{
	struct socket_row *row = socket_acted(sockets, record, process, HOLDER_OBSERVED);

	if (!row)
		return NULL;
	began(row, record);
	got_port(row, false, false);
	return row;
}

void sockets_count_news(struct sockets *sockets, const struct socket_row *row, uint64_t sent,
			uint64_t received)
{
	uint64_t before = row->bytes_sent + row->bytes_received, now = sent + received;

	if ((row->seen_from_start || row->counted) && now > before)
		sockets->news_bytes = now - before;
}

uint64_t sockets_take_news(struct sockets *sockets)
{
	uint64_t bytes = sockets->news_bytes;

	sockets->news_bytes = 0;
	return bytes;
}

static struct socket_row *apply_close(struct sockets *sockets, const struct record *record,
				      const struct process *process, bool *ret_ended)
{
	const struct rec_close *close = (const void *)record->header;
	struct socket_row *row = sockets_find(sockets, record->socket->cookie, record->socket->protocol);

	if (!(record->header->flags & CLOSE_F_STILL_BOUND))
		walk_socket_ended(sockets->with.walk, record->socket);
	if (!row)
		return NULL;
	row->touched_ns = record->header->time_ns;
	if (record->header->flags & CLOSE_F_COUNTERS)
		sockets_count_news(sockets, row, close->bytes_sent, close->bytes_received);
	if (!(record->header->flags & CLOSE_F_STILL_BOUND)) {
		remember(sockets, row, close, process);
		*ret_ended = true;
		return row;
	}
	tuples_remove(sockets->tuples, row);
	row->socket.state = TCP_CLOSE;
	row->socket.peer_port = 0;
	memset(row->socket.peer_addr, 0, sizeof(row->socket.peer_addr));
	row->direction = DIRECTION_UNKNOWN;
	return row;
}

/* --- the one way in ---------------------------------------------------------------------------------------
 */

void sockets_apply(struct sockets *sockets, const struct record *record, struct process *process,
		   struct socket_row **ret_row, bool *ret_ended)
{
	*ret_row = NULL;
	*ret_ended = false;
	if (!record->socket || (!record->socket->cookie && record->header->kind != REC_ACCEPT))
		return;
	switch (record->header->kind) {
	case REC_BIND:
		*ret_row = apply_bind(sockets, record, process);
		break;
	case REC_LISTEN:
		*ret_row = apply_listen(sockets, record, process);
		break;
	case REC_CONNECT:
		*ret_row = apply_connect(sockets, record, process);
		break;
	case REC_ACCEPT:
		*ret_row = apply_accept(sockets, record, process);
		break;
	case REC_AUTOBIND:
		*ret_row = apply_autobind(sockets, record, process);
		break;
	case REC_CLOSE:
		*ret_row = apply_close(sockets, record, process, ret_ended);
		break;
	default:
		*ret_row = sockets_find(sockets, record->socket->cookie, record->socket->protocol);
	}
}

const struct socket_row *sockets_peer(const struct sockets *sockets, const struct socket_row *row)
{
	return tuples_peer(sockets->tuples, row);
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
