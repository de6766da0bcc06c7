/* SPDX-License-Identifier: GPL-2.0-only */
/* An executable whose path is longer than a record has room for: it is cut, and nothing behind it is touched.
 */
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
#define FOLDER 200    /* bytes of a name */
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
