/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/model_tables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define SOCKETS_DEFAULT	  1048576u
#define PROCESSES_DEFAULT 65536u
#define PAST_DEFAULT	  16384u
#define NAMES_MAX	  65536u
#define DESTINATIONS_MAX  4096u

static size_t or_default(size_t limit, size_t otherwise)
{
	return limit ? limit : otherwise;
}

static void process_evicted(void *context, struct process *process)
{
	holders_drop_process(context, process);
}

static bool make_tables(struct model *model, const struct model_limits *limits)
{
	size_t max_sockets = or_default(limits->sockets, SOCKETS_DEFAULT);
	struct sockets_context context;

	model->limits = (struct model_limits){.sockets = max_sockets,
					      .processes = or_default(limits->processes, PROCESSES_DEFAULT),
					      .past = or_default(limits->past, PAST_DEFAULT)};
	model->past = past_new(model->limits.past);
	model->walk = walk_new();
	model->names = names_new(NAMES_MAX);
	model->destinations = destinations_new(DESTINATIONS_MAX);
	model->processes = process_table_new(model->limits.processes);
	model->holders = model->past ? holders_new(2 * max_sockets, model->past) : NULL;
	if (!model->holders || !model->walk || !model->names || !model->destinations || !model->processes)
		return false;
	process_on_evict(model->processes, process_evicted, model->holders);
	context = (struct sockets_context){model->holders, model->past, model->walk};
	model->sockets = sockets_new(max_sockets, &context);
	return model->sockets;
}

struct model *model_new(const struct model_limits *limits)
{
	static const struct model_limits defaults;
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	if (make_tables(model, limits ? limits : &defaults))
		return model;
	model_free(model);
	return NULL;
}

static void free_tables(struct model *model)
{
	sockets_free(model->sockets);
	process_table_free(model->processes);
	names_free(model->names);
	destinations_free(model->destinations);
	holders_free(model->holders);
	past_free(model->past);
	walk_free(model->walk);
}

void model_free(struct model *model)
{
	if (!model)
		return;
	free_tables(model);
	free(model);
}

int model_clear(struct model *model)
{
	const struct model_limits limits = model->limits;

	free_tables(model);
	*model = (struct model){0};
	return make_tables(model, &limits) ? 0 : -ENOMEM;
}

/* --- processes --------------------------------------------------------------------------------------------
 */

static void follow_from_parent(struct model *model, struct process *process, uint32_t parent_pid,
			       uint64_t parent_start_ns)
{
	const struct process *parent = process_find(model->processes, parent_pid, parent_start_ns);

	if (parent && parent->followed)
		process->followed = true;
}

static struct process *process_acted(struct model *model, const struct record *record)
{
	struct process *process;

	if (!record->task)
		return NULL;
	process = process_see(model->processes, record->task);
	if (process && model->follow_pid && process->pid == model->follow_pid) {
		process->followed = true;
		model->follow_pid = 0;
	}
	return process;
}

/* A fork's child has all descriptors of its parent. */
static void inherit(struct model *model, const struct process *parent, struct process *child,
		    uint64_t time_ns)
{
	for (const struct holder *held = parent->held; held; held = held->next_held) {
		const struct holding holding = {.since_ns = time_ns,
						.fd = held->fd,
						.cause = HOLDER_INHERITED,
						.change = CHANGE_FORK};

		holders_add(model->holders, held->socket, child, &holding);
	}
}

/* Here and below, a process that is not there found no memory: records about processes have a task. */
static int apply_fork(struct model *model, const struct record *record, struct process *parent)
{
	const struct rec_lifecycle *fork = (const void *)record->header;
	struct rec_task task;
	struct record child = {.task = &task};
	struct process *process;

	task = fork->task;
	task.pid = task.tid = fork->child_pid;
	task.start_ns = fork->child_start_ns;
	process = process_acted(model, &child);
	if (!process || !parent)
		return -ENOMEM;
	process->parent_pid = parent->pid;
	process->parent_start_ns = parent->start_ns;
	follow_from_parent(model, process, fork->task.pid, fork->task.start_ns);
	inherit(model, parent, process, fork->header.time_ns);
	return 0;
}

/* What the exec kept was said before it. */
static void apply_exec(struct model *model, const struct record *record, struct process *process)
{
	bool all = !(record->header->flags & EXEC_F_INCOMPLETE);
	struct holder *next;

	if (!process)
		return;
	process->exec_ns = record->header->time_ns;
	for (struct holder *holder = process->held; holder; holder = next) {
		bool kept = holder->kept;

		next = holder->next_held;
		holder->kept = false;
		if (all && !kept)
			holders_remove(model->holders, holder, CHANGE_EXEC, false, record->header->time_ns);
	}
}

static void apply_exit(struct model *model, const struct record *record, struct process *process)
{
	if (!process)
		return;
	process->exited = true;
	model->let_go = holders_held(process);
	while (process->held)
		holders_remove(model->holders, process->held, CHANGE_EXIT, false, record->header->time_ns);
}

