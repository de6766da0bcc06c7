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
	static const struct since floor = {.major = 5, .minor = 10};

	if (strstr(complaint, "portsnoop needs what Linux 5.10 has") && is_too_old_for(&floor))
		scene_skip(scene, "portsnoop needs Linux 5.10, and says so");
}

bool offer_in_flight(void)
{
	return !is_too_old_for(&(struct since){.major = 5, .minor = 17});
}

bool offer_has_port_table(void)
{
	return !is_too_old_for(&(struct since){.major = 5, .minor = 17});
}

void offer_port_table(struct scene *scene)
{
	struct tool_result result;

	if (offer_has_port_table())
		return;
	tool_run(scene, &result, NULL, "why", "7999", NULL);
	if (result.status != 3 || !strstr(result.err, "reads its tables of ports") ||
	    !strstr(result.err, "it takes Linux 5.17"))
		scene_fail(scene, "why: exit code %d, %s", result.status, result.err);
	scene_skip(scene, "no table of ports: the kernel is older than 5.17, and portsnoop says so");
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
