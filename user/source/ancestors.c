/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/ancestors.h"

#include "core/ancestry.h"
#include "system/proc.h"

#include <fcntl.h>
#include <portsnoop/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

/* What /proc/PID/stat tells (proc(5)). */
struct stat_line {
	char comm[REC_COMM_LEN];
	uint32_t parent_pid;  /* field 4 */
	uint64_t start_ticks; /* field 22 */
};

/* The comm may hold anything, parentheses and blanks too. */
static bool parse(char *text, struct stat_line *ret_line)
{
	char *begin = strchr(text, '('), *end = strrchr(text, ')'), *at = end;
	struct stat_line line = {.parent_pid = 0};
	size_t length = begin && end ? (size_t)(end - begin - 1) : 0;

	if (!length)
		return false;
	memcpy(line.comm, begin + 1, length < sizeof(line.comm) ? length : sizeof(line.comm) - 1);
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at + 1, ' ');
		if (at && field == 3)
			line.parent_pid = (uint32_t)strtoul(at + 1, NULL, 10);
	}
	if (!at)
		return false;
	line.start_ticks = strtoull(at + 1, NULL, 10);
	*ret_line = line;
	return true;
}

static bool read_stat(int proc_fd, struct stat_line *ret_line)
{
	char text[1024];

	return proc_read_at(proc_fd, "stat", text, sizeof(text)) > 0 && parse(text, ret_line);
}

static uint64_t ns_per_tick(void)
{
	return NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* --- what is known already --------------------------------------------------------------------------------
 */

struct search {
	uint32_t pid;
	uint64_t start_ticks, ns_per_tick;
	const struct process *found;
};

static int compare(const struct process *process, void *context)
{
	struct search *search = context;

	if (process->pid == search->pid && process->start_ns / search->ns_per_tick == search->start_ticks)
		search->found = process;
	return search->found != NULL;
}

/* /proc knows the start of a process in ticks only. NULL: the tables do not have it. */
static const struct process *find(const struct model *model, uint32_t pid, const struct stat_line *line)
{
	struct search search = {.pid = pid, .start_ticks = line->start_ticks, .ns_per_tick = ns_per_tick()};

	model_each_process(model, compare, &search);
	return search.found;
}

/* --- one after the other ----------------------------------------------------------------------------------
 */

/* Where one stands whose parent is looked for. */
struct place {
	int proc_fd;
	struct stat_line line;
	/* The parent as the tables have it, who may know its start exactly; 0: they do not. */
	uint32_t parent_pid;
	uint64_t parent_start_ns;
};

static void take_from_tables(struct place *place, const struct process *process)
{
	place->parent_pid = process ? process->parent_pid : 0;
	place->parent_start_ns = process ? process->parent_start_ns : 0;
}

/* As the child's row has it, or the two would not find each other. */
static uint64_t start_of_parent(const struct place *child, const struct stat_line *line)
{
	uint64_t exact_ns = child->parent_pid == child->line.parent_pid ? child->parent_start_ns : 0;

	return exact_ns / ns_per_tick() == line->start_ticks ? exact_ns : line->start_ticks * ns_per_tick();
}

static int put(const struct sink *sink, uint32_t pid, uint32_t uid, const struct stat_line *line,
	       uint64_t start_ns)
{
	struct rec_process record = {
		.header = {.size = sizeof(record),
			   .kind = REC_PROCESS,
			   .probe = PROBE_PROC,
			   .flags = REC_F_TASK,
			   .time_ns = proc_boottime_ns()},
		.task = {.pid = pid, .tid = pid, .uid = uid, .start_ns = start_ns},
		.parent_pid = line->parent_pid,
	};

	memcpy(record.task.comm, line->comm, sizeof(record.task.comm));
	return sink_put(sink, &record, sizeof(record));
}

/* Still the child's parent after it was read: so it was the parent that was read. */
static bool read_parent(int fd, int child_fd, uint32_t pid, struct stat_line *ret_line, uint32_t *ret_uid)
{
	struct stat_line child;
	struct stat owner;

	if (!read_stat(fd, ret_line) || fstat(fd, &owner) || !read_stat(child_fd, &child))
		return false;
	*ret_uid = owner.st_uid;
	return child.parent_pid == pid;
}

/* One generation: *place is the child's, and then the parent's. 1: there is none. */
static int put_parent(const struct model *model, const struct sink *sink, struct place *place)
{
	uint32_t uid, pid = place->line.parent_pid;
	struct stat_line parent;
	char path[32];
	int fd, result = 1;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	fd = pid ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0)
		return 1;
	if (read_parent(fd, place->proc_fd, pid, &parent, &uid)) {
		uint64_t start_ns = start_of_parent(place, &parent);
		const struct process *known = find(model, pid, &parent);

		take_from_tables(place, known); /* before the tables change */
		result = known ? 0 : put(sink, pid, uid, &parent, start_ns);
		place->line = parent;
	}
	close(place->proc_fd);
	place->proc_fd = fd;
	return result;
}

int ancestors_put(const struct model *model, const struct process *process, const struct sink *sink)
{
	struct place place = {.proc_fd = proc_open(process->pid, process->start_ns)};
	int result;

	if (place.proc_fd < 0)
		return 0;
	take_from_tables(&place, process);
	result = !read_stat(place.proc_fd, &place.line);
	for (size_t i = 1; i < ANCESTRY_MAX && !result; i++)
		result = put_parent(model, sink, &place);
	close(place.proc_fd);
	return result < 0 ? result : 0;
}
