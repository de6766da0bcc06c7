/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mirrors what the JSON views write: tests/golden compares the two on every line. Fields inside arrays are
 * not known here, only the arrays.
 */
#include "core/subject_field.h"

#include "core/subject.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>

#define OWN_PREFIX "portsnoop."

#define FIELD_LIST(X)                                                                                        \
	X(TIMESTAMP, "timestamp")                                                                            \
	X(EVENT_NAME, "event_name")                                                                          \
	X(ROW, "row")                                                                                        \
	X(TRANSPORT, "network.transport")                                                                    \
	X(TYPE, "network.type")                                                                              \
	X(LOCAL_ADDRESS, "network.local.address")                                                            \
	X(LOCAL_PORT, "network.local.port")                                                                  \
	X(PEER_ADDRESS, "network.peer.address")                                                              \
	X(PEER_PORT, "network.peer.port")                                                                    \
	X(STATE, "network.connection.state")                                                                 \
	X(PID, "process.pid")                                                                                \
	X(PARENT_PID, "process.parent_pid")                                                                  \
	X(EXECUTABLE_NAME, "process.executable.name")                                                        \
	X(EXECUTABLE_PATH, "process.executable.path")                                                        \
	X(COMMAND_LINE, "process.command_line")                                                              \
	X(USER_ID, "process.user.id")                                                                        \
	X(USER_NAME, "process.user.name")                                                                    \
	X(CGROUP, "process.linux.cgroup")                                                                    \
	X(CONTAINER_ID, "container.id")                                                                      \
	X(CONTAINER_NAME, "container.name")                                                                  \
	X(CONTAINER_RUNTIME, "container.runtime")                                                            \
	X(POD_UID, "k8s.pod.uid")                                                                            \
	X(ERROR_TYPE, "error.type")                                                                          \
	X(COMM, OWN_PREFIX "comm")                                                                           \
	X(TID, OWN_PREFIX "tid")                                                                             \
	X(UNIT, OWN_PREFIX "unit")                                                                           \
	X(PID_NS_INODE, OWN_PREFIX "pid_ns.inode")                                                           \
	X(PID_NS_PID, OWN_PREFIX "pid_ns.pid")                                                               \
	X(NETNS, OWN_PREFIX "netns")                                                                         \
	X(NETNS_NAME, OWN_PREFIX "netns_name")                                                               \
	X(COOKIE, OWN_PREFIX "cookie")                                                                       \
	X(FAMILY, OWN_PREFIX "family")                                                                       \
	X(CREATOR_PID, OWN_PREFIX "creator.pid")                                                             \
	X(PORT_REQUESTED, OWN_PREFIX "port.requested")                                                       \
	X(PORT_CLASS, OWN_PREFIX "port.class")                                                               \
	X(PORT_ASSIGNED_BY, OWN_PREFIX "port.assigned_by")                                                   \
	X(SERVICE, OWN_PREFIX "service")                                                                     \
	X(TRUNCATED, OWN_PREFIX "truncated")                                                                 \
	X(SOURCE, OWN_PREFIX "source")                                                                       \
	X(PROBE, OWN_PREFIX "probe")                                                                         \
	X(DEFERRED, OWN_PREFIX "deferred")                                                                   \
	X(LATE, OWN_PREFIX "late")                                                                           \
	X(OPTIONS, OWN_PREFIX "options")                                                                     \
	X(BACKLOG, OWN_PREFIX "backlog")                                                                     \
	X(DURATION, OWN_PREFIX "duration_ns")                                                                \
	X(QUEUE, OWN_PREFIX "queue_ns")                                                                      \
	X(SEARCH, OWN_PREFIX "search_ns")                                                                    \
	X(LISTENER, OWN_PREFIX "listener")                                                                   \
	X(REASON, OWN_PREFIX "reason")                                                                       \
	X(BYTES_SENT, OWN_PREFIX "bytes.sent")                                                               \
	X(BYTES_RECEIVED, OWN_PREFIX "bytes.received")                                                       \
	X(RETRANSMITS, OWN_PREFIX "retransmits")                                                             \
	X(RTT, OWN_PREFIX "rtt_us")                                                                          \
	X(DIRECTION, OWN_PREFIX "direction")                                                                 \
	X(ACCEPTS, OWN_PREFIX "accepts")                                                                     \
	X(STILL_BOUND, OWN_PREFIX "still_bound")                                                             \
	X(HOLDERS, OWN_PREFIX "holders")                                                                     \
	X(HOLDERS_AS_OF, OWN_PREFIX "holders_as_of")                                                         \
	X(LAST_PID, OWN_PREFIX "last_holder.process.pid")                                                    \
	X(LAST_NAME, OWN_PREFIX "last_holder.process.executable.name")                                       \
	X(LAST_USER_ID, OWN_PREFIX "last_holder.process.user.id")                                            \
	X(LAST_USER_NAME, OWN_PREFIX "last_holder.process.user.name")                                        \
	X(LAST_UNTIL, OWN_PREFIX "last_holder.until")                                                        \
	X(CONFLICTS, OWN_PREFIX "conflicts")                                                                 \
	X(CONFLICTS_LEFT_OUT, OWN_PREFIX "conflicts_left_out")                                               \
	X(AS_OF, OWN_PREFIX "as_of")                                                                         \
	X(UNKNOWN, OWN_PREFIX "unknown")                                                                     \
	X(COUNTED, OWN_PREFIX "count")                                                                       \
	X(QUEUE_LENGTH, OWN_PREFIX "accept_queue.length")                                                    \
	X(QUEUE_LIMIT, OWN_PREFIX "accept_queue.limit")                                                      \
	X(CLASS, OWN_PREFIX "class")                                                                         \
	X(AGE, OWN_PREFIX "age_ns")                                                                          \
	X(ACTIVE, OWN_PREFIX "connections.active")                                                           \
	X(PEER_PROCESS_PID, OWN_PREFIX "peer_process.pid")                                                   \
	X(PEER_PROCESS_NAME, OWN_PREFIX "peer_process.executable.name")                                      \
	X(CHANGE, OWN_PREFIX "change")                                                                       \
	X(CAUSE, OWN_PREFIX "cause")                                                                         \
	X(FD, OWN_PREFIX "fd")                                                                               \
	X(OBSERVED, OWN_PREFIX "observed")                                                                   \
	X(IN_FLIGHT, OWN_PREFIX "in_flight")

