/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/enrich.h"

#include "core/table.h"
#include "source/meta.h"
#include "source/netns_names.h"
#include "source/netns_settings.h"
#include "system/lookup.h"
#include "system/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <portsnoop/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEN_MAX      65536
#define CLOCK_STEP_NS 10000000 /* smaller differences are drift, not somebody setting the clock */
#define TEXT_MAX      1024

/* What was named already. */
struct seen {
	uint64_t key;
	uint64_t key2;
	uint32_t type; /* enum meta_type; META_NONE: a process */
};

struct enrich {
	struct sink to;
	struct table *seen;
	struct netns_names *netns_names;
	int cgroup2_fd;
	int64_t clock_offset_ns;
	bool no_descriptions;
	struct rec_task last_holder; /* named and described; a walk shows all of one process together */
};

static bool seen_equal(const void *row, const void *key)
{
	const struct seen *seen = row, *wanted = key;

	return seen->key == wanted->key && seen->key2 == wanted->key2 && seen->type == wanted->type;
}

/* True the first time. Without memory it is the first time for ever: names come twice, nothing is missing. */
static bool first_time(struct enrich *enrich, enum meta_type type, uint64_t key, uint64_t key2)
{
	struct seen wanted = {.key = key, .key2 = key2, .type = type}, *row;
	uint64_t hash = table_hash(key ^ (uint64_t)type << 60, key2);

	row = table_find(enrich->seen, hash, &wanted);
	if (row) {
		table_touch(enrich->seen, row);
		return false;
	}
	if (table_is_full(enrich->seen))
		table_remove(enrich->seen, table_oldest(enrich->seen));
	row = table_add(enrich->seen, hash);
	if (row)
		*row = wanted;
	return true;
}

static int put_meta(struct enrich *enrich, enum meta_type type, uint64_t key, const char *text)
{
	return meta_put(&enrich->to, type, key, text);
}

static int put_netns_name(void *context, uint32_t inode, const char *name)
{
	return put_meta(context, META_NETNS_NAME, inode, name);
}

struct enrich *enrich_new(const struct sink *to, int cgroup2_fd)
{
	struct enrich *enrich = calloc(1, sizeof(*enrich));

	if (!enrich)
		return NULL;
	enrich->to = *to;
	enrich->cgroup2_fd = cgroup2_fd;
	enrich->seen = table_new(sizeof(struct seen), SEEN_MAX, seen_equal);
	enrich->netns_names = netns_names_new(put_netns_name, enrich);
	if (enrich->seen && enrich->netns_names)
		return enrich;
	enrich_free(enrich);
	return NULL;
}

void enrich_free(struct enrich *enrich)
{
	if (!enrich)
		return;
	if (enrich->seen)
		table_free(enrich->seen);
	netns_names_free(enrich->netns_names);
	free(enrich);
}

void enrich_without_descriptions(struct enrich *enrich)
{
	enrich->no_descriptions = true;
}

/* --- the beginning ----------------------------------------------------------------------------------------
 */

struct services {
	struct enrich *enrich;
	int result;
};

static void put_service(void *context, uint16_t protocol, uint16_t port, const char *name)
{
	struct services *services = context;
	uint64_t key = (uint64_t)protocol << 16 | port;

	/* The first name of a port is its name, the rest are aliases. */
	if (!services->result && first_time(services->enrich, META_SERVICE, key, 0))
		services->result = put_meta(services->enrich, META_SERVICE, key, name);
}

int enrich_begin(struct enrich *enrich)
{
	struct services services = {.enrich = enrich};
	char host[256] = "";
	int result;

	gethostname(host, sizeof(host) - 1);
	enrich->clock_offset_ns = proc_clock_offset_ns();
	result = put_meta(enrich, META_VERSION, 0, PORTSNOOP_VERSION);
	if (!result)
		result = put_meta(enrich, META_HOST, 0, host);
	if (!result)
		result = put_meta(enrich, META_CLOCK, (uint64_t)enrich->clock_offset_ns, "");
	if (!result)
		result = put_meta(enrich, META_NETNS, proc_netns(), "");
	if (!result)
		result = netns_settings_put(&enrich->to, proc_netns());
	if (!result)
		lookup_each_service(put_service, &services);
	return result ? result : services.result;
}

