/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/model.h"

#include "core/names.h"
#include "core/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define SOCKETS_DEFAULT	  1048576u
#define PROCESSES_DEFAULT 65536u
#define NAMES_MAX	  65536u

#define WELL_KNOWN_LAST	 1023
#define IANA_DYNAMIC_LOW 49152 /* RFC 6335, section 6 */

struct model {
	struct sockets *sockets;
	struct process_table *processes;
	struct names *names;
	struct socket_row *ended; /* goes with the next record */
	int64_t clock_offset_ns;
	uint32_t follow_pid; /* not yet seen */
	bool following;
};

struct model *model_new(const struct model_limits *limits)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->sockets = sockets_new(limits && limits->sockets ? limits->sockets : SOCKETS_DEFAULT);
	model->processes =
		process_table_new(limits && limits->processes ? limits->processes : PROCESSES_DEFAULT);
	model->names = names_new(NAMES_MAX);
	if (!model->sockets || !model->processes || !model->names) {
		model_free(model);
		return NULL;
	}
	return model;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	sockets_free(model->sockets);
	process_table_free(model->processes);
	names_free(model->names);
	free(model);
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
	return 0;
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

/* --- the one way in ---------------------------------------------------------------------------------------
 */

int model_apply(struct model *model, const struct record *record, struct change *ret_change)
{
	struct process *process = process_acted(model, record);
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
	case REC_EXIT:
		if (process)
			process->exited = true;
		break;
	case REC_HOLDER:
		sockets_hold(model->sockets, (const void *)record->header);
		break;
	default:
		sockets_apply(model->sockets, record, &row, &ended);
	}
	if (ended)
		model->ended = row;
	*ret_change =
		(struct change){.record = *record, .process = process, .socket = row, .released = ended};
	return error;
}

/* --- looking ----------------------------------------------------------------------------------------------
 */

const struct process *model_process(const struct model *model, uint32_t pid, uint64_t start_ns)
{
	return process_find(model->processes, pid, start_ns);
}

const struct socket_row *model_socket(const struct model *model, uint64_t cookie, uint16_t protocol)
{
	return sockets_find(model->sockets, cookie, protocol);
}

int model_each_socket(const struct model *model, int (*callback)(const struct socket_row *, void *),
		      void *context)
{
	return sockets_each(model->sockets, callback, context);
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

int model_each_process(const struct model *model, int (*callback)(const struct process *, void *),
		       void *context)
{
	struct each each = {callback, context};

	return process_each(model->processes, each_process, &each);
}

size_t model_socket_count(const struct model *model)
{
	return sockets_count(model->sockets);
}

uint64_t model_rows_left_out(const struct model *model)
{
	return sockets_left_out(model->sockets);
}

const char *model_user_name(const struct model *model, uint32_t uid)
{
	return names_get(model->names, META_USER, uid);
}

int model_user_id(const struct model *model, const char *name, uint32_t *ret_uid)
{
	uint64_t key;

	if (names_find(model->names, META_USER, name, &key))
		return -ENOENT;
	*ret_uid = (uint32_t)key;
	return 0;
}

const char *model_cgroup_path(const struct model *model, uint64_t cgroup_id)
{
	return names_get(model->names, META_CGROUP, cgroup_id);
}

const char *model_service_name(const struct model *model, uint16_t protocol, uint16_t port)
{
	return names_get(model->names, META_SERVICE, (uint64_t)protocol << 16 | port);
}

int model_service_port(const struct model *model, const char *name, uint16_t *ret_port)
{
	uint64_t key;

	if (names_find(model->names, META_SERVICE, name, &key))
		return -ENOENT;
	*ret_port = (uint16_t)key;
	return 0;
}

bool model_ephemeral_range(const struct model *model, uint32_t netns, uint16_t *ret_low, uint16_t *ret_high)
{
	const char *text = names_get(model->names, META_RANGE, netns);
	char *end;
	unsigned long low, high;

	if (!text)
		return false;
	low = strtoul(text, &end, 10);
	high = strtoul(end, NULL, 10);
	if (low > high || high > UINT16_MAX || !high)
		return false;
	*ret_low = (uint16_t)low;
	*ret_high = (uint16_t)high;
	return true;
}

const char *model_host(const struct model *model)
{
	return names_get(model->names, META_HOST, 0);
}

const char *model_version(const struct model *model)
{
	return names_get(model->names, META_VERSION, 0);
}

int64_t model_wall_ns(const struct model *model, uint64_t boot_ns)
{
	return (int64_t)((uint64_t)model->clock_offset_ns + boot_ns);
}

bool model_following(const struct model *model)
{
	return model->following;
}

const char *model_port_class(const struct model *model, uint32_t netns, uint16_t port)
{
	uint16_t low = IANA_DYNAMIC_LOW, high = UINT16_MAX;

	if (port <= WELL_KNOWN_LAST)
		return "well-known";
	model_ephemeral_range(model, netns, &low, &high);
	return port >= low && port <= high ? "ephemeral" : "registered";
}
