/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/dump.h"

#include "core/describe.h"
#include "core/destinations.h"

#include <string.h>

struct dump {
	const struct model *model;
	const struct dump_options *options;
	int (*put)(void *context, const void *record, size_t size);
	void *context;
};

static struct rec_header header_of(const struct dump *dump, enum rec_kind kind, size_t size, uint16_t flags)
{
	return (struct rec_header){.size = (uint16_t)size,
				   .kind = (uint8_t)kind,
				   .source = SOURCE_SNAPSHOT,
				   .flags = flags,
				   .time_ns = dump->options->now_ns};
}

/* --- names ------------------------------------------------------------------------------------------------
 */

static int put_meta(const struct dump *dump, enum meta_type type, uint64_t key, const char *text)
{
	union {
		struct rec_meta meta;
		char room[REC_SIZE_MAX];
	} u = {.room = {0}};
	size_t length = strnlen(text, sizeof(u.room) - sizeof(u.meta) - 8);

	u.meta.header = header_of(dump, REC_META, (sizeof(u.meta) + length + 8) & ~(size_t)7, 0);
	u.meta.key = key;
	u.meta.type = (uint16_t)type;
	u.meta.length = (uint16_t)length;
	memcpy(u.meta.text, text, length);
	return dump->put(dump->context, &u.meta, u.meta.header.size);
}

static int put_name(void *context, enum meta_type type, uint64_t key, const char *text)
{
	return put_meta(context, type, key, text);
}

static int put_names(struct dump *dump)
{
	int result = put_meta(dump, META_CLOCK, (uint64_t)model_clock_offset_ns(dump->model), "");

	return result ? result : model_each_name(dump->model, put_name, dump);
}

/* --- processes --------------------------------------------------------------------------------------------
 */

static void fill_texts(struct rec_process *record, const struct process *process)
{
	size_t length = process->path ? strlen(process->path) : 0;

	if (length > sizeof(record->path)) {
		length = sizeof(record->path);
		record->header.flags |= PROCESS_F_PATH_CUT;
	}
	memcpy(record->path, process->path ? process->path : "", length);
	record->path_length = (uint16_t)length;
	record->args_length = process->args_length;
	memcpy(record->args, process->args ? process->args : "", process->args_length);
	if (process->path_cut)
		record->header.flags |= PROCESS_F_PATH_CUT;
	if (process->args_cut)
		record->header.flags |= PROCESS_F_ARGS_CUT;
}

static int put_process(const struct dump *dump, const struct process *process)
{
	struct rec_process record = {
		.header = header_of(dump, REC_PROCESS, sizeof(record), REC_F_TASK | PROCESS_F_TEXT_PATH),
		.task = process_task(process),
		.parent_start_ns = process->parent_start_ns,
		.parent_pid = process->parent_pid,
		.pid_ns = process->pid_ns,
		.ns_pid = process->ns_pid,
	};

	fill_texts(&record, process);
	return dump->put(dump->context, &record, sizeof(record));
}

static bool holds_port(const struct process *process, uint16_t port)
{
	for (const struct holder *held = process->held; held; held = held->next_held)
		if (held->socket->socket.local_port == port)
			return true;
	return false;
}

static int put_if_holder(const struct process *process, void *context)
{
	const struct dump *dump = context;
	uint16_t port = dump->options->port;

	if (!process->held || (port && !holds_port(process, port)))
		return 0;
	return put_process(dump, process);
}

/* --- sockets ----------------------------------------------------------------------------------------------
 */

static bool is_asked_for(const struct dump *dump, const struct socket_row *row)
{
	if (dump->options->port && row->socket.local_port != dump->options->port)
		return false;
	return dump->options->connections || socket_row_kind(&row->socket) == ROW_PORT;
}

static int put_row(const struct dump *dump, const struct socket_row *row)
{
	uint16_t flags = REC_F_SOCKET | SOCKET_F_COUNTERS | (row->orphan ? SOCKET_F_ORPHAN : 0) |
			 (row->remains ? SOCKET_F_REMAINS : 0) | (row->in_flight ? SOCKET_F_IN_FLIGHT : 0) |
			 (row->port_read ? SOCKET_F_PORT_READ : 0) |
			 (row->exclusive ? SOCKET_F_EXCLUSIVE : 0) | (row->chosen ? SOCKET_F_CHOSEN : 0);
	struct rec_socket_row record = {
		.fact.header = header_of(dump, REC_SOCKET, sizeof(record), flags),
		.fact.socket = row->socket,
		.bytes_sent = row->bytes_sent,
		.bytes_received = row->bytes_received,
		.retransmits = row->retransmits,
		.rtt_us = row->rtt_us,
		.queue_length = row->queue_length,
		.queue_limit = row->queue_limit,
		.since_ns = row->since_ns,
		.accepts = row->accepts,
		.direction = row->direction,
	};

	return dump->put(dump->context, &record, sizeof(record));
}

