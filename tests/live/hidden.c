/* SPDX-License-Identifier: GPL-2.0-only */
#include "hidden.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct hidden {
	int tracefs;
	int instance; /* a log of its own: nobody else's is touched */
	char name[64];
};

/* Root may read this link of every process, unless the kernel makes an exception. */
static bool process_1_is_hidden(void)
{
	char path[256];

	return geteuid() == 0 && readlink("/proc/1/exe", path, sizeof(path)) < 0 && errno == EACCES;
}

static int open_tracefs(void)
{
	int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC), mount = -1;

	if (context < 0)
		return -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	close(context);
	return mount;
}

static bool put(int directory, const char *file, const char *text)
{
	int fd = openat(directory, file, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool watch_threads_of_1(int instance)
{
	DIR *tasks = opendir("/proc/1/task");
	char tids[4096] = "";
	struct dirent *task;

	while (tasks && (task = readdir(tasks)))
		if (task->d_name[0] != '.' && strlen(tids) + strlen(task->d_name) + 2 < sizeof(tids))
			strcat(strcat(tids, task->d_name), " ");
	if (tasks)
		closedir(tasks);
	return put(instance, "set_event_pid", tids) &&
	       put(instance, "events/sock/inet_sock_set_state/enable", "1");
}

struct hidden *hidden_watch(void)
{
	struct hidden *hidden = process_1_is_hidden() ? calloc(1, sizeof(*hidden)) : NULL;

	if (!hidden)
		return NULL;
	snprintf(hidden->name, sizeof(hidden->name), "instances/live-%d", getpid());
	hidden->tracefs = open_tracefs();
	hidden->instance = -1;
	if (hidden->tracefs >= 0 && (mkdirat(hidden->tracefs, hidden->name, 0700) == 0 || errno == EEXIST))
		hidden->instance = openat(hidden->tracefs, hidden->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (hidden->instance >= 0 && watch_threads_of_1(hidden->instance))
		return hidden;
	hidden_end(hidden);
	return NULL;
}

unsigned hidden_changes(const struct hidden *hidden)
{
	int fd = hidden ? openat(hidden->instance, "trace", O_RDONLY | O_CLOEXEC) : -1;
	FILE *log = fd >= 0 ? fdopen(fd, "r") : NULL;
	unsigned count = 0;
	char line[1024];

	while (log && fgets(line, sizeof(line), log))
		count += line[0] != '#' && strstr(line, "inet_sock_set_state");
	if (log)
		fclose(log);
	return count;
}

void hidden_end(struct hidden *hidden)
{
	if (!hidden)
		return;
	if (hidden->instance >= 0) {
		close(hidden->instance);
		unlinkat(hidden->tracefs, hidden->name, AT_REMOVEDIR);
	}
	if (hidden->tracefs >= 0)
		close(hidden->tracefs);
	free(hidden);
}