static int apply_process(struct model *model, const struct record *record, struct process *process)
{
	const struct rec_process *described = (const void *)record->header;

	if (!process)
		return -ENOMEM;
	follow_from_parent(model, process, described->parent_pid, described->parent_start_ns);
	return process_describe(process, described);
}

/* --- names ------------------------------------------------------------------------------------------------
 */

static int apply_meta(struct model *model, const struct rec_meta *meta)
{
	switch (meta->type) {
	case META_CLOCK:
		model->clock_offset_ns = (int64_t)meta->key;
		return 0;
	case META_FOLLOW:
		model->follow_pid = (uint32_t)meta->key;
		model->following = true;
		return 0;
	default:
		return names_put(model->names, meta->type, meta->key, meta->text);
	}
}

static void apply_past(struct model *model, const struct record *record, const struct process *process)
{
	const struct rec_past *past = (const void *)record->header;
	struct past_holder holder;

	if (!process || !record->socket)
		return;
	holder = past_holder_of(process, past->until_ns);
	if (record->header->flags & PAST_F_PORT)
		past_put_port(model->past, record->socket, &holder);
	else
		past_put_socket(model->past, record->socket, &holder);
}

/* --- where connections go ---------------------------------------------------------------------------------
 */

/* A port that was asked for by its number was assigned by nobody. */
static void watch_connect(struct model *model, const struct record *record, const struct socket_row *row)
{
	const struct rec_connect *connect = (const void *)record->header;

	if (record->socket->protocol != IPPROTO_TCP)
		return;
	if (connect->error == EADDRNOTAVAIL)
		destinations_failed(model->destinations, record->socket, record->header->time_ns);
	else if (!connect->error && !(row && row->chosen))
		destinations_connected(model->destinations, record->socket, record->header->time_ns);
}

static void watch_close(struct model *model, const struct record *record, const struct socket_row *row)
{
	const struct rec_close *close = (const void *)record->header;

	if (record->socket->protocol != IPPROTO_TCP || close->direction != DIRECTION_OUT ||
	    (row && row->chosen))
		return;
	destinations_closed(model->destinations, record->socket, close->reason == CLOSE_LOCAL,
			    record->header->time_ns);
}

static void watch_destination(struct model *model, const struct record *record, const struct socket_row *row)
{
	if (!record->socket)
		return;
	if (record->header->kind == REC_CONNECT)
		watch_connect(model, record, row);
	else if (record->header->kind == REC_CLOSE)
		watch_close(model, record, row);
}

/* --- the one way in ---------------------------------------------------------------------------------------
 */

/* What is told of a process a while later changes nothing about it. */
static struct process *process_named(const struct model *model, const struct record *record)
{
	return record->task ? process_find(model->processes, record->task->pid, record->task->start_ns)
			    : NULL;
}

int model_apply(struct model *model, const struct record *record, struct change *ret_change)
{
	struct process *process = record->header->kind == REC_CONFLICTS ? process_named(model, record)
									: process_acted(model, record);
	struct socket_row *row = NULL;
	bool ended = false;
	int error = 0;

	if (model->ended) {
		sockets_remove(model->sockets, model->ended);
		model->ended = NULL;
	}
	switch (record->header->kind) {
	case REC_META:
		error = apply_meta(model, (const void *)record->header);
		break;
	case REC_PROCESS:
		error = apply_process(model, record, process);
		break;
	case REC_FORK:
		error = apply_fork(model, record, process);
		break;
	case REC_EXEC:
		apply_exec(model, record, process);
		break;
	case REC_EXIT:
		apply_exit(model, record, process);
		break;
	case REC_HOLDER:
		sockets_hold(model->sockets, (const void *)record->header, process);
		break;
	case REC_SOCKET:
		row = sockets_found(model->sockets, record);
		break;
	case REC_PAST:
		apply_past(model, record, process);
		break;
	case REC_CONFLICTS: /* of others; the bind itself has changed nothing */
		break;
	case REC_DESTINATION:
		destinations_put(model->destinations, (const void *)record->header);
		break;
	case REC_WALK:
		if (walk_take(model->walk, (const void *)record->header))
			sockets_settle(model->sockets, record->header->time_ns);
		break;
	default:
		sockets_apply(model->sockets, record, process, &row, &ended);
		watch_destination(model, record, row);
	}
	if (ended)
		model->ended = row;
	*ret_change = (struct change){.record = *record,
				      .process = process,
				      .socket = row,
				      .released = ended,
				      .let_go = record->header->kind == REC_EXIT ? &model->let_go : NULL,
				      .bytes = sockets_take_news(model->sockets)};
	return error;
}

void model_forget_remains(struct model *model)
{
	sockets_forget_remains(model->sockets);
}

void model_forget_old_remains(struct model *model, uint16_t port)
{
	sockets_forget_old_remains(model->sockets, port);
}

void model_on_holder(struct model *model, model_holder_fn *callback, void *context)
{
	holders_tell(model->holders, callback, context);
}
