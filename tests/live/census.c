/* SPDX-License-Identifier: GPL-2.0-only */
#include "census.h"

#include "tool.h"
#include "truth.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS_MAX    256
#define HOLDERS_MAX 8

struct row {
	unsigned netns;
	uint64_t cookie; /* 0 of a truth: any */
	unsigned long inode;
	char text[256];
	bool taken;
	pid_t holders[HOLDERS_MAX];
	unsigned n_holders;
};

struct rows {
	struct row items[ROWS_MAX];
	unsigned n;
};

/* --- the truth --------------------------------------------------------------------------------------------
 */

static unsigned inode_of(const struct scene *scene, const char *path)
{
	struct stat st;

	scene_must(scene, stat(path, &st), path);
	return (unsigned)st.st_ino;
}

static void put_down(const struct scene *scene, const char *proto, uint64_t cookie, unsigned inode,
		     const char *local, const char *peer, const char *state)
{
	truth_log(scene, "row %u %" PRIu64 " %u proto=%s local=%s peer=%s state=%s",
		  inode_of(scene, "/proc/thread-self/ns/net"), cookie, inode, proto, local, peer, state);
}

void census_connecting(const struct scene *scene, int fd, const char *peer, const char *state)
{
	struct held held = held_of(scene, fd);
	struct stat st;

	scene_must(scene, fstat(fd, &st), "fstat");
	put_down(scene, held.proto, held.cookie, (unsigned)st.st_ino, held.local, peer, state);
}

void census_socket(const struct scene *scene, int fd, const char *state)
{
	census_connecting(scene, fd, held_of(scene, fd).peer, state);
}

void census_orphan(const struct scene *scene, const char *proto, uint64_t cookie, const char *local,
		   const char *peer, const char *state)
{
	put_down(scene, proto, cookie, 0, local, peer, state);
}

static struct row *rows_add(const struct scene *scene, struct rows *rows)
{
	if (rows->n == ROWS_MAX)
		scene_fail(scene, "more than %d sockets", ROWS_MAX);
	return &rows->items[rows->n++];
}

static void read_truth(const struct scene *scene, struct rows *rows)
{
	size_t position = 0, length;
	const char *line;

	while ((line = truth_next(scene->truth, &position, &length))) {
		struct row *row = rows_add(scene, rows);

		if (sscanf(line, "row %u %" SCNu64 " %lu %255[^\n]", &row->netns, &row->cookie, &row->inode,
			   row->text) != 4)
			scene_fail(scene, "not understood: %.80s", line);
	}
}

/* --- who holds them, as /proc says ------------------------------------------------------------------------
 */

static void row_hold(const struct scene *scene, struct row *row, pid_t pid)
{
	for (unsigned i = 0; i < row->n_holders; i++)
		if (row->holders[i] == pid)
			return;
	if (row->n_holders == HOLDERS_MAX)
		scene_fail(scene, "too many holders: %s", row->text);
	row->holders[row->n_holders++] = pid;
}

/* Calls back for each name in a folder that is a number. */
static void each_number(const struct scene *scene, const char *folder,
			void (*body)(const struct scene *scene, const char *path, void *context),
			void *context)
{
	DIR *open_folder = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX];

	while (open_folder && (entry = readdir(open_folder))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < (int)sizeof(path))
			body(scene, path, context);
	}
	if (open_folder)
		closedir(open_folder);
}

struct scan {
	struct rows *rows;
	pid_t pid;
};

static void scan_descriptor(const struct scene *scene, const char *path, void *context)
{
	const struct scan *scan = context;
	unsigned long inode;
	char target[64] = "";

	if (readlink(path, target, sizeof(target) - 1) < 0 || sscanf(target, "socket:[%lu]", &inode) != 1)
		return;
	for (unsigned i = 0; i < scan->rows->n; i++)
		if (scan->rows->items[i].inode == inode)
			row_hold(scene, &scan->rows->items[i], scan->pid);
}

static void scan_thread(const struct scene *scene, const char *path, void *context)
{
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%s/fd", path) < (int)sizeof(folder))
		each_number(scene, folder, scan_descriptor, context);
}

static void scan_process(const struct scene *scene, const char *path, void *context)
{
	struct scan scan = {.rows = context, .pid = atoi(path + sizeof("/proc/") - 1)};
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%s/task", path) < (int)sizeof(folder))
		each_number(scene, folder, scan_thread, &scan);
}

