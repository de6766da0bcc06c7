/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes by (pid, start). A process that ended stays until its row is needed for another one, since
 * events of its sockets may still come. Bounded: the one that was used longest ago goes first.
 */
#ifndef PORTSNOOP_CORE_PROCESS_H
#define PORTSNOOP_CORE_PROCESS_H

#include <portsnoop/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct holder;

struct process {
	uint64_t start_ns;
	uint64_t exec_ns; /* of its last exec that was seen; 0: none */
	uint64_t cgroup_id;
	uint64_t parent_start_ns;
	uint32_t pid;
	uint32_t parent_pid; /* 0: not known */
	uint32_t uid;
	uint32_t pid_ns; /* inode of its pid namespace; 0: not known */
	uint32_t ns_pid; /* its pid there */
	char comm[REC_COMM_LEN];
	char *path; /* NUL-terminated executable path, NULL when not known; hostile bytes */
	char *args; /* NUL-separated arguments, args_length bytes */
	uint16_t args_length;
	bool path_cut, args_cut;
	struct holder *held; /* the sockets that it holds: core/holders */
	uint32_t n_held;
	bool has_held; /* a socket, at any time */
	bool followed; /* the followed command or a descendant of it */
	bool exited;
};

struct process_table;

/* By pid, then by start: negative, 0 or positive, as qsort(3) wants it. */
int process_compare(const struct process *a, const struct process *b);

/* max_processes: 2 at least. NULL when there is no memory. */
struct process_table *process_table_new(size_t max_processes);
void process_table_free(struct process_table *table);
/* Is called for a process that makes room for another one, before it goes. */
void process_on_evict(struct process_table *table, void (*callback)(void *context, struct process *process),
		      void *context);
/* As it would act now, with any of its threads. */
struct rec_task process_task(const struct process *process);
/* NULL when it is not there. */
struct process *process_find(const struct process_table *table, uint32_t pid, uint64_t start_ns);
/* Finds or makes the row. NULL when there is no memory. Refreshes comm, uid and cgroup from task. */
struct process *process_see(struct process_table *table, const struct rec_task *task);
/* Takes over executable and arguments. 0 or -ENOMEM. */
int process_describe(struct process *process, const struct rec_process *record);
size_t process_count(const struct process_table *table);
uint64_t process_evictions(const struct process_table *table);
/* Each process, in no particular order, until the callback returns something else than 0. */
int process_each(const struct process_table *table, int (*callback)(struct process *, void *), void *context);

#endif