static int put_holder(const struct dump *dump, const struct holder *holder)
{
	const struct rec_holder record = {
		.header = header_of(dump, REC_HOLDER, sizeof(record), REC_F_TASK),
		.task = process_task(holder->process),
		.cookie = holder->socket->socket.cookie,
		.protocol = holder->socket->socket.protocol,
		.fd = holder->fd,
		.since_ns = holder->since_ns,
		.cause = (uint8_t)(holder->cause + 1),
	};

	return dump->put(dump->context, &record, sizeof(record));
}

static int put_socket(const struct socket_row *row, void *context)
{
	const struct dump *dump = context;
	int result = 0;

	if (!is_asked_for(dump, row))
		return 0;
	result = put_row(dump, row);
	for (const struct holder *h = row->holders; h && !result; h = h->next)
		result = put_holder(dump, h);
	return result;
}

/* --- who had them last ------------------------------------------------------------------------------------
 */

static int put_past(const struct dump *dump, const struct rec_socket *socket,
		    const struct past_holder *holder, uint16_t flags)
{
	struct rec_past record = {
		.fact.header = header_of(dump, REC_PAST, sizeof(record), REC_F_TASK | REC_F_SOCKET | flags),
		.fact.task = {.start_ns = holder->start_ns, .pid = holder->pid, .uid = holder->uid},
		.fact.socket = *socket,
		.until_ns = holder->until_ns,
	};

	memcpy(record.fact.task.comm, holder->comm, sizeof(holder->comm));
	return dump->put(dump->context, &record, sizeof(record));
}

static int put_past_of_socket(const struct socket_row *row, void *context)
{
	const struct dump *dump = context;
	const struct past_holder *past =
		row->holders ? NULL : model_past_of_socket(dump->model, &row->socket);

	return past && is_asked_for(dump, row) ? put_past(dump, &row->socket, past, 0) : 0;
}

static int put_past_port(void *context, const struct rec_socket *place, const struct past_holder *holder)
{
	const struct dump *dump = context;

	if (dump->options->port && place->local_port != dump->options->port)
		return 0;
	return put_past(dump, place, holder, PAST_F_PORT);
}

static int put_destinations(const struct dump *dump)
{
	const struct rec_header header = header_of(dump, REC_DESTINATION, sizeof(struct rec_destination), 0);

	if (!dump->options->destinations)
		return 0;
	return destinations_each(model_destinations(dump->model), &header, dump->put, dump->context);
}

static int put_holders_as_of(const struct dump *dump)
{
	const struct rec_walk record = {
		.header = header_of(dump, REC_WALK, sizeof(record), 0),
		.begin_ns = model_repairs(dump->model)->holders_as_of_ns,
		.part = WALK_HOLDERS,
	};

	return record.begin_ns ? dump->put(dump->context, &record, sizeof(record)) : 0;
}

/* A last holder may go on under another name or account: what it was comes before what it is. */
int dump_model(const struct model *model, const struct dump_options *options,
	       int (*put)(void *context, const void *record, size_t size), void *context)
{
	struct dump dump = {.model = model, .options = options, .put = put, .context = context};
	const struct rec_walk end = {.header = header_of(&dump, REC_WALK, sizeof(end), 0), .part = WALK_END};
	int result = put_names(&dump);

	if (!result)
		result = model_each_socket(model, put_past_of_socket, &dump);
	if (!result)
		result = model_each_past_port(model, put_past_port, &dump);
	if (!result)
		result = model_each_process(model, put_if_holder, &dump);
	if (!result)
		result = model_each_socket(model, put_socket, &dump);
	if (!result)
		result = put_destinations(&dump);
	if (!result)
		result = put_holders_as_of(&dump);
	return result ? result : put(context, &end, sizeof(end));
}
