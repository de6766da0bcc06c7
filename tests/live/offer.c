/* SPDX-License-Identifier: GPL-2.0-only */
#include "offer.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static const struct since {
	const char *fact;
	const char *hook; /* what the names of its programs begin with */
	int major, minor;
} since[] = {
	{"refuse", "refuse_", 6, 10},
	{"io_uring", "uring_", 5, 18},
};
#define N_SINCE (sizeof(since) / sizeof(since[0]))

static bool is_too_old_for(const struct since *what)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	return major < what->major || (major == what->major && minor < what->minor);
}

void offer_kernel(const struct scene *scene, const char *complaint)
{
	static const struct since floor = {.major = 5, .minor = 15};

	if (strstr(complaint, "portsnoop needs what Linux 5.15 has") && is_too_old_for(&floor))
		scene_skip(scene, "portsnoop needs Linux 5.15, and says so");
}

void offer_need(const struct tool *tool, const char *fact)
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":", fact);
	if (strstr(tool->ready, key))
		return;
	for (size_t i = 0; i < N_SINCE; i++)
		if (!strcmp(since[i].fact, fact) && is_too_old_for(&since[i]))
			scene_skip(tool->scene, "no %s: the kernel is older than %d.%d", fact, since[i].major,
				   since[i].minor);
}

static bool is_excused(const char *hook)
{
	for (size_t i = 0; i < N_SINCE; i++)
		if (!strncmp(hook, since[i].hook, strlen(since[i].hook)) && is_too_old_for(&since[i]))
			return true;
	return false;
}

const char *offer_complaints(const struct tool_result *result)
{
	static const char notice[] = "portsnoop: not everything can be seen here: ";
	const char *line_end = strchr(result->err, '\n'), *hook = result->err + sizeof(notice) - 1;

	if (!line_end || strncmp(result->err, notice, sizeof(notice) - 1))
		return result->err;
	for (; hook && hook < line_end; hook = strstr(hook, "), ") ? strstr(hook, "), ") + 3 : NULL)
		if (!is_excused(hook))
			return result->err;
	return line_end + 1;
}
