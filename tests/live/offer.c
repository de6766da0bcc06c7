/* SPDX-License-Identifier: GPL-2.0-only */
#include "offer.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static const struct since {
	const char *fact;
	int major, minor;
} since[] = {
	{"refuse", 6, 10},
	{"io_uring", 5, 18},
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

/* "refuse: not on this kernel (needs 6.10)", up to the next of them or the end of the line. */
static bool is_excused(const char *remark)
{
	char text[64];

	for (size_t i = 0; i < N_SINCE; i++) {
		snprintf(text, sizeof(text), "%s: not on this kernel (needs %d.%d);", since[i].fact,
			 since[i].major, since[i].minor);
		if (!strncmp(remark, text, strlen(text)) && is_too_old_for(&since[i]))
			return true;
	}
	return false;
}

const char *offer_complaints(const struct tool_result *result)
{
	static const char notice[] = "portsnoop: not everything can be seen here: ";
	static const char pointer[] = "portsnoop doctor tells more\n";
	const char *line_end = strchr(result->err, '\n'), *remark = result->err + sizeof(notice) - 1;

	if (!line_end || strncmp(result->err, notice, sizeof(notice) - 1))
		return result->err;
	for (; strncmp(remark, pointer, sizeof(pointer) - 1); remark = strstr(remark, "; ") + 2)
		if (!is_excused(remark))
			return result->err;
	return line_end + 1;
}