int enrich_tick(struct enrich *enrich)
{
	int64_t offset = proc_clock_offset_ns();
	int result = netns_names_tick(enrich->netns_names, proc_boottime_ns());

	if (result || llabs(offset - enrich->clock_offset_ns) < CLOCK_STEP_NS)
		return result;
	enrich->clock_offset_ns = offset;
	return put_meta(enrich, META_CLOCK, (uint64_t)offset, "");
}

int enrich_follow(struct enrich *enrich, uint32_t pid)
{
	return put_meta(enrich, META_FOLLOW, pid, "");
}

/* --- processes --------------------------------------------------------------------------------------------
 */

static bool is_file(const struct stat *file, int directory_fd, const char *path)
{
	struct stat found;

	return !fstatat(directory_fd, path, &found, 0) && found.st_ino == file->st_ino &&
	       found.st_dev == file->st_dev;
}

/* Whether the program has this name, seen from the process's root or from here. */
static bool is_called(int proc_fd, const char *path)
{
	char inside[sizeof("root") + REC_PATH_MAX];
	struct stat program;

	if (fstatat(proc_fd, "exe", &program, 0))
		return true;
	snprintf(inside, sizeof(inside), "root%s", path);
	return is_file(&program, proc_fd, inside) || is_file(&program, AT_FDCWD, path);
}

/* The kernel puts a mark behind the name of a program that is no longer there (d_path(), fs/d_path.c). */
static size_t without_mark(int proc_fd, const char *path, size_t length)
{
	static const char mark[] = " (deleted)";
	char whole[REC_PATH_MAX + 1];

	if (length <= strlen(mark) || length > REC_PATH_MAX ||
	    memcmp(path + length - strlen(mark), mark, strlen(mark)))
		return length;
	memcpy(whole, path, length);
	whole[length] = '\0';
	return is_called(proc_fd, whole) ? length : length - strlen(mark);
}

/* As the kernel side has it: a program that an upgrade has replaced goes on under its name. */
static void read_path(int proc_fd, struct rec_process *process)
{
	ssize_t n = readlinkat(proc_fd, "exe", process->path, sizeof(process->path));

	process->path_length = 0;
	if (n <= 0)
		return;
	process->path_length = (uint16_t)without_mark(proc_fd, process->path, (size_t)n);
	process->header.flags |= PROCESS_F_TEXT_PATH;
	if ((size_t)n == sizeof(process->path))
		process->header.flags |= PROCESS_F_PATH_CUT;
}

static void read_args(int proc_fd, struct rec_process *process)
{
	char text[REC_ARGS_MAX + 2];
	ssize_t n = proc_read_at(proc_fd, "cmdline", text, sizeof(text));

	if (n <= 0)
		return;
	if (n > REC_ARGS_MAX) {
		n = REC_ARGS_MAX;
		process->header.flags |= PROCESS_F_ARGS_CUT;
	}
	memcpy(process->args, text, (size_t)n);
	process->args_length = (uint16_t)n;
}

/* The parent as /proc/PID/stat has it; its start is not known there. */
static void read_parent(int proc_fd, struct rec_process *process)
{
	char stat[512], *at;

	if (proc_read_at(proc_fd, "stat", stat, sizeof(stat)) <= 0)
		return;
	at = strrchr(stat, ')');
	if (at && strlen(at) > 4)
		process->parent_pid = (uint32_t)strtoul(at + 4, NULL, 10);
}

/* The last number of NSpid in /proc/PID/status is the innermost pid (proc(5)); the comm, which may hold
 * anything, comes before it with its newlines escaped. */
