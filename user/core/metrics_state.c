/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metrics_state.h"

#include "core/describe.h"
#include "core/ephemeral.h"
#include "core/metrics_labels.h"
#include "core/table.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define LISTENING_MAX (1u << 20)

struct telling {
	struct metrics *metrics;
	const struct model *model;
	const struct filter *filter;
	struct table *listening; /* local ports of TCP listeners, by namespace */
	int error;
};

struct listening {
	uint32_t netns, port;
};

static bool listening_equal(const void *row, const void *key)
{
	const struct listening *a = row, *b = key;

	return a->netns == b->netns && a->port == b->port;
}

static uint64_t listening_hash(const struct listening *place)
{
	return table_hash(place->netns, place->port);
}

static int note_listener(const struct socket_row *row, void *context)
{
	const struct listening place = {row->socket.netns, row->socket.local_port};
	struct telling *telling = context;
	struct listening *made;

	if (row->socket.protocol != IPPROTO_TCP || row->socket.state != TCP_LISTEN ||
	    table_find(telling->listening, listening_hash(&place), &place))
		return 0;
	made = table_add(telling->listening, listening_hash(&place));
	if (!made)
		return -ENOMEM;
	*made = place;
	return 0;
}

/* --- a socket ---------------------------------------------------------------------------------------------
 */

/* The process that has held it for the longest gives its name. */
static struct labels_of labels_of_row(const struct telling *telling, const struct socket_row *row)
{
	struct labels_of of = {.netns = row->socket.netns, .protocol = row->socket.protocol};
	struct actor actor;

	if (!row->holders)
		return of;
	actor = describe_holder(telling->model, row->holders);
	of.executable = actor_name(&actor);
	of.cgroup = actor.cgroup_id ? model_cgroup_path(telling->model, actor.cgroup_id) : NULL;
	return of;
}

/* A UDP socket without a peer serves, unless the kernel chose its port for somebody who only asks. */
static bool serves(const struct model *model, const struct socket_row *row)
{
	const struct rec_socket *socket = &row->socket;
	uint16_t low, high;

	if (socket->protocol == IPPROTO_TCP)
		return socket->state == TCP_LISTEN;
	if (socket->protocol != IPPROTO_UDP || socket->peer_port || !socket->local_port)
		return false;
	if (row->port_read)
		return row->chosen;
	model_ephemeral_ports(model, socket->netns, &low, &high);
	return socket->local_port < low || socket->local_port > high;
}

static void tell_listener(const struct telling *telling, const struct socket_row *row)
{
	const struct endpoint local = endpoint_local(&row->socket);
	struct labels_of of = labels_of_row(telling, row);
	struct metrics *metrics = telling->metrics;
	struct labels_room room;

	of.local = &local;
	of.local_port = local.port;
	of.state = socket_state_name(&row->socket, local.port);
	labels_fill(&room, telling->model, &of);
	if (!filter_match(telling->filter, &room.subject))
		return;
	metrics_add(metrics, FAMILY_LISTENERS, &room.labels, 1);
	metrics_add(metrics, FAMILY_LISTENER_PROCESSES, &room.labels, row->n_holders);
	if (row->socket.protocol != IPPROTO_TCP || !row->queue_limit)
		return;
	metrics_add(metrics, FAMILY_QUEUE_LENGTH, &room.labels, row->queue_length);
	metrics_add(metrics, FAMILY_QUEUE_LIMIT, &room.labels, row->queue_limit);
}

/* As events say it; of one that only walks have seen, whether somebody listens on its port. */
static uint8_t direction_of(const struct telling *telling, const struct socket_row *row)
{
	const struct listening place = {row->socket.netns, row->socket.local_port};
	uint16_t low, high;

	if (row->direction != DIRECTION_UNKNOWN)
		return row->direction;
	if (table_find(telling->listening, listening_hash(&place), &place))
		return DIRECTION_IN;
	model_ephemeral_ports(telling->model, place.netns, &low, &high);
	return place.port >= low && place.port <= high ? DIRECTION_OUT : DIRECTION_UNKNOWN;
}

static void tell_connection(const struct telling *telling, const struct socket_row *row)
{
	struct labels_of of = labels_of_row(telling, row);
	struct labels_room room;

	of.direction = direction_of(telling, row);
	of.state = socket_state_name(&row->socket, row->socket.local_port);
	if (of.direction == DIRECTION_IN)
		of.local_port = row->socket.local_port;
	else if (of.direction == DIRECTION_OUT)
		of.server_port = row->socket.peer_port;
	labels_fill(&room, telling->model, &of);
	if (filter_match(telling->filter, &room.subject))
		metrics_add(telling->metrics, FAMILY_CONNECTIONS, &room.labels, 1);
}

static void tell_of_netns(const struct telling *telling, enum metric_family family, uint32_t netns,
			  uint16_t protocol, double value)
{
	const struct labels_of of = {.netns = netns, .protocol = protocol};
	struct labels_room room;

	labels_fill(&room, telling->model, &of);
	if (filter_match(telling->filter, &room.subject))
		metrics_add(telling->metrics, family, &room.labels, value);
}

