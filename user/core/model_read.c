/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking at the tables. */
#include "core/model_tables.h"

const struct process *model_process(const struct model *model, uint32_t pid, uint64_t start_ns)
{
	return process_find(model->processes, pid, start_ns);
}

const struct socket_row *model_socket(const struct model *model, uint64_t cookie, uint16_t protocol)
{
	const struct socket_row *row = sockets_find(model->sockets, cookie, protocol);

	if (row && row != model->ended)
		return row;
	return sockets_find_remains(model->sockets, cookie, protocol, NULL);
}

const struct socket_row *model_remains(const struct model *model, const struct rec_socket *socket)
{
	return sockets_find_remains(model->sockets, socket->cookie, socket->protocol, socket);
}

const struct socket_row *model_peer(const struct model *model, const struct socket_row *row)
{
	return sockets_peer(model->sockets, row);
}

const struct process *model_peer_process(const struct model *model, const struct socket_row *row)
{
	const struct socket_row *peer = row ? model_peer(model, row) : NULL;

	return peer && peer->n_holders == 1 ? peer->holders->process : NULL;
}

struct each_socket {
	const struct socket_row *ended;
	int (*callback)(const struct socket_row *, void *);
	void *context;
};

/* What has ended with the last record is only there for whoever shows that record. */
static int each_socket(const struct socket_row *row, void *context)
{
	struct each_socket *each = context;

	return row == each->ended ? 0 : each->callback(row, each->context);
}

int model_each_socket(const struct model *model, int (*callback)(const struct socket_row *, void *),
		      void *context)
{
	struct each_socket each = {model->ended, callback, context};

	return sockets_each(model->sockets, each_socket, &each);
}

struct each {
	int (*callback)(const struct process *, void *);
	void *context;
};

static int each_process(struct process *process, void *context)
{
	struct each *each = context;

	return each->callback(process, each->context);
}

int model_each_name(const struct model *model,
		    int (*callback)(void *context, enum meta_type type, uint64_t key, const char *text),
		    void *context)
{
	return names_each(model->names, callback, context);
}

int64_t model_clock_offset_ns(const struct model *model)
{
	return model->clock_offset_ns;
}

int model_each_process(const struct model *model, int (*callback)(const struct process *, void *),
		       void *context)
{
	struct each each = {callback, context};

	return process_each(model->processes, each_process, &each);
}

size_t model_socket_count(const struct model *model)
{
	return sockets_count(model->sockets) - (model->ended != NULL);
}

size_t model_process_count(const struct model *model)
{
	return process_count(model->processes);
}

struct model_limits model_limits(const struct model *model)
{
	return model->limits;
}

uint64_t model_rows_left_out(const struct model *model)
{
	return sockets_left_out(model->sockets) + holders_left_out(model->holders);
}

uint64_t model_processes_evicted(const struct model *model)
{
	return process_evictions(model->processes);
}

const struct repairs *model_repairs(const struct model *model)
{
	return walk_counts(model->walk);
}

bool model_walking(const struct model *model)
{
	return walk_is_active(model->walk);
}

const struct past_holder *model_past_of_socket(const struct model *model, const struct rec_socket *socket)
{
	return past_of_socket(model->past, socket);
}

const struct past_holder *model_past_of_port(const struct model *model, const struct rec_socket *socket)
{
	return past_of_port(model->past, socket);
}

int model_each_past_port(const struct model *model, model_past_port_fn *callback, void *context)
{
	return past_each_port(model->past, callback, context);
}

const struct destinations *model_destinations(const struct model *model)
{
	return model->destinations;
}

const struct names *model_names(const struct model *model)
{
	return model->names;
}

int64_t model_wall_ns(const struct model *model, uint64_t boot_ns)
{
	return (int64_t)((uint64_t)model->clock_offset_ns + boot_ns);
}

bool model_following(const struct model *model)
{
	return model->following;
}