enum field {
#define X(name, text) FIELD_##name,
	FIELD_LIST(X)
#undef X
		FIELD_COUNT
};
/* A set of fields, a bit each. */
typedef unsigned __int128 fields;
_Static_assert((int)FIELD_COUNT <= 128, "a set of fields has no room");

static const char *const names[FIELD_COUNT] = {
#define X(name, text) text,
	FIELD_LIST(X)
#undef X
};

static fields field(enum field which, bool present)
{
	return present ? (fields)1 << which : 0;
}

/* --- what both have ---------------------------------------------------------------------------------------
 */

static fields network_fields(const struct subject_storage *storage, bool with_state)
{
	const struct description *description = &storage->description;
	const struct rec_socket *socket = description->socket;

	if (!socket)
		return 0;
	return field(FIELD_TRANSPORT, record_transport_name(socket->protocol)) |
	       field(FIELD_TYPE, description->family) | field(FIELD_LOCAL_ADDRESS, description->has_local) |
	       field(FIELD_LOCAL_PORT, description->has_local && description->local.port) |
	       field(FIELD_PEER_ADDRESS, description->has_peer) |
	       field(FIELD_PEER_PORT, description->has_peer && description->peer.port) |
	       field(FIELD_STATE, with_state && description->state) | field(FIELD_NETNS, socket->netns) |
	       field(FIELD_NETNS_NAME, model_netns_name(storage->model, socket->netns)) |
	       field(FIELD_COOKIE, socket->cookie) | field(FIELD_FAMILY, description->mapped) |
	       field(FIELD_SERVICE, description->service);
}

static fields counter_fields(bool known, uint32_t rtt_us)
{
	return field(FIELD_BYTES_SENT, known) | field(FIELD_BYTES_RECEIVED, known) |
	       field(FIELD_RETRANSMITS, known) | field(FIELD_RTT, known && rtt_us);
}

static fields place_fields(const struct model *model, const struct actor *actor)
{
	struct cgroup_name place;
	struct pid_ns pid_ns = {0};

	actor_place(model, actor, &place);
	actor_pid_ns(actor, &pid_ns);
	return field(FIELD_CONTAINER_ID, place.id.length) | field(FIELD_CONTAINER_NAME, place.name.length) |
	       field(FIELD_CONTAINER_RUNTIME, place.runtime) | field(FIELD_POD_UID, place.pod.length) |
	       field(FIELD_UNIT, place.unit.length) | field(FIELD_PID_NS_INODE, pid_ns.inode) |
	       field(FIELD_PID_NS_PID, pid_ns.pid);
}

