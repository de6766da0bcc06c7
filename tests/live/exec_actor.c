/* SPDX-License-Identifier: GPL-2.0-only */
#include "exec_actor.h"

#include "act.h"
#include "counts_actor.h"
#include "tool.h"
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

const char *exec_actor_path(char buf[512])
{
	ssize_t length = readlink("/proc/self/exe", buf, 511);

	buf[length > 0 ? length : 0] = '\0';
	return buf;
}

const char *exec_actor_file(const struct scene *scene, char buf[512])
{
	snprintf(buf, 512, "%s/%s.truth", scene->out_dir, scene->name);
	return buf;
}

struct start {
	const char *const *argv;
};

static void become(struct scene *scene, void *context)
{
	const struct start *start = context;
	char path[512];

	execv(exec_actor_path(path), (char **)start->argv);
	scene_fail(scene, "%s: %s", path, strerror(errno));
}

pid_t exec_actor_start(struct scene *scene, const char *const *argv)
{
	struct start start = {argv};

	return actor_start(scene, become, &start);
}

void exec_actor_collect(struct scene *scene)
{
	char path[512], *text, *rest, *line;

	text = file_read(scene, exec_actor_file(scene, path), NULL);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			truth_log(scene, "%s", line);
	free(text);
	unlink(path);
}

/* --- the parts --------------------------------------------------------------------------------------------
 */

/* The command line as event.h says it. */
static void log_args(char *buf, size_t size, int argc, char **argv)
{
	size_t length = 0;

	for (int i = 0; i < argc && length < size; i++)
		length += (size_t)snprintf(buf + length, size - length, "%s%s", i ? "_" : "", argv[i]);
}

static void part_connect(struct scene *scene, int argc, char **argv)
{
	union address server = address_of(argv[4], (uint16_t)atoi(argv[5]));
	int fd = act_socket(scene, server.any.sa_family, SOCK_STREAM), pause_ms = atoi(argv[6]);
	struct timespec pause = {.tv_nsec = pause_ms * 1000000l};
	char args[512], path[512];
	struct held held;

	log_args(args, sizeof(args), argc, argv);
	scene_must(scene, connect(fd, &server.any, address_length(&server)), "connect");
	held = held_of(scene, fd);
	truth_log(scene,
		  "connect cookie=%llu pid=%d parent=%d local=%s peer=%s by=connect error=- exe=%s args=%s",
		  (unsigned long long)held.cookie, getpid(), getppid(), held.local, held.peer,
		  exec_actor_path(path), args);
	nanosleep(&pause, NULL); /* the life of the connection; nothing waits for it */
	act_close(scene, fd, &held, "reason=local direction=out sent=0 received=0 exe=%s args=%s", path,
		  args);
}

static void part_refused(struct scene *scene, char **argv)
{
	union address nobody = address_of(argv[4], (uint16_t)atoi(argv[5]));
	int fd = act_socket(scene, nobody.any.sa_family, SOCK_STREAM);

	if (act_connect(scene, fd, &nobody) != ECONNREFUSED)
		scene_fail(scene, "not refused");
	close(fd);
}

static void bind_and_close(struct scene *scene, const char *address, int port)
{
	union address at = address_of(address, (uint16_t)port);
	int fd = act_socket(scene, at.any.sa_family, SOCK_STREAM);

	if (act_bind(scene, fd, &at))
		scene_fail(scene, "bind failed");
	act_close(scene, fd, NULL, "reason=local");
}

static void grandchild(struct scene *scene, void *context)
{
	char **argv = context;

	bind_and_close(scene, argv[4], atoi(argv[5]) + 2);
}

static void child(struct scene *scene, void *context)
{
	char **argv = context;

	bind_and_close(scene, argv[4], atoi(argv[5]) + 1);
	actor_join(scene, actor_start(scene, grandchild, context));
}

static int part_family(struct scene *scene, char **argv)
{
	bind_and_close(scene, argv[4], atoi(argv[5]));
	actor_join(scene, actor_start(scene, child, argv));
	return atoi(argv[6]);
}

static void write_truth(struct scene *scene, const char *path)
{
	size_t position = 0, length;
	const char *line;
	int fd = (int)scene_must(scene, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), path);

	while ((line = truth_next(scene->truth, &position, &length)))
		scene_must(scene, write(fd, line, length), path);
	close(fd);
}

int exec_actor_main(int argc, char **argv)
{
	struct scene scene = {.name = argv[0], .reason_fd = STDERR_FILENO};
	int status = 0;

	if (argc < 6)
		return 2;
	scene.truth = truth_new(&scene);
	if (!strcmp(argv[3], "connect") && argc > 6)
		part_connect(&scene, argc, argv);
	else if (!strcmp(argv[3], "bind"))
		bind_and_close(&scene, argv[4], atoi(argv[5]));
	else if (!strcmp(argv[3], "refused"))
		part_refused(&scene, argv);
	else if (!strcmp(argv[3], "family") && argc > 6)
		status = part_family(&scene, argv);
	else if (!strcmp(argv[3], "counts"))
		counts_actor_part(&scene, argv[2], (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
	else
		return 2;
	write_truth(&scene, argv[2]);
	return status;
}
