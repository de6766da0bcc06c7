/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/holders.h"

#include "core/describe.h"
#include "core/pool.h"

#include <stdlib.h>

#define HOLDERS_MAX 4096u /* of one socket */

struct holders {
	struct pool *pool;
	struct past *past;
	model_holder_fn *callback;
	void *context;
	uint64_t left_out;
};

struct holders *holders_new(size_t limit, struct past *past)
{
	struct holders *holders = calloc(1, sizeof(*holders));

	if (!holders)
		return NULL;
	holders->past = past;
	holders->pool = pool_new(sizeof(struct holder), limit);
	if (!holders->pool) {
		free(holders);
		return NULL;
	}
	return holders;
}

void holders_free(struct holders *holders)
{
	if (!holders)
		return;
	pool_free(holders->pool);
	free(holders);
}

void holders_tell(struct holders *holders, model_holder_fn *callback, void *context)
{
	holders->callback = callback;
	holders->context = context;
}

static void tell(const struct holders *holders, const struct holder *holder, bool added,
		 enum holder_change change, bool observed, uint64_t time_ns)
{
	const struct holder_event event = {
		.socket = holder->socket,
		.holder = holder,
		.time_ns = time_ns,
		.change = change,
		.added = added,
		.observed = observed,
	};

	if (holders->callback)
		holders->callback(holders->context, &event);
}

/* Looks where there is less to look through. */
struct holder *holders_find(const struct socket_row *row, const struct process *process)
{
	if (row->n_holders <= process->n_held) {
		for (struct holder *h = row->holders; h; h = h->next)
			if (h->process == process)
				return h;
	} else {
		for (struct holder *h = process->held; h; h = h->next_held)
			if (h->socket == row)
				return h;
	}
	return NULL;
}

/* At the end of the socket's list, so that holders stay in the order in which they came. */
static void link_edge(struct holder *holder)
{
	struct process *process = holder->process;
	struct holder **last = &holder->socket->holders;

	while (*last)
		last = &(*last)->next;
	*last = holder;
	holder->socket->n_holders++;
	holder->next_held = process->held;
	if (process->held)
		process->held->prev_held = holder;
	process->held = holder;
	process->n_held++;
	process->has_held = true;
}

static void unlink_edge(struct holder *holder)
{
	struct holder **at = &holder->socket->holders;

	while (*at != holder)
		at = &(*at)->next;
	*at = holder->next;
	holder->socket->n_holders--;
	if (holder->prev_held)
		holder->prev_held->next_held = holder->next_held;
	else
		holder->process->held = holder->next_held;
	if (holder->next_held)
		holder->next_held->prev_held = holder->prev_held;
	holder->process->n_held--;
}

struct holder *holders_add(struct holders *holders, struct socket_row *row, struct process *process,
			   const struct holding *holding)
{
	struct holder *holder;

	if (process->exited)
		return NULL;
	holder = holders_find(row, process);
	if (holder) {
		if (holder->fd < 0)
			holder->fd = holding->fd;
		return holder;
	}
	holder = row->n_holders < HOLDERS_MAX ? pool_get(holders->pool) : NULL;
	if (!holder) {
		holders->left_out++;
		return NULL;
	}
	holder->socket = row;
	holder->process = process;
	holder->since_ns = holding->since_ns;
	holder->fd = holding->fd;
	holder->cause = (uint8_t)holding->cause;
	link_edge(holder);
	tell(holders, holder, true, holding->change, holding->observed, holding->since_ns);
	return holder;
}

void holders_remove(struct holders *holders, struct holder *holder, enum holder_change change, bool observed,
		    uint64_t time_ns)
{
	struct past_holder past = past_holder_of(holder->process, time_ns);

	unlink_edge(holder);
	if (!holder->socket->holders)
		past_put_socket(holders->past, &holder->socket->socket, &past);
	tell(holders, holder, false, change, observed, time_ns);
	pool_put(holders->pool, holder);
}

static void drop(struct holders *holders, struct holder *holder)
{
	unlink_edge(holder);
	pool_put(holders->pool, holder);
}

void holders_drop_socket(struct holders *holders, struct socket_row *row)
{
	while (row->holders)
		drop(holders, row->holders);
}

void holders_drop_process(struct holders *holders, struct process *process)
{
	while (process->held)
		drop(holders, process->held);
}

size_t holders_count(const struct holders *holders)
{
	return pool_count(holders->pool);
}

uint64_t holders_left_out(const struct holders *holders)
{
	return holders->left_out;
}

static void add_held(struct let_go *let_go, const struct process *process, bool ports)
{
	for (const struct holder *held = process->held; held && let_go->n < LET_GO_MAX;
	     held = held->next_held)
		if ((socket_row_kind(&held->socket->socket) == ROW_PORT) == ports)
			let_go->rows[let_go->n++] = held->socket;
}

struct let_go holders_held(const struct process *process)
{
	struct let_go let_go = {.n = 0};

	add_held(&let_go, process, true);
	add_held(&let_go, process, false);
	return let_go;
}