/* --- what the tool says -----------------------------------------------------------------------------------
 */

struct said {
	struct rows *rows;
	const struct rows *truth;
};

static bool is_of_interest(const struct rows *truth, unsigned netns)
{
	for (unsigned i = 0; i < truth->n; i++)
		if (truth->items[i].netns == netns)
			return true;
	return false;
}

static void take_line(struct scene *scene, const json_t *event, void *context)
{
	struct said *said = context;
	unsigned netns = (unsigned)event_number(event, "portsnoop.netns");
	json_t *holders = event_at(event, "portsnoop.holders"), *holder;
	struct row *row;
	size_t i;

	if (!is_of_interest(said->truth, netns))
		return;
	row = rows_add(scene, said->rows);
	row->netns = netns;
	row->cookie = event_number(event, "portsnoop.cookie");
	event_render(event,
		     event_key("proto", 5) | event_key("local", 5) | event_key("peer", 4) |
			     event_key("state", 5),
		     row->text, sizeof(row->text));
	memmove(row->text, row->text + 1,
		strlen(row->text)); /* a row has no name, only the blank behind it */
	json_array_foreach (holders, i, holder)
		row_hold(scene, row, (pid_t)event_number(holder, "process.pid"));
}

static void ask(struct scene *scene, const char *table, struct said *said)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "ls", table, "--json", NULL);
	if (result.status || result.err_length)
		scene_fail(scene, "ls %s: status %d, %s", table, result.status, result.err);
	tool_each_line(scene, result.out_path, take_line, said);
	tool_result_free(&result);
}

/* --- both -------------------------------------------------------------------------------------------------
 */

static int compare_pids(const void *left, const void *right)
{
	return *(const pid_t *)left - *(const pid_t *)right;
}

static bool is_the_same(const struct row *truth, const struct row *said)
{
	return !said->taken && truth->netns == said->netns && !strcmp(truth->text, said->text) &&
	       (!truth->cookie || truth->cookie == said->cookie);
}

static void check_holders(const struct scene *scene, struct row *truth, struct row *said)
{
	qsort(truth->holders, truth->n_holders, sizeof(pid_t), compare_pids);
	qsort(said->holders, said->n_holders, sizeof(pid_t), compare_pids);
	if (truth->n_holders != said->n_holders ||
	    memcmp(truth->holders, said->holders, truth->n_holders * sizeof(pid_t)))
		scene_fail(scene, "%s: %u holders, of them %d; /proc has %u, of them %d", truth->text,
			   said->n_holders, said->holders[0], truth->n_holders, truth->holders[0]);
}

static void find(const struct scene *scene, struct row *truth, struct rows *said)
{
	for (unsigned i = 0; i < said->n; i++) {
		if (!is_the_same(truth, &said->items[i]))
			continue;
		said->items[i].taken = true;
		check_holders(scene, truth, &said->items[i]);
		return;
	}
	scene_fail(scene, "not listed: %s, cookie %" PRIu64 ", netns %u", truth->text, truth->cookie,
		   truth->netns);
}

void census_check(struct scene *scene)
{
	static struct rows truth, rows;
	struct said said = {.rows = &rows, .truth = &truth};

	truth.n = rows.n = 0;
	memset(truth.items, 0, sizeof(truth.items));
	memset(rows.items, 0, sizeof(rows.items));
	read_truth(scene, &truth);
	each_number(scene, "/proc", scan_process, &truth);
	ask(scene, "ports", &said);
	ask(scene, "connections", &said);
	/* What is known by its cookie first: two may differ in nothing else. */
	for (unsigned i = 0; i < truth.n; i++)
		if (truth.items[i].cookie)
			find(scene, &truth.items[i], &rows);
	for (unsigned i = 0; i < truth.n; i++)
		if (!truth.items[i].cookie)
			find(scene, &truth.items[i], &rows);
	for (unsigned i = 0; i < rows.n; i++)
		if (!rows.items[i].taken)
			scene_fail(scene, "nobody made this: %s, cookie %" PRIu64, rows.items[i].text,
				   rows.items[i].cookie);
	scene_note(scene, "%u sockets", truth.n);
}
