/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that share one processor, and take it from each other in the middle of a call where the kernel
 * lets them: whoever comes between, each call is told once.
 */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "tool.h"
#include "truth.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CROWD 4

struct binder {
	int start; /* a gate */
	unsigned binds;
};

static void share_a_processor(const struct scene *scene)
{
	cpu_set_t allowed, one;
	int cpu = 0;

	scene_must(scene, sched_getaffinity(0, sizeof(allowed), &allowed), "sched_getaffinity");
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	scene_must(scene, sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
}

static void bind_on_and_on(struct scene *scene, void *context)
{
	const struct binder *binder = context;
	union address any = address_of("127.0.0.1", 0);

	share_a_processor(scene);
	gate_wait(scene, binder->start);
	for (unsigned i = 0; i < binder->binds; i++) {
		int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

		scene_must(scene, bind(fd, &any.any, address_length(&any)), "bind");
		close(fd);
	}
}

static int compare_cookies(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/*
 * Every event of this kind, of this namespace, is of another socket. As text: the kernel counts cookies down
 * from 2^64 where it is preempted while it makes one, and a JSON library may have no such numbers.
 */
static void expect_each_once(const struct scene *scene, const struct tool *tool, const char *kind,
			     unsigned room)
{
	uint64_t *cookies = calloc(2 * room, sizeof(*cookies));
	char *text = file_read(scene, tool->out_path, NULL), *rest = text, *line, netns[32];
	size_t n = 0;

	snprintf(netns, sizeof(netns), "\"netns\":%u,", scene->netns);
	while (cookies && n < 2 * room && (line = strsep(&rest, "\n")))
		if (strstr(line, kind) && strstr(line, netns) && !strstr(line, "127.77.") &&
		    strstr(line, "\"cookie\":"))
			cookies[n++] = strtoull(strstr(line, "\"cookie\":") + 9, NULL, 10);
	qsort(cookies, n, sizeof(*cookies), compare_cookies);
	for (size_t i = 1; i < n; i++)
		if (cookies[i] == cookies[i - 1])
			scene_fail(scene, "%s of socket %llu is told twice", kind,
				   (unsigned long long)cookies[i]);
	scene_note(scene, "%zu of %u: %s", n, room, kind);
	free(text);
	free(cookies);
}

/* Such a cookie comes seldom: so one is made up, for the comparison that the other scenarios rely on. */
static void expect_comparable(const struct tool *tool)
{
	static const char largest[] = "18446744073709551615";
	struct scene *scene = tool->scene;
	char path[600];
	FILE *file;

	snprintf(path, sizeof(path), "%s.made_up", tool->out_path);
	file = fopen(path, "we");
	if (!file)
		scene_fail(scene, "%s: %s", path, strerror(errno));
	fprintf(file,
		"{\"event_name\":\"accept\",\"portsnoop\":{\"netns\":%u,\"cookie\":%s,\"listener\":%s}}\n",
		scene->netns, largest, largest);
	fclose(file);
	truth_clear(scene->truth);
	truth_log(scene, "accept cookie=%s listener=%s", largest, largest);
	ledger_check_file(scene, path, NULL);
}

void preempted(struct scene *scene)
{
	struct binder binder = {gate_new(scene), scene_count(scene, 20000)};
	unsigned lost, binds = CROWD * binder.binds;
	pid_t pids[CROWD];
	struct tool tool;

	tool_start(&tool, scene, "--ring-size", "64M", NULL);
	for (int i = 0; i < CROWD; i++)
		pids[i] = actor_start(scene, bind_on_and_on, &binder);
	for (int i = 0; i < CROWD; i++)
		gate_post(scene, binder.start);
	for (int i = 0; i < CROWD; i++)
		actor_join(scene, pids[i]);
	tool_settle(&tool);
	tool_end(&tool);
	lost = tool.all[EVENT_LOST];
	expect_each_once(scene, &tool, "\"event_name\":\"bind\"", binds);
	expect_each_once(scene, &tool, "\"event_name\":\"close\"", binds);
	if (!lost && (tool.counts[EVENT_BIND] != binds || tool.counts[EVENT_CLOSE] != binds))
		scene_fail(scene, "%u binds and closes are told as %u and %u, and nothing as lost", binds,
			   tool.counts[EVENT_BIND], tool.counts[EVENT_CLOSE]);
	if (lost)
		scene_note(scene, "and something was lost, as it says");
	expect_comparable(&tool);
}