static fields process_fields(const struct model *model, const struct actor *actor)
{
	if (!actor->pid)
		return 0;
	return place_fields(model, actor) | field(FIELD_PID, true) |
	       field(FIELD_PARENT_PID, actor->process && actor->process->parent_pid) |
	       field(FIELD_EXECUTABLE_NAME, actor_name(actor)) |
	       field(FIELD_EXECUTABLE_PATH, actor_path(actor)) |
	       field(FIELD_COMMAND_LINE, actor_args_length(actor)) |
	       field(FIELD_USER_ID, actor->uid != UID_UNKNOWN) |
	       field(FIELD_USER_NAME, model_user_name(model, actor->uid)) |
	       field(FIELD_CGROUP, actor->cgroup_id && model_cgroup_path(model, actor->cgroup_id)) |
	       field(FIELD_COMM, actor->comm) | field(FIELD_TRUNCATED, actor_is_cut(actor));
}

/* --- events -----------------------------------------------------------------------------------------------
 */

static fields close_fields(const struct subject_storage *storage)
{
	const struct rec_close *close = (const void *)storage->change->record.header;
	uint16_t flags = close->fact.header.flags;

	return field(FIELD_REASON, record_reason_name(close->reason)) |
	       field(FIELD_DURATION, close->duration_ns) | field(FIELD_DIRECTION, close->direction) |
	       counter_fields(flags & CLOSE_F_COUNTERS, close->rtt_us) |
	       field(FIELD_STILL_BOUND, flags & CLOSE_F_STILL_BOUND) |
	       field(FIELD_ACCEPTS, describe_accepts_known(storage->change)) |
	       field(FIELD_HOLDERS, !storage->actor.pid && storage->row && storage->row->n_holders);
}

static fields peer_process_fields(const struct subject_storage *storage)
{
	struct actor actor = describe_process(model_peer_process(storage->model, storage->row));

	return field(FIELD_PEER_PROCESS_PID, actor.pid) | field(FIELD_PEER_PROCESS_NAME, actor_name(&actor));
}

static fields holder_fields(const struct holder_event *event)
{
	if (!event)
		return 0;
	return field(FIELD_CHANGE, true) | field(FIELD_CAUSE, true) |
	       field(FIELD_FD, event->holder->fd >= 0) | field(FIELD_OBSERVED, event->observed);
}

static fields conflicts_fields(const struct rec_conflicts *record)
{
	return field(FIELD_UNKNOWN, record->error) | field(FIELD_AS_OF, !record->error) |
	       field(FIELD_CONFLICTS, !record->error) |
	       field(FIELD_CONFLICTS_LEFT_OUT, record->total > record->n);
}

static fields kind_fields(const struct subject_storage *storage)
{
	const struct rec_header *header = storage->change->record.header;
	const struct rec_bind *bind = (const void *)header;
	const struct rec_connect *connect = (const void *)header;
	const struct rec_accept *accept = (const void *)header;

	switch (header->kind) {
	case REC_BIND:
		return field(FIELD_PORT_REQUESTED, header->flags & BIND_F_REQUESTED) |
		       field(FIELD_DEFERRED, header->flags & BIND_F_DEFERRED) |
		       field(FIELD_SEARCH, bind->search_ns) |
		       field(FIELD_OPTIONS,
			     storage->description.socket && storage->description.socket->options);
	case REC_LISTEN:
		return field(FIELD_BACKLOG, !storage->description.error);
	case REC_CONNECT:
		return field(FIELD_DURATION, connect->duration_ns) | field(FIELD_SEARCH, connect->search_ns) |
		       peer_process_fields(storage);
	case REC_ACCEPT:
		return field(FIELD_QUEUE, accept->queue_ns) | field(FIELD_LISTENER, accept->listener) |
		       peer_process_fields(storage);
	case REC_HOLDER:
		return holder_fields(storage->change->holder);
	case REC_CLOSE:
		return close_fields(storage);
	case REC_CONFLICTS:
		return conflicts_fields((const void *)header);
	case REC_OVERFLOW:
		return field(FIELD_COUNTED, true) | field(FIELD_QUEUE_LENGTH, true) |
		       field(FIELD_QUEUE_LIMIT, true);
	default:
		return field(FIELD_COUNTED, header->kind == REC_REFUSE);
	}
}