static uint32_t read_ns_pid(int proc_fd)
{
	char status[4096], *line, *last;

	if (proc_read_at(proc_fd, "status", status, sizeof(status)) <= 0)
		return 0;
	line = strstr(status, "\nNSpid:");
	if (!line)
		return 0;
	line++;
	line[strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last ? (uint32_t)strtoul(last, NULL, 10) : 0;
}

static void read_pid_ns(int proc_fd, struct rec_process *process)
{
	struct stat ns;

	process->ns_pid = read_ns_pid(proc_fd);
	if (fstatat(proc_fd, "ns/pid", &ns, 0) == 0)
		process->pid_ns = (uint32_t)ns.st_ino;
}

/* A process that the kernel side did not describe, or whose path did not fit: /proc, if it is still it. */
static int describe(struct enrich *enrich, const struct rec_task *task)
{
	struct rec_process process = {
		.header = {.size = sizeof(process),
			   .kind = REC_PROCESS,
			   .probe = PROBE_PROC,
			   .flags = REC_F_TASK,
			   .time_ns = proc_boottime_ns()},
		.task = *task,
	};
	int proc_fd = proc_open(task->pid, task->start_ns);

	if (proc_fd < 0)
		return 0;
	read_path(proc_fd, &process);
	read_args(proc_fd, &process);
	read_parent(proc_fd, &process);
	read_pid_ns(proc_fd, &process);
	close(proc_fd);
	return sink_put(&enrich->to, &process, sizeof(process));
}

/*
 * A process that executes another program has another comm: it is described anew, also where nobody told of
 * the exec. What a process calls itself only costs a look more.
 */
static bool first_seen(struct enrich *enrich, const struct rec_task *task)
{
	uint64_t comm[2];

	_Static_assert(sizeof(comm) == sizeof(task->comm), "a comm is two words");
	memcpy(comm, task->comm, sizeof(comm));
	return first_time(enrich, META_NONE, task->start_ns ^ table_hash(comm[0], comm[1]), task->pid);
}

/* --- every record ------------------------------------------------------------------------------------------
 */

static bool is_last_holder(const struct enrich *enrich, const struct rec_task *task)
{
	const struct rec_task *last = &enrich->last_holder;

	return last->start_ns == task->start_ns && last->pid == task->pid && last->uid == task->uid &&
	       last->cgroup_id == task->cgroup_id && !memcmp(last->comm, task->comm, sizeof(task->comm));
}

int enrich_cgroup(struct enrich *enrich, uint64_t cgroup_id)
{
	char text[TEXT_MAX];

	if (!cgroup_id || enrich->cgroup2_fd < 0 || !first_time(enrich, META_CGROUP, cgroup_id, 0) ||
	    !lookup_cgroup(enrich->cgroup2_fd, cgroup_id, text, sizeof(text)))
		return 0;
	return put_meta(enrich, META_CGROUP, cgroup_id, text);
}

static int name_task(struct enrich *enrich, const struct rec_task *task)
{
	char text[TEXT_MAX];
	int result = 0;

	if (first_time(enrich, META_USER, task->uid, 0) && lookup_user(task->uid, text, sizeof(text)))
		result = put_meta(enrich, META_USER, task->uid, text);
	return result ? result : enrich_cgroup(enrich, task->cgroup_id);
}

static int name_netns(struct enrich *enrich, const struct rec_fact *fact)
{
	if (!fact->socket.netns)
		return 0;
	return netns_names_need(enrich->netns_names, fact->socket.netns, fact->header.time_ns);
}

static int enrich_take(void *context, const void *record, size_t size)
{
	struct enrich *enrich = context;
	const struct rec_header *header = record;
	const struct rec_task *task = (const void *)(header + 1);
	bool describes = false;
	int result = 0;

	if (header->flags & REC_F_SOCKET)
		result = name_netns(enrich, record);
	if (result || !(header->flags & REC_F_TASK) ||
	    (header->kind == REC_HOLDER && is_last_holder(enrich, task)))
		return result ? result : sink_put(&enrich->to, record, size);
	result = name_task(enrich, task);
	if (header->kind == REC_PROCESS) {
		first_seen(enrich, task);
		describes = header->flags & (PROCESS_F_NO_ARGS | PROCESS_F_PATH_CUT);
	} else if (header->kind == REC_HOLDER) {
		describes = first_seen(enrich, task);
		enrich->last_holder = *task;
	}
	if (!result)
		result = sink_put(&enrich->to, record, size);
	if (!result && describes && !enrich->no_descriptions)
		result = describe(enrich, task);
	return result;
}

struct sink enrich_sink(struct enrich *enrich)
{
	return (struct sink){.take = enrich_take, .context = enrich};
}
