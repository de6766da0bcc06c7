/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/process.h"

#include "core/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VICTIM_TRIES 64
#define ROWS_LEAST   2 /* a fork needs parent and child at once */

int process_compare(const struct process *a, const struct process *b)
{
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

struct process_table {
	struct table *rows;
	void (*on_evict)(void *context, struct process *process);
	void *context;
	const struct process *seen; /* last: whoever saw it still uses it */
	uint64_t evictions;
};

struct process_key {
	uint64_t start_ns;
	uint32_t pid;
};

static bool process_equal(const void *row, const void *key)
{
	const struct process *process = row;
	const struct process_key *wanted = key;

	return process->pid == wanted->pid && process->start_ns == wanted->start_ns;
}

static void process_forget(struct process *process)
{
	free(process->path);
	free(process->args);
	process->path = process->args = NULL;
	process->args_length = 0;
}

static int forget_row(void *row, void *context)
{
	process_forget(row);
	return 0;
}

struct process_table *process_table_new(size_t max_processes)
{
	struct process_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->rows = table_new(sizeof(struct process),
				max_processes < ROWS_LEAST ? ROWS_LEAST : max_processes, process_equal);
	if (!table->rows) {
		free(table);
		return NULL;
	}
	return table;
}

void process_table_free(struct process_table *table)
{
	if (!table)
		return;
	table_each(table->rows, forget_row, NULL);
	table_free(table->rows);
	free(table);
}

struct rec_task process_task(const struct process *process)
{
	struct rec_task task = {.start_ns = process->start_ns,
				.cgroup_id = process->cgroup_id,
				.pid = process->pid,
				.tid = process->pid,
				.uid = process->uid};

	memcpy(task.comm, process->comm, sizeof(task.comm));
	return task;
}

struct process *process_find(const struct process_table *table, uint32_t pid, uint64_t start_ns)
{
	struct process_key key = {.pid = pid, .start_ns = start_ns};

	return table_find(table->rows, table_hash(start_ns, pid), &key);
}

void process_on_evict(struct process_table *table, void (*callback)(void *context, struct process *process),
		      void *context)
{
	table->on_evict = callback;
	table->context = context;
}

/* The one used longest ago that holds no sockets, if there is one among the first. Never the one seen last.
 */
static struct process *victim(struct process_table *table)
{
	struct process *oldest = table_oldest(table->rows);

	for (unsigned i = 0; i < VICTIM_TRIES && (oldest->held || oldest == table->seen); i++) {
		table_touch(table->rows, oldest);
		oldest = table_oldest(table->rows);
	}
	if (oldest == table->seen) {
		table_touch(table->rows, oldest);
		oldest = table_oldest(table->rows);
	}
	return oldest;
}

static void evict(struct process_table *table)
{
	struct process *process = victim(table);

	if (table->on_evict)
		table->on_evict(table->context, process);
	process_forget(process);
	table_remove(table->rows, process);
	table->evictions++;
}

static struct process *process_add(struct process_table *table, uint32_t pid, uint64_t start_ns)
{
	struct process *process;

	if (table_is_full(table->rows))
		evict(table);
	process = table_add(table->rows, table_hash(start_ns, pid));
	if (!process)
		return NULL;
	process->pid = pid;
	process->start_ns = start_ns;
	return process;
}

struct process *process_see(struct process_table *table, const struct rec_task *task)
{
	struct process *process = process_find(table, task->pid, task->start_ns);

	if (process)
		table_touch(table->rows, process);
	else
		process = process_add(table, task->pid, task->start_ns);
	if (!process)
		return NULL;
	table->seen = process;
	memcpy(process->comm, task->comm, sizeof(process->comm));
	process->uid = task->uid;
	process->cgroup_id = task->cgroup_id;
	return process;
}

/* Components lie from leaf to root, each with its NUL: /usr/sbin/nginx is "nginx\0sbin\0usr\0". */
static char *path_from_components(const char *components, size_t length)
{
	char *path = malloc(length + 2), *to = path;
	size_t end = length;

	if (!path)
		return NULL;
	while (end > 0) {
		size_t stop = end - 1, begin;

		for (begin = stop; begin > 0 && components[begin - 1] != '\0'; begin--)
			;
		*to++ = '/';
		memcpy(to, components + begin, stop - begin);
		to += stop - begin;
		end = begin;
	}
	*to = '\0';
	return path;
}

static char *path_of(const struct rec_process *record)
{
	if (!record->path_length)
		return NULL;
	if (record->header.flags & PROCESS_F_TEXT_PATH)
		return strndup(record->path, record->path_length);
	return path_from_components(record->path, record->path_length);
}

int process_describe(struct process *process, const struct rec_process *record)
{
	char *path = path_of(record), *args = NULL;

	if (record->path_length && !path)
		return -ENOMEM;
	if (record->args_length) {
		args = malloc(record->args_length);
		if (!args) {
			free(path);
			return -ENOMEM;
		}
		memcpy(args, record->args, record->args_length);
	}
	process_forget(process);
	process->path = path;
	process->args = args;
	process->args_length = record->args_length;
	process->path_cut = record->header.flags & PROCESS_F_PATH_CUT;
	process->args_cut = record->header.flags & PROCESS_F_ARGS_CUT;
	process->pid_ns = record->pid_ns;
	process->ns_pid = record->ns_pid;
	process->parent_pid = record->parent_pid;
	process->parent_start_ns = record->parent_start_ns;
	return 0;
}

size_t process_count(const struct process_table *table)
{
	return table_count(table->rows);
}

uint64_t process_evictions(const struct process_table *table)
{
	return table->evictions;
}

struct each {
	int (*callback)(struct process *, void *);
	void *context;
};

static int each_row(void *row, void *context)
{
	struct each *each = context;

	return each->callback(row, each->context);
}

int process_each(const struct process_table *table, int (*callback)(struct process *, void *), void *context)
{
	struct each each = {callback, context};

	return table_each(table->rows, each_row, &each);
}
