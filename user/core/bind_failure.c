/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/bind_failure.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* MPTCP's sockets have their ports from TCP. */
static uint16_t ports_of(uint16_t protocol)
{
	return protocol == IPPROTO_MPTCP ? IPPROTO_TCP : protocol;
}

bool bind_failure_has_cause(const struct rec_header *header)
{
	const struct rec_bind *bind = (const void *)header;
	uint16_t protocol;

	if (header->kind != REC_BIND || bind->error != EADDRINUSE || !(header->flags & BIND_F_REQUESTED) ||
	    !bind->requested_port || !(header->flags & REC_F_SOCKET))
		return false;
	protocol = ports_of(bind->fact.socket.protocol);
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

struct bind_wish bind_failure_wish(const struct rec_bind *bind)
{
	const struct rec_socket *socket = &bind->fact.socket;
	struct bind_wish wish = {
		.family = socket->family,
		.port = bind->requested_port,
		.protocol = ports_of(socket->protocol),
		.uid = bind->fact.task.uid,
		.device = socket->device,
		.reuseaddr = socket->options & SOCKOPT_REUSEADDR,
		.reuseport = socket->options & SOCKOPT_REUSEPORT,
		.v6only = socket->options & SOCKOPT_V6ONLY,
		.privileged = true, /* it got as far as to the table of ports */
	};

	memcpy(wish.addr, socket->local_addr, sizeof(wish.addr));
	return wish;
}

static void fill(struct rec_conflict *to, const struct bind_inventory *inventory,
		 const struct bind_conflict *conflict)
{
	const struct bind_row *row = &inventory->rows[conflict->row];

	*to = (struct rec_conflict){
		.cookie = row->cookie,
		.peer_port = row->peer_port,
		.family = row->family,
		.state = row->state,
		.options = bind_row_options(row),
		.rule = (uint8_t)conflict->rule,
		.overlap = (uint8_t)conflict->overlap,
		.flags = row->flags & BIND_ROW_ORPHAN ? CONFLICT_F_ORPHAN : 0,
		.left_s = bind_row_seconds_left(inventory, row),
	};
	memcpy(to->local_addr, row->local_addr, sizeof(to->local_addr));
	memcpy(to->peer_addr, row->peer_addr, sizeof(to->peer_addr));
}

/*
 * The socket itself may have the port by now. And whose it is, is known of a socket only that its user has
 * made: of others nothing is said that hangs on it.
 */
static bool is_in_the_way(const struct rec_bind *bind, const struct bind_row *row,
			  const struct bind_conflict *conflict)
{
	const struct rec_socket *socket = &bind->fact.socket;
	const struct rec_task *task = &bind->fact.task;

	if (row->cookie && row->cookie == socket->cookie)
		return false;
	return conflict->rule != RULE_REUSEPORT_USER ||
	       (socket->creator_pid == task->pid && socket->creator_start_ns == task->start_ns);
}

static void put(struct rec_conflicts *record, const struct bind_inventory *inventory,
		const struct bind_conflict *conflict)
{
	if (record->n < CONFLICTS_MAX)
		fill(&record->conflicts[record->n++], inventory, conflict);
	record->total++;
}

void bind_failure_answer(const struct rec_bind *bind, const struct bind_inventory *inventory,
			 const struct bind_conflict *conflicts, size_t n_conflicts, int error,
			 struct rec_conflicts *ret_record)
{
	struct rec_conflicts record = {.fact = bind->fact, .error = (uint16_t)error};
	struct rec_header *header = &record.fact.header;

	for (unsigned rank = 0; rank <= BIND_RANK_LAST; rank++)
		for (size_t i = 0; i < n_conflicts; i++)
			if (bind_rule_rank(conflicts[i].rule) == rank &&
			    is_in_the_way(bind, &inventory->rows[conflicts[i].row], &conflicts[i]))
				put(&record, inventory, &conflicts[i]);
	header->kind = REC_CONFLICTS;
	header->size = CONFLICTS_SIZE(record.n);
	header->source = SOURCE_POLL;
	header->probe = PROBE_ITERATOR;
	header->flags &= REC_F_TASK | REC_F_SOCKET | REC_F_TID;
	*ret_record = record;
}
