/* SPDX-License-Identifier: GPL-2.0-only */
/* Who uses ephemeral ports, and towards where. */
#include "core/describe.h"
#include "core/destinations.h"
#include "core/ephemeral_spaces.h"
#include "core/slab.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* --- destinations -----------------------------------------------------------------------------------------
 */

/* Outgoing connections, to be sorted by destination, then port. */
struct outgoing {
	const struct socket_row *row;
	size_t space;
};

struct outgoings {
	const struct ephemeral *ephemeral;
	struct outgoing *items;
	size_t n;
};

static int compare_destinations(const struct outgoing *a, const struct outgoing *b)
{
	const struct rec_socket *first = &a->row->socket, *second = &b->row->socket;
	int order = COMPARE(a->space, b->space);

	if (!order)
		order = COMPARE(first->family, second->family);
	if (!order)
		order = COMPARE(first->peer_port, second->peer_port);
	if (!order)
		order = memcmp(first->peer_addr, second->peer_addr, sizeof(first->peer_addr));
	return order ? order : memcmp(first->local_addr, second->local_addr, sizeof(first->local_addr));
}

static int compare_outgoings(const void *left, const void *right)
{
	const struct outgoing *a = left, *b = right;
	int order = compare_destinations(a, b);

	return order ? order : COMPARE(a->row->socket.local_port, b->row->socket.local_port);
}

static int count_outgoing(const struct socket_row *row, void *context)
{
	*(size_t *)context += row->socket.peer_port != 0;
	return 0;
}

static int take_outgoing(const struct socket_row *row, void *context)
{
	struct outgoings *outgoings = context;
	size_t space = ephemeral_space_of(outgoings->ephemeral, &row->socket);

	if (space != NO_SPACE && ephemeral_is_outgoing(&outgoings->ephemeral->spaces[space], row))
		outgoings->items[outgoings->n++] = (struct outgoing){row, space};
	return 0;
}

struct vote {
	const struct process *process;
	unsigned votes;
};

/* The majority's candidate (Boyer and Moore): whoever has more than half comes out. */
static void vote(struct vote *vote, const struct model *model, const struct socket_row *row)
{
	const struct past_holder *past = row->holders ? NULL : describe_last_holder(model, row);
	const struct process *process = row->holders ? row->holders->process
					: past	     ? model_process(model, past->pid, past->start_ns)
						     : NULL;

	if (!process)
		return;
	if (!vote->votes)
		vote->process = process;
	if (vote->process == process)
		vote->votes++;
	else
		vote->votes--;
}

/* One destination: from the first of its connections to the one before `end`. */
static void describe(struct ephemeral_destination *destination, const struct model *model,
		     const struct ephemeral_space *space, const struct outgoing *first,
		     const struct outgoing *end)
{
	unsigned shared = 0;
	struct vote most = {0};
	uint16_t before = 0;

	destination->space = first->space;
	destination->sample = first->row;
	for (const struct outgoing *at = first; at < end; at++) {
		uint16_t port = at->row->socket.local_port;

		if (at->row->socket.state == TCP_TIME_WAIT)
			destination->time_wait++;
		else
			destination->in_use++;
		vote(&most, model, at->row);
		if (port != before && !port_set_has(&space->exclusive, port) &&
		    !port_set_has(&space->reserved, port))
			shared++;
		before = port;
	}
	destination->process = most.process;
	if (space->n_usable > space->n_blocked + shared)
		destination->available = space->n_usable - space->n_blocked - shared;
}

static void add_what_was_watched(struct ephemeral_destination *destination, const struct model *model,
				 uint64_t now_ns)
{
	const struct destination_use *use =
		destinations_find(model_destinations(model), &destination->sample->socket);
	bool taken_over;

	if (!use)
		return;
	destination->watched = true;
	destination->assigned_per_second = destination_rate(use, now_ns);
	destination->failed = use->failed;
	taken_over = ephemeral_takes_over(model, destination->sample);
	destination->will_be_exhausted = destination_exhausted_in(
		use, now_ns, destination->available + (taken_over ? destination->time_wait : 0), taken_over,
		&destination->exhausted_in_seconds);
}

static int compare_urgency(const void *left, const void *right)
{
	const struct ephemeral_destination *a = left, *b = right;
	int order = COMPARE(a->available, b->available);

	if (!order)
		order = COMPARE(b->in_use + b->time_wait, a->in_use + a->time_wait);
	if (!order)
		order = COMPARE(a->space, b->space);
	return order ? order : COMPARE(a->sample->socket.cookie, b->sample->socket.cookie);
}

static int group(struct ephemeral *ephemeral, const struct model *model, const struct outgoings *outgoings)
{
	ephemeral->destinations = slab_array(outgoings->n + 1, sizeof(*ephemeral->destinations));
	if (!ephemeral->destinations)
		return -ENOMEM;
	for (size_t i = 0, end; i < outgoings->n; i = end) {
		const struct outgoing *first = &outgoings->items[i];

		for (end = i + 1; end < outgoings->n; end++)
			if (compare_destinations(first, &outgoings->items[end]))
				break;
		describe(&ephemeral->destinations[ephemeral->n_destinations++], model,
			 &ephemeral->spaces[first->space], first, &outgoings->items[end]);
	}
	qsort(ephemeral->destinations, ephemeral->n_destinations, sizeof(*ephemeral->destinations),
	      compare_urgency);
	return 0;
}

