/* SPDX-License-Identifier: GPL-2.0-only */
/* Executables whose paths are out of the ordinary: longer than a record has room for, and gone. */
#include "act.h"
#include "event.h"
#include "exec_actor.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT   "8950" /* nobody listens there */
#define HELD   8951
#define FOLDER 200 /* bytes of a name */
#define DEPTH  12

static void copy_program(const struct scene *scene, const char *from, const char *to)
{
	int in = (int)scene_must(scene, open(from, O_RDONLY | O_CLOEXEC), from);
	int out = (int)scene_must(scene, open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755), to);
	char buf[65536];
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		scene_must(scene, write(out, buf, (size_t)n) == n ? 0 : -1, "copying the program");
	close(in);
	scene_must(scene, close(out), to);
}

/* Into path: folders of such names below one another, and the program in the last. */
static void bury_program(const struct scene *scene, char *path, size_t size)
{
	char program[512];
	size_t length = (size_t)snprintf(path, size, "%s", scene->out_dir);

	for (unsigned i = 0; i < DEPTH; i++) {
		path[length++] = '/';
		memset(path + length, 'a' + (int)i, FOLDER);
		path[length += FOLDER] = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			scene_fail(scene, "%s: %s", path, strerror(errno));
	}
	strcpy(path + length, "/buried");
	unlink(path);
	copy_program(scene, exec_actor_path(program), path);
}

struct wanted {
	const char *path;
	unsigned seen;
};

static void look(struct scene *scene, const json_t *event, void *context)
{
	struct wanted *wanted = context;
	const char *arguments = event_string(event, "process.command_line");

	if (strcmp(event_string(event, "event_name"), "connect") ||
	    event_number(event, "network.peer.port") != (uint64_t)atoi(PORT))
		return;
	wanted->seen++;
	/* Absent where that memory is not there just then: the kernel side waits for no page (seen on arm64).
	 */
	if (*arguments && strncmp(arguments, wanted->path, 400))
		scene_fail(scene, "the command line is %s", arguments);
	if (strcmp(event_string(event, "process.executable.name"), "buried"))
		scene_fail(scene, "the program is called %s", event_string(event, "process.executable.name"));
}

/* It is cut, and nothing behind it is touched. */
void long_path(struct scene *scene)
{
	char path[4096];
	struct wanted wanted = {.path = path};
	struct tool_result result;

	bury_program(scene, path, sizeof(path));
	tool_run(scene, &result, NULL, "trace", "--json", "--backend", scene->backend, "--", path,
		 EXEC_ACTOR_FLAG, "/dev/null", "refused", "127.0.0.1", PORT, NULL);
	if (result.status)
		scene_fail(scene, "exit code %d: %s", result.status, result.err);
	tool_each_line(scene, result.out_path, look, &wanted);
	if (wanted.seen != 1)
		scene_fail(scene, "seen %u times", wanted.seen);
	tool_result_free(&result);
}

/* --- gone, as after an upgrade ----------------------------------------------------------------------------
 */

struct upgraded {
	char path[600];
	const char *name;
	int input[2], begun[2]; /* pipes: what it reads from, and what closes when it is another program */
};

static void serve_on(struct scene *scene, void *context)
{
	const struct upgraded *upgraded = context;
	union address at = address_of("127.0.0.1", HELD);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	scene_must(scene, listen(fd, 1), "listen");
	scene_must(scene, fcntl(fd, F_SETFD, 0), "F_SETFD");
	scene_must(scene, dup2(upgraded->input[0], STDIN_FILENO), "dup2");
	execl(upgraded->path, "cat", NULL);
	scene_fail(scene, "%s: %s", upgraded->path, strerror(errno));
}

static void expect_path(struct scene *scene, const json_t *row, void *context)
{
	const struct upgraded *upgraded = context;
	const json_t *holder = json_array_get(event_at(row, "portsnoop.holders"), 0);

	if (event_number(row, "network.local.port") != HELD)
		return;
	if (strcmp(event_string(holder, "process.executable.path"), upgraded->path) ||
	    strcmp(event_string(holder, "process.executable.name"), upgraded->name))
		scene_fail(scene, "the program is called %s, of %s",
			   event_string(holder, "process.executable.name"),
			   event_string(holder, "process.executable.path"));
	scene_note(scene, "%s", event_string(holder, "process.executable.path"));
}

static pid_t start_server(struct scene *scene, struct upgraded *upgraded)
{
	pid_t actor;
	char byte;

	copy_program(scene, access("/usr/bin/cat", X_OK) ? "/bin/cat" : "/usr/bin/cat", upgraded->path);
	scene_must(scene, pipe2(upgraded->input, O_CLOEXEC), "pipe");
	scene_must(scene, pipe2(upgraded->begun, O_CLOEXEC), "pipe");
	actor = actor_start(scene, serve_on, upgraded);
	close(upgraded->begun[1]);
	scene_must(scene, read(upgraded->begun[0], &byte, 1), "read"); /* 0, when it has executed */
	return actor;
}

enum fate { STAYS, IS_GONE, IS_ELSEWHERE };

static void expect_name(struct scene *scene, const char *name, enum fate fate)
{
	struct upgraded upgraded = {.name = name};
	struct tool_result result;
	char other[700];
	pid_t actor;

	snprintf(upgraded.path, sizeof(upgraded.path), "%s/%s", scene->out_dir, name);
	snprintf(other, sizeof(other), "%s.other", upgraded.path);
	unlink(upgraded.path);
	unlink(other);
	actor = start_server(scene, &upgraded);
	if (fate == IS_ELSEWHERE)
		scene_must(scene, link(upgraded.path, other), "link");
	if (fate != STAYS)
		scene_must(scene, unlink(upgraded.path), "unlink");
	tool_run(scene, &result, NULL, "ls", "ports", "--json", "--no-instance", "lport", "8951", NULL);
	if (result.status || !result.out_length)
		scene_fail(scene, "ls: exit code %d: %s", result.status, result.err);
	tool_each_line(scene, result.out_path, expect_path, &upgraded);
	tool_result_free(&result);
	actor_kill(scene, actor);
	unlink(upgraded.path);
	unlink(other);
}

/* Metrics and filters go on by its name, which may end like that of one that is gone. */
void deleted_program(struct scene *scene)
{
	expect_name(scene, "upgraded", IS_GONE);
	expect_name(scene, "linked", IS_ELSEWHERE);
	expect_name(scene, "odd (deleted)", STAYS);
	expect_name(scene, "odd (deleted)", IS_GONE);
}