static fields event_fields(const struct subject_storage *storage)
{
	const struct rec_header *header = storage->change->record.header;
	const struct description *description = &storage->description;

	return field(FIELD_TIMESTAMP, true) | field(FIELD_EVENT_NAME, true) | field(FIELD_SOURCE, true) |
	       field(FIELD_PROBE, header->probe) | field(FIELD_LATE, header->flags & REC_F_LATE) |
	       field(FIELD_TRUNCATED, header->flags & REC_F_TRUNCATED) |
	       field(FIELD_PORT_CLASS, description->port_class) |
	       field(FIELD_PORT_ASSIGNED_BY, description->assigned_by) |
	       field(FIELD_CREATOR_PID, description->creator_pid) |
	       field(FIELD_ERROR_TYPE, description->error) |
	       network_fields(storage, header->kind == REC_CLOSE) |
	       process_fields(storage->model, &storage->actor) |
	       field(FIELD_TID, storage->actor.pid && header->flags & REC_F_TID) | kind_fields(storage);
}

/* --- rows -------------------------------------------------------------------------------------------------
 */

static fields last_holder_fields(const struct subject_storage *storage)
{
	const struct past_holder *holder = describe_last_holder(storage->model, storage->row);
	struct actor actor;

	if (!holder)
		return 0;
	actor = describe_past_holder(storage->model, holder);
	return field(FIELD_LAST_PID, true) | field(FIELD_LAST_NAME, actor_name(&actor)) |
	       field(FIELD_LAST_USER_ID, actor.uid != UID_UNKNOWN) |
	       field(FIELD_LAST_USER_NAME, model_user_name(storage->model, actor.uid)) |
	       field(FIELD_LAST_UNTIL, true);
}

/* A row of a process. */
static fields only_fields(const struct subject_storage *storage)
{
	struct actor actor;

	if (!storage->only)
		return 0;
	actor = describe_holder(storage->model, storage->only);
	return process_fields(storage->model, &actor);
}

static fields row_fields(const struct subject_storage *storage)
{
	const struct socket_row *row = storage->row;
	fields set = field(FIELD_ROW, true) | network_fields(storage, true) | only_fields(storage) |
		     field(FIELD_HOLDERS, !row->orphan) | field(FIELD_HOLDERS_AS_OF, !row->orphan) |
		     field(FIELD_IN_FLIGHT, !row->orphan && describe_in_flight(row));

	if (socket_row_kind(&row->socket) == ROW_CONNECTION)
		return set | field(FIELD_DIRECTION, storage->subject.direction) |
		       field(FIELD_AGE, row->since_ns) | last_holder_fields(storage) |
		       peer_process_fields(storage) |
		       counter_fields(describe_row_has_counters(row), row->rtt_us);
	return set | field(FIELD_CLASS, storage->description.port_class) |
	       field(FIELD_OPTIONS, row->socket.options) | field(FIELD_QUEUE_LENGTH, row->queue_limit) |
	       field(FIELD_QUEUE_LIMIT, row->queue_limit) |
	       field(FIELD_ACTIVE, row->socket.state == TCP_LISTEN);
}

/* --- names ------------------------------------------------------------------------------------------------
 */

/* Whether name is asked or a part of it. */
static bool name_answers(const char *name, const char *asked)
{
	size_t length = strlen(asked);

	return !strncmp(name, asked, length) && (!name[length] || name[length] == '.');
}

static fields fields_meant(const char *asked)
{
	fields set = 0;

	for (int i = 0; i < FIELD_COUNT; i++) {
		bool own = !strncmp(names[i], OWN_PREFIX, strlen(OWN_PREFIX));

		set |= field(i, name_answers(names[i], asked) ||
					(own && name_answers(names[i] + strlen(OWN_PREFIX), asked)));
	}
	return set;
}

bool subject_has_field(const void *context, const char *asked)
{
	const struct subject_storage *storage = context;
	fields present = storage->change ? event_fields(storage) : row_fields(storage);

	return fields_meant(asked) & present;
}

bool subject_field_exists(const char *asked)
{
	return fields_meant(asked);
}

const char *subject_field_name(size_t index)
{
	return index < FIELD_COUNT ? names[index] : NULL;
}
