/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/subject.h"

#include "core/subject_field.h"

#include <string.h>

static struct filter_process process_of(const struct model *model, const struct actor *actor)
{
	return (struct filter_process){
		.pid = actor->pid,
		.ns_pid = actor->process ? actor->process->ns_pid : 0,
		.uid = actor->uid,
		.comm = actor->comm,
		.cgroup = actor->cgroup_id ? model_cgroup_path(model, actor->cgroup_id) : NULL,
	};
}

static size_t processes_of(const struct model *model, const struct socket_row *row, const struct holder *only,
			   struct filter_process *room, size_t n_room)
{
	size_t n = 0;

	for (const struct holder *h = row->holders; h && n < n_room; h = h->next) {
		struct actor holder;

		if (only && only != h)
			continue;
		holder = describe_holder(model, h);
		room[n++] = process_of(model, &holder);
	}
	return n;
}

static void fill_from_description(struct filter_subject *subject, const struct model *model,
				  const struct description *description)
{
	const struct rec_socket *socket = description->socket;

	if (!socket)
		return;
	if (description->has_local)
		subject->present |= FILTER_HAS_LOCAL;
	if (description->has_peer)
		subject->present |= FILTER_HAS_PEER;
	if (socket->netns)
		subject->present |= FILTER_HAS_NETNS;
	if (description->state)
		subject->present |= FILTER_HAS_STATE;
	subject->family = description->family;
	subject->dual_stack = description->dual_stack;
	subject->protocol = socket->protocol;
	memcpy(subject->local_addr, description->local.addr, sizeof(subject->local_addr));
	memcpy(subject->peer_addr, description->peer.addr, sizeof(subject->peer_addr));
	subject->local_port = description->has_local ? description->local.port : 0;
	subject->peer_port = description->has_peer ? description->peer.port : 0;
	subject->state = description->state;
	subject->direction = description->direction;
	subject->error = description->error;
	subject->netns = socket->netns;
	subject->netns_name = model_netns_name(model, socket->netns);
	subject->port_class = description->port_class;
}

static const struct filter_subject *finish(struct subject_storage *storage)
{
	fill_from_description(&storage->subject, storage->model, &storage->description);
	storage->subject.has_field = subject_has_field;
	storage->subject.has_field_context = storage;
	return &storage->subject;
}

const struct filter_subject *subject_of_change(const struct model *model, const struct change *change,
					       struct subject_storage *storage)
{
	struct filter_subject *subject = &storage->subject;

	*subject = (struct filter_subject){.event = record_kind_name(change->record.header->kind)};
	storage->change = change;
	storage->row = change->socket;
	storage->only = NULL;
	storage->model = model;
	storage->actor = describe_actor(change);
	describe_change(model, change, &storage->description);
	subject->processes = storage->few;
	if (storage->actor.pid) {
		storage->few[0] = process_of(model, &storage->actor);
		subject->n_processes = 1;
	} else if (change->record.header->kind == REC_CLOSE && change->socket) {
		subject->n_processes = processes_of(model, change->socket, NULL, storage->few, SUBJECT_FEW);
	}
	return finish(storage);
}

const struct filter_subject *subject_of_row(const struct model *model, const struct socket_row *row,
					    const struct holder *only, struct filter_process *room,
					    size_t n_room, struct subject_storage *storage)
{
	storage->subject = (struct filter_subject){.processes = room};
	storage->change = NULL;
	storage->row = row;
	storage->only = only;
	storage->model = model;
	storage->actor = (struct actor){.uid = UID_UNKNOWN};
	describe_row(model, row, &storage->description);
	storage->subject.n_processes = processes_of(model, row, only, room, n_room);
	return finish(storage);
}
