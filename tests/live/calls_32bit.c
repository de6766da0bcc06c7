/* SPDX-License-Identifier: GPL-2.0-only */
/* What a 32-bit program does: by functions all of it, by tracepoints what docs/kernels.md says. */
#include "act.h"
#include "exec_actor.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside this program, made by another compiler (Makefile, live32). */
static void find_program(const struct scene *scene, char path[512])
{
	exec_actor_path(path);
	strcpy(strrchr(path, '/') + 1, "calls32");
	if (access(path, X_OK))
		scene_skip(scene, "no 32-bit program: make live32 says why");
}

/* Its truth goes where that of actors goes. */
static void become(struct scene *scene, void *context)
{
	char file[512];
	int fd = open(exec_actor_file(scene, file), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	scene_must(scene, fd, file);
	scene_must(scene, dup2(fd, STDOUT_FILENO), "dup2");
	execl(context, context, NULL);
	if (errno == ENOEXEC)
		scene_skip(scene, "this kernel runs no 32-bit programs");
	scene_fail(scene, "%s: %s", (const char *)context, strerror(errno));
}

static bool is(const char *line, const char *event, const char *what)
{
	return !strncmp(line, event, strlen(event)) && strstr(line, what);
}

/* What no tracepoint tells of these calls: they fire for those of the machine's own width only. */
static bool unseen(const char *line)
{
	return is(line, "listen ", "") || is(line, "bind ", "error=E") || is(line, "accept ", "#unasked") ||
	       is(line, "connect ", "error=ENETUNREACH");
}

/* How lines end, and how they do when tracepoints are all there is. */
static const struct {
	const char *truth, *seen;
} endings[] = {
	{"by=connect late=-", "by=connect late=yes"},
	{"accepts=4", "accepts=2"}, /* those that asked for an address */
};

static void log_as_seen(struct scene *scene, char *line)
{
	if (unseen(line))
		return;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		char *end = strstr(line, endings[i].truth);

		if (end) {
			*end = '\0';
			truth_log(scene, "%s%s", line, endings[i].seen);
			return;
		}
	}
	truth_log(scene, "%s", line);
}

/* Puts down what the program said, as far as it is to be seen. */
static void take_truth(struct scene *scene, bool functions)
{
	char path[512], *text, *rest, *line;

	text = file_read(scene, exec_actor_file(scene, path), NULL);
	rest = text;
	while ((line = strsep(&rest, "\n")) && *line) {
		if (!functions)
			log_as_seen(scene, line);
		else
			truth_log(scene, "%.*s", (int)strcspn(line, "#"), line);
	}
	free(text);
	unlink(path);
}

void calls_32bit(struct scene *scene)
{
	char path[512];
	struct tool tool;

	find_program(scene, path);
	tool_start(&tool, scene, NULL);
	actor_join(scene, actor_start(scene, become, path));
	take_truth(scene, strstr(tool.ready, "\"listen\":\"tracepoint\"") == NULL);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}
