/* SPDX-License-Identifier: GPL-2.0-only */
/* What a walk over the kernel's sockets does to the table: rows that it found, and what it did not find. */
#include "core/sockets_table.h"

static void take_counters(struct socket_row *row, const struct rec_socket_row *found)
{
	row->queue_length = found->queue_length;
	row->queue_limit = found->queue_limit;
	row->bytes_sent = found->bytes_sent;
	row->bytes_received = found->bytes_received;
	row->retransmits = found->retransmits;
	row->rtt_us = found->rtt_us;
	if (found->since_ns)
		row->since_ns = found->since_ns;
	if (found->accepts)
		row->accepts = found->accepts;
	if (found->direction)
		row->direction = found->direction;
}

/* Without a file there is no descriptor: whoever held it has closed it. */
static void orphaned(struct sockets *sockets, struct socket_row *row, uint64_t time_ns)
{
	while (row->holders && row->holders->since_ns < time_ns)
		holders_remove(sockets->with.holders, row->holders, CHANGE_CLOSE, true, time_ns);
}

/* Connections that nobody accepted yet, that linger or are in TIME_WAIT come and go without a record. */
static bool is_repair(const struct sockets *sockets, const struct socket_row *row)
{
	return walk_repairs(sockets->with.walk) && !row->orphan;
}

/* An event beats a row that was read before it; one that ended in the meantime does not come back. */
struct socket_row *sockets_found(struct sockets *sockets, const struct record *record)
{
	const struct rec_socket_row *found = (const void *)record->header;
	bool remains = record->header->flags & SOCKET_F_REMAINS, known;
	struct socket_row *row;

	if (!record->socket || !record->socket->cookie)
		return NULL;
	if (!walk_may_add(sockets->with.walk, record->socket, remains))
		return NULL;
	row = remains ? sockets_see_remains(sockets, record->socket, record->header->time_ns)
		      : sockets_see(sockets, record->socket);
	if (!row)
		return NULL;
	known = row->socket.cookie; /* a new row has nothing */
	walk_saw_socket(sockets->with.walk, row);
	if (record->header->flags & SOCKET_F_IN_FLIGHT)
		row->in_flight = row->flight_seen = true;
	if (row->touched_ns > record->header->time_ns ||
	    (known && record->header->flags & SOCKET_F_IN_FLIGHT))
		return row;
	sockets_update(sockets, row, record->socket);
	row->orphan = record->header->flags & SOCKET_F_ORPHAN;
	if (record->header->flags & SOCKET_F_COUNTERS) {
		sockets_count_news(sockets, row, found->bytes_sent, found->bytes_received);
		row->counted = true;
	}
	take_counters(row, found);
	if (record->header->flags & SOCKET_F_PORT_READ) {
		row->port_read = true;
		row->exclusive = record->header->flags & SOCKET_F_EXCLUSIVE;
		row->chosen = record->header->flags & SOCKET_F_CHOSEN;
	}
	if (row->orphan)
		orphaned(sockets, row, record->header->time_ns);
	row->fresh |= !known;
	if (!known && is_repair(sockets, row))
		walk_counts(sockets->with.walk)->added++;
	return row;
}

struct settling {
	struct sockets *sockets;
	uint64_t time_ns;
};

static void settle_holders(struct settling *settling, struct socket_row *row)
{
	const struct sockets_context *with = &settling->sockets->with;
	struct holder *next;

	for (struct holder *holder = row->holders; holder; holder = next) {
		next = holder->next;
		if (!walk_misses_holder(with->walk, holder))
			continue;
		holders_remove(with->holders, holder, CHANGE_CLOSE, true, settling->time_ns);
		if (walk_repairs(with->walk))
			walk_counts(with->walk)->owner_changed++;
	}
}

static int settle_row(void *item, void *context)
{
	struct settling *settling = context;
	const struct sockets_context *with = &settling->sockets->with;
	struct repairs *counts = walk_counts(with->walk);
	struct socket_row *row = item;

	switch (walk_judge_socket(with->walk, row)) {
	case VERDICT_GONE:
		counts->removed += is_repair(settling->sockets, row);
		sockets_remove(settling->sockets, row);
		return 0;
	case VERDICT_DOUBT:
		row->absent = true;
		counts->in_doubt++;
		return 0;
	default:
		row->fresh = false;
		if (walk_covers(with->walk, row->socket.netns)) /* it looked at messages too */
			row->in_flight = row->flight_seen;
		row->flight_seen = false;
		settle_holders(settling, row);
		return 0;
	}
}

void sockets_settle(struct sockets *sockets, uint64_t time_ns)
{
	struct settling settling = {sockets, time_ns};

	table_each(sockets->rows, settle_row, &settling);
}

static int forget_remains(void *item, void *context)
{
	struct socket_row *row = item;

	if (row->remains)
		sockets_remove(context, row);
	return 0;
}

void sockets_forget_remains(struct sockets *sockets)
{
	if (!sockets->n_remains)
		return;
	table_each(sockets->rows, forget_remains, sockets);
}

struct old {
	struct sockets *sockets;
	uint16_t port;
};

static int forget_old(void *item, void *context)
{
	struct socket_row *row = item;
	const struct old *old = context;

	if (row->remains && !walk_just_saw(old->sockets->with.walk, row) &&
	    (!old->port || row->socket.local_port == old->port))
		sockets_remove(old->sockets, row);
	return 0;
}

void sockets_forget_old_remains(struct sockets *sockets, uint16_t port)
{
	struct old old = {sockets, port};

	if (sockets->n_remains)
		table_each(sockets->rows, forget_old, &old);
}