static int tell_row(const struct socket_row *row, void *context)
{
	const struct telling *telling = context;

	if (row->absent && !row->touched_ns) /* the last walk did not find it, and no event will tell */
		return 0;
	if (serves(telling->model, row))
		tell_listener(telling, row);
	if (row->socket.protocol != IPPROTO_TCP || socket_row_kind(&row->socket) != ROW_CONNECTION)
		return 0;
	tell_connection(telling, row);
	if (row->socket.state == TCP_TIME_WAIT)
		tell_of_netns(telling, FAMILY_TIME_WAIT, row->socket.netns, IPPROTO_TCP, 1);
	return 0;
}

/* --- ephemeral ports --------------------------------------------------------------------------------------
 */

static double fullest(const struct ephemeral *ephemeral, uint32_t netns)
{
	double most = 0;

	for (size_t i = 0; i < ephemeral->n_destinations; i++) {
		const struct ephemeral_destination *destination = &ephemeral->destinations[i];
		double ratio = ephemeral_used_ratio(ephemeral, destination);

		if (ephemeral->spaces[destination->space].netns == netns && ratio > most)
			most = ratio;
	}
	return most;
}

/* The range of TCP and UDP is the same. Where it was not told, nothing is known of it. */
static int tell_ephemeral(const struct telling *telling, uint64_t now_ns)
{
	struct ephemeral ephemeral;
	int error = ephemeral_read(telling->model, 0, now_ns, false, &ephemeral);

	for (size_t i = 0; i < ephemeral.n_spaces && !error; i++) {
		const struct ephemeral_space *space = &ephemeral.spaces[i];

		if (!space->range_known)
			continue;
		tell_of_netns(telling, FAMILY_EPHEMERAL_IN_USE, space->netns, space->protocol,
			      space->n_in_use);
		if (space->protocol != IPPROTO_TCP)
			continue;
		tell_of_netns(telling, FAMILY_RANGE, space->netns, IPPROTO_TCP, space->n_usable);
		tell_of_netns(telling, FAMILY_TIME_WAIT, space->netns, IPPROTO_TCP, 0);
		tell_of_netns(telling, FAMILY_DESTINATION_RATIO, space->netns, IPPROTO_TCP,
			      fullest(&ephemeral, space->netns));
	}
	if (!error)
		ephemeral_free(&ephemeral);
	return error;
}

int metrics_state_tell(struct metrics *metrics, const struct model *model, const struct filter *filter,
		       uint64_t now_ns)
{
	struct telling telling = {.metrics = metrics, .model = model, .filter = filter};
	int error;

	telling.listening = table_new(sizeof(struct listening), LISTENING_MAX, listening_equal);
	if (!telling.listening)
		return -ENOMEM;
	error = model_each_socket(model, note_listener, &telling);
	if (!error)
		error = model_each_socket(model, tell_row, &telling);
	table_free(telling.listening);
	return error ? error : tell_ephemeral(&telling, now_ns);
}

/* --- events -----------------------------------------------------------------------------------------------
 */

static void count_overflow(const struct telling *telling, const struct change *change)
{
	const struct rec_overflow *record = (const void *)change->record.header;
	const struct endpoint local = endpoint_local(&record->fact.socket);
	struct labels_of of = {.netns = record->fact.socket.netns, .protocol = record->fact.socket.protocol};
	struct labels_room room;

	if (change->socket)
		of = labels_of_row(telling, change->socket);
	of.local = &local;
	of.local_port = local.port;
	labels_fill(&room, telling->model, &of);
	if (filter_match(telling->filter, &room.subject))
		metrics_add(telling->metrics, FAMILY_OVERFLOWS, &room.labels, (double)record->count);
}

static void count_repairs(struct metrics *metrics, const struct rec_resync *record)
{
	struct metric_labels labels = {{NULL}};

	labels.value[LABEL_REASON] = "loss";
	metrics_add(metrics, FAMILY_RESYNCS, &labels, 1);
	labels.value[LABEL_CHANGE] = "added";
	metrics_add(metrics, FAMILY_RESYNC_REPAIRS, &labels, record->added);
	labels.value[LABEL_CHANGE] = "removed";
	metrics_add(metrics, FAMILY_RESYNC_REPAIRS, &labels, record->removed);
	labels.value[LABEL_CHANGE] = "owner_changed";
	metrics_add(metrics, FAMILY_RESYNC_REPAIRS, &labels, record->owner_changed);
}

void metrics_state_count(struct metrics *metrics, const struct model *model, const struct filter *filter,
			 const struct change *change)
{
	const struct telling telling = {.metrics = metrics, .model = model, .filter = filter};

	if (change->record.header->kind == REC_OVERFLOW)
		count_overflow(&telling, change);
	else if (change->record.header->kind == REC_RESYNC)
		count_repairs(metrics, (const void *)change->record.header);
}