int ephemeral_read_destinations(struct ephemeral *ephemeral, const struct model *model, uint64_t now_ns)
{
	struct outgoings outgoings = {.ephemeral = ephemeral};
	size_t most = 0;
	int error;

	model_each_socket(model, count_outgoing, &most);
	outgoings.items = slab_array(most + 1, sizeof(*outgoings.items));
	if (!outgoings.items)
		return -ENOMEM;
	model_each_socket(model, take_outgoing, &outgoings);
	qsort(outgoings.items, outgoings.n, sizeof(*outgoings.items), compare_outgoings);
	error = group(ephemeral, model, &outgoings);
	free(outgoings.items);
	for (size_t i = 0; i < ephemeral->n_destinations; i++)
		add_what_was_watched(&ephemeral->destinations[i], model, now_ns);
	return error;
}

/* --- consumers --------------------------------------------------------------------------------------------
 */

/* A process has a port. */
struct possession {
	const struct process *process;
	size_t space;
	uint16_t port;
	bool exclusive, bound_before;
};

struct possessions {
	const struct ephemeral *ephemeral;
	struct possession *items;
	size_t n;
};

static int count_holders(const struct socket_row *row, void *context)
{
	*(size_t *)context += row->n_holders;
	return 0;
}

/* By bind to any port, and connected since: a connect without a bind would have shared it. */
static bool was_bound_before(const struct ephemeral_space *space, const struct socket_row *row)
{
	return ephemeral_is_outgoing(space, row) && row->port_read && row->exclusive && !row->chosen;
}

static int take_possession(const struct socket_row *row, void *context)
{
	struct possessions *possessions = context;
	size_t index = ephemeral_space_of(possessions->ephemeral, &row->socket);
	const struct ephemeral_space *space;

	if (index == NO_SPACE)
		return 0;
	space = &possessions->ephemeral->spaces[index];
	for (const struct holder *holder = row->holders; holder; holder = holder->next)
		possessions->items[possessions->n++] = (struct possession){
			.process = holder->process,
			.space = index,
			.port = row->socket.local_port,
			.exclusive = port_set_has(&space->exclusive, row->socket.local_port),
			.bound_before = was_bound_before(space, row),
		};
	return 0;
}

static int compare_owners(const struct possession *a, const struct possession *b)
{
	int order = COMPARE(a->process->pid, b->process->pid);

	if (!order)
		order = COMPARE(a->process->start_ns, b->process->start_ns);
	return order ? order : COMPARE(a->space, b->space);
}

static int compare_possessions(const void *left, const void *right)
{
	const struct possession *a = left, *b = right;
	int order = compare_owners(a, b);

	if (!order)
		order = COMPARE(a->port, b->port);
	return order ? order : COMPARE(b->bound_before, a->bound_before); /* the first of a port counts */
}

static int compare_consumers(const void *left, const void *right)
{
	const struct ephemeral_consumer *a = left, *b = right;
	int order = COMPARE(b->in_use, a->in_use);

	if (!order)
		order = COMPARE(a->process->pid, b->process->pid);
	return order ? order : COMPARE(a->space, b->space);
}

static int count_possessions(struct ephemeral *ephemeral, const struct possessions *possessions)
{
	struct ephemeral_consumer *consumer = NULL;
	const struct possession *before = NULL;

	ephemeral->consumers = slab_array(possessions->n + 1, sizeof(*ephemeral->consumers));
	if (!ephemeral->consumers)
		return -ENOMEM;
	for (size_t i = 0; i < possessions->n; i++) {
		const struct possession *item = &possessions->items[i];

		if (!before || compare_owners(before, item)) {
			consumer = &ephemeral->consumers[ephemeral->n_consumers++];
			*consumer =
				(struct ephemeral_consumer){.space = item->space, .process = item->process};
		} else if (before->port == item->port) {
			continue;
		}
		consumer->in_use++;
		consumer->exclusive += item->exclusive;
		consumer->bound_before += item->bound_before;
		before = item;
	}
	qsort(ephemeral->consumers, ephemeral->n_consumers, sizeof(*ephemeral->consumers), compare_consumers);
	return 0;
}

int ephemeral_read_consumers(struct ephemeral *ephemeral, const struct model *model)
{
	struct possessions possessions = {.ephemeral = ephemeral};
	size_t most = 0;
	int error;

	model_each_socket(model, count_holders, &most);
	possessions.items = slab_array(most + 1, sizeof(*possessions.items));
	if (!possessions.items)
		return -ENOMEM;
	model_each_socket(model, take_possession, &possessions);
	qsort(possessions.items, possessions.n, sizeof(*possessions.items), compare_possessions);
	error = count_possessions(ephemeral, &possessions);
	free(possessions.items);
	return error;
}
