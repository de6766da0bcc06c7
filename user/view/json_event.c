/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON line of an event. Which fields there are is said by core/describe.h and by the record. */
#include "view/json_parts.h"

static void json_port(struct json_writer *w, const struct record *record,
		      const struct description *description)
{
	const struct rec_bind *bind = (const void *)record->header;
	bool requested = record->header->kind == REC_BIND && record->header->flags & BIND_F_REQUESTED;

	if (!requested && !description->port_class && !description->assigned_by)
		return;
	json_object(w, "port");
	if (requested)
		json_uint(w, "requested", bind->requested_port);
	json_string(w, "class", description->port_class);
	json_string(w, "assigned_by", description->assigned_by);
	json_object_end(w);
}

static void json_creator(struct json_writer *w, uint32_t pid)
{
	if (!pid)
		return;
	json_object(w, "creator");
	json_uint(w, "pid", pid);
	json_object_end(w);
}

/* What any fact has under `portsnoop` of its socket. */
static void json_socket_fields(struct json_writer *w, const struct model *model, const struct record *record,
			       const struct description *description, const struct view_options *options)
{
	if (!description->socket)
		return;
	json_netns(w, model, description->socket->netns, options);
	json_known(w, "cookie", description->socket->cookie);
	if (description->mapped)
		json_string(w, "family", "inet6");
	json_creator(w, description->creator_pid);
	json_port(w, record, description);
	if (!options->numeric)
		json_string(w, "service", description->service);
}

/* --- by kind ----------------------------------------------------------------------------------------------
 */

static void json_close_fields(struct json_writer *w, const struct model *model, const struct change *change,
			      const struct view_options *options)
{
	const struct rec_close *close = (const void *)change->record.header;
	uint16_t flags = close->fact.header.flags;

	json_string(w, "reason", record_reason_name(close->reason));
	json_known(w, "duration_ns", close->duration_ns);
	json_string(w, "direction", direction_name(close->direction));
	if (flags & CLOSE_F_COUNTERS)
		json_counters(w, close->bytes_sent, close->bytes_received, close->retransmits, close->rtt_us);
	if (describe_accepts_known(change))
		json_uint(w, "accepts", change->socket->accepts);
	if (flags & CLOSE_F_STILL_BOUND)
		json_bool(w, "still_bound", true);
	if (!change->record.task && change->socket && change->socket->n_holders)
		json_holders(w, model, change->socket, options);
}

static void json_bind_fields(struct json_writer *w, const struct record *record)
{
	if (record->header->flags & BIND_F_DEFERRED)
		json_bool(w, "deferred", true);
	json_known(w, "search_ns", ((const struct rec_bind *)record->header)->search_ns);
	if (record->socket)
		json_options(w, record->socket->options);
}

static void json_holder_fields(struct json_writer *w, const struct holder_event *event)
{
	json_string(w, "change", event->added ? "added" : "removed");
	json_string(w, "cause", holder_change_name(event->change));
	if (event->holder->fd >= 0)
		json_uint(w, "fd", (uint64_t)event->holder->fd);
	if (event->observed)
		json_bool(w, "observed", true);
}

static void json_kind_fields(struct json_writer *w, const struct model *model, const struct change *change,
			     const struct view_tally *tally, const struct view_options *options)
{
	const struct rec_header *header = change->record.header;
	const struct rec_listen *listen = (const void *)header;
	const struct rec_connect *connect = (const void *)header;
	const struct rec_accept *accept = (const void *)header;
	const struct rec_overflow *overflow = (const void *)header;

	switch (header->kind) {
	case REC_BIND:
		json_bind_fields(w, &change->record);
		break;
	case REC_LISTEN:
		if (!listen->error)
			json_uint(w, "backlog", listen->backlog);
		break;
	case REC_CONNECT:
		json_known(w, "duration_ns", connect->duration_ns);
		json_known(w, "search_ns", connect->search_ns);
		json_peer_process(w, model, change->socket);
		break;
	case REC_ACCEPT:
		json_peer_process(w, model, change->socket);
		json_known(w, "queue_ns", accept->queue_ns);
		json_known(w, "listener", accept->listener);
		break;
	case REC_CLOSE:
		json_close_fields(w, model, change, options);
		break;
	case REC_HOLDER:
		json_holder_fields(w, change->holder);
		break;
	case REC_REFUSE:
		json_uint(w, "count", ((const struct rec_refuse *)header)->count);
		break;
	case REC_OVERFLOW:
		json_accept_queue(w, overflow->queue_length, overflow->queue_limit);
		json_uint(w, "count", overflow->count);
		break;
	case REC_CONFLICTS:
		json_conflicts(w, model, (const void *)header, options);
		break;
	default:
		json_trace_fields(w, model, change, tally);
	}
}

/* --- the line ---------------------------------------------------------------------------------------------
 */

static void json_error(struct json_writer *w, int error)
{
	char text[ERROR_TYPE_MAX];

	if (error)
		json_wrapped(w, "error", "type", error_type(error, text));
}

static void json_actor(struct json_writer *w, const struct record *record, const struct actor *actor,
		       const struct cgroup_name *place)
{
	if (!actor->pid)
		return;
	json_string(w, "comm", actor->comm);
	if (record->header->flags & REC_F_TID)
		json_known(w, "tid", record->task->tid);
	json_surroundings(w, place, actor);
}

static void json_own(struct json_writer *w, const struct model *model, const struct change *change,
		     const struct description *description, const struct cgroup_name *place,
		     const struct view_tally *tally, const struct view_options *options)
{
	const struct rec_header *header = change->record.header;
	struct actor actor = describe_actor(change);

	json_object(w, "portsnoop");
	json_actor(w, &change->record, &actor, place);
	json_socket_fields(w, model, &change->record, description, options);
	json_kind_fields(w, model, change, tally, options);
	if (header->flags & REC_F_LATE)
		json_bool(w, "late", true);
	if (header->flags & REC_F_TRUNCATED || actor_is_cut(&actor))
		json_bool(w, "truncated", true);
	json_string(w, "source", record_source_name(header->source));
	if (header->probe)
		json_string(w, "probe", record_probe_name(header->probe));
	json_object_end(w);
}

void event_json(struct json_writer *w, const struct model *model, const struct change *change,
		const struct view_tally *tally, const struct view_options *options)
{
	const struct rec_header *header = change->record.header;
	struct actor actor = describe_actor(change);
	struct description description;
	struct cgroup_name place;

	if (!record_is_public(header->kind) && !change->holder)
		return;
	describe_change(model, change, &description);
	actor_place(model, &actor, &place);
	json_object(w, NULL);
	json_time(w, "timestamp", model_wall_ns(model, header->time_ns));
	json_string(w, "event_name", record_kind_name(header->kind));
	json_network(w, &description, header->kind == REC_CLOSE);
	json_process(w, model, &actor, options);
	json_container(w, &place, options);
	json_error(w, description.error);
	json_own(w, model, change, &description, &place, tally, options);
	json_object_end(w);
}
