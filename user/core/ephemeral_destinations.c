/* SPDX-License-Identifier: GPL-2.0-only */
/* Towards where ephemeral ports are used. */
#include "core/describe.h"
#include "core/destinations.h"
#include "core/ephemeral_spaces.h"
#include "core/slab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

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
	destination->ends = first->row->socket;
	destination->ends.local_port = 0; /* they have different ones */
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

static void wait_by_events(struct ephemeral_destination *destination, unsigned waiting)
{
	destination->time_wait = waiting;
	destination->available -= waiting < destination->available ? waiting : destination->available;
}

static void add_what_was_watched(const struct ephemeral *ephemeral, struct ephemeral_destination *destination,
				 const struct model *model, uint64_t now_ns)
{
	const struct destination_use *use = destinations_find(model_destinations(model), &destination->ends);
	bool taken_over;

	if (!use)
		return;
	destination->watched = true;
	if (ephemeral->by_events)
		wait_by_events(destination, destination_waiting(use, now_ns));
	destination->assigned_per_second = destination_rate(use, now_ns);
	destination->failed = use->failed;
	taken_over = ephemeral_takes_over(model, &destination->ends);
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
	return order ? order : memcmp(&a->ends, &b->ends, sizeof(a->ends));
}

/* n_more: as many that no connection shows may follow. */
static int group(struct ephemeral *ephemeral, const struct model *model, const struct outgoings *outgoings,
		 size_t n_more)
{
	ephemeral->destinations = slab_array(outgoings->n + n_more + 1, sizeof(*ephemeral->destinations));
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
	return 0;
}

/* --- that only events show ---------------------------------------------------------------------------------
 */

static int count_seen(void *context, const void *record, size_t size)
{
	++*(size_t *)context;
	return 0;
}

struct unseen {
	struct ephemeral *ephemeral;
	size_t n_grouped;
};

static size_t tcp_space(const struct ephemeral *ephemeral, uint32_t netns)
{
	for (size_t i = 0; i < ephemeral->n_spaces; i++)
		if (ephemeral->spaces[i].netns == netns && ephemeral->spaces[i].protocol == IPPROTO_TCP)
			return i;
	return NO_SPACE;
}

static bool is_grouped(const struct unseen *unseen, const struct rec_destination *record)
{
	for (size_t i = 0; i < unseen->n_grouped; i++) {
		const struct rec_socket *ends = &unseen->ephemeral->destinations[i].ends;

		if (ends->netns == record->netns && ends->peer_port == record->peer_port &&
		    ends->family == record->family &&
		    !memcmp(ends->peer_addr, record->peer_addr, sizeof(ends->peer_addr)) &&
		    !memcmp(ends->local_addr, record->local_addr, sizeof(ends->local_addr)))
			return true;
	}
	return false;
}

/* All of its connections have ended, in the last minute. */
static int add_unseen(void *context, const void *data, size_t size)
{
	const struct rec_destination *record = data;
	struct unseen *unseen = context;
	struct ephemeral *ephemeral = unseen->ephemeral;
	size_t space = tcp_space(ephemeral, record->netns);
	struct ephemeral_destination *destination = &ephemeral->destinations[ephemeral->n_destinations];

	if (space == NO_SPACE || is_grouped(unseen, record))
		return 0;
	destination->space = space;
	destination->ends = (struct rec_socket){.netns = record->netns,
						.peer_port = record->peer_port,
						.family = (uint8_t)record->family,
						.protocol = IPPROTO_TCP};
	memcpy(destination->ends.peer_addr, record->peer_addr, sizeof(record->peer_addr));
	memcpy(destination->ends.local_addr, record->local_addr, sizeof(record->local_addr));
	if (ephemeral->spaces[space].n_usable > ephemeral->spaces[space].n_blocked)
		destination->available =
			ephemeral->spaces[space].n_usable - ephemeral->spaces[space].n_blocked;
	ephemeral->n_destinations++;
	return 0;
}

static void add_all_unseen(struct ephemeral *ephemeral, const struct model *model)
{
	static const struct rec_header none = {0};
	struct unseen unseen = {ephemeral, ephemeral->n_destinations};

	destinations_each(model_destinations(model), &none, add_unseen, &unseen);
}

/* Nothing of it is there, nor was in the last minute. */
static void drop_empty(struct ephemeral *ephemeral)
{
	size_t kept = 0;

	for (size_t i = 0; i < ephemeral->n_destinations; i++)
		if (ephemeral->destinations[i].in_use || ephemeral->destinations[i].time_wait)
			ephemeral->destinations[kept++] = ephemeral->destinations[i];
	ephemeral->n_destinations = kept;
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

static int read_rows(struct ephemeral *ephemeral, const struct model *model, size_t n_more)
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
	error = group(ephemeral, model, &outgoings, n_more);
	free(outgoings.items);
	return error;
}

int ephemeral_read_destinations(struct ephemeral *ephemeral, const struct model *model, uint64_t now_ns)
{
	static const struct rec_header none = {0};
	size_t n_more = 0;
	int error;

	if (ephemeral->by_events)
		destinations_each(model_destinations(model), &none, count_seen, &n_more);
	error = read_rows(ephemeral, model, n_more);
	if (error)
		return error;
	if (ephemeral->by_events)
		add_all_unseen(ephemeral, model);
	for (size_t i = 0; i < ephemeral->n_destinations; i++)
		add_what_was_watched(ephemeral, &ephemeral->destinations[i], model, now_ns);
	drop_empty(ephemeral);
	qsort(ephemeral->destinations, ephemeral->n_destinations, sizeof(*ephemeral->destinations),
	      compare_urgency);
	return 0;
}
