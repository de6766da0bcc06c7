/* SPDX-License-Identifier: GPL-2.0-only */
/* --netns: the same port in two network namespaces, and each command about one of them. */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT	  7970
#define PORT_TEXT "7970"

struct elsewhere {
	int ready;
	uint32_t netns;
	uint64_t cookie;
};

/* Has the port in a namespace of its own. */
static void hold_elsewhere(struct scene *scene, void *context)
{
	struct elsewhere *elsewhere = context;
	union address at = address_of("0.0.0.0", PORT);
	struct stat st;
	int fd;

	scene_must(scene, unshare(CLONE_NEWNET), "network namespace");
	scene_must(scene, stat("/proc/self/ns/net", &st), "stat");
	elsewhere->netns = (uint32_t)st.st_ino;
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	scene_must(scene, listen(fd, 8), "listen");
	elsewhere->cookie = cookie_of(scene, fd);
	gate_post(scene, elsewhere->ready);
	for (;;)
		pause();
}

struct count {
	const struct elsewhere *elsewhere;
	unsigned theirs, others;
};

static void count_row(struct scene *scene, const json_t *row, void *context)
{
	struct count *count = context;
	bool theirs = event_number(row, "portsnoop.netns") == count->elsewhere->netns;

	if (theirs && event_number(row, "portsnoop.cookie") == count->elsewhere->cookie)
		count->theirs++;
	else
		count->others++;
}

/* Runs it; of the rows that it prints, as many must be the other namespace's one, and as many something else.
 */
static void expect_rows(struct scene *scene, const struct elsewhere *elsewhere, unsigned theirs,
			const char *netns, const char *command, const char *word)
{
	struct count count = {.elsewhere = elsewhere};
	struct tool_result result;

	tool_run(scene, &result, NULL, command, "--json", "--netns", netns, word, "or", "port", PORT_TEXT,
		 NULL);
	if (result.status != 0)
		scene_fail(scene, "%s: exit code %d: %s", command, result.status, result.err);
	tool_each_line(scene, result.out_path, count_row, &count);
	if (count.theirs != theirs || count.others)
		scene_fail(scene, "%s --netns %s: %u rows of the other namespace instead of %u, and %u more",
			   command, netns, count.theirs, theirs, count.others);
	tool_result_free(&result);
}

static void expect_status(struct scene *scene, int status, const char *text, const char *netns,
			  const char *what)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "wait", PORT_TEXT, what, "--timeout", "1ms", "--netns", netns, NULL);
	if (result.status != status || !(strstr(result.out, text) || strstr(result.err, text)))
		scene_fail(scene, "wait %s --netns %s: exit code %d instead of %d: %s%s", what, netns,
			   result.status, status, result.out, result.err);
	tool_result_free(&result);
}

void netns_choice(struct scene *scene)
{
	struct elsewhere *elsewhere = shared_new(scene, sizeof(*elsewhere));
	char there[16], here[16];
	pid_t pid;

	elsewhere->ready = gate_new(scene);
	pid = actor_start(scene, hold_elsewhere, elsewhere);
	gate_wait(scene, elsewhere->ready);
	snprintf(there, sizeof(there), "%d", pid);
	snprintf(here, sizeof(here), "%d", getpid());
	/* The filter stays whole behind the option: `or` does not reach beyond it. */
	expect_rows(scene, elsewhere, 1, there, "ls", "ipv4");
	expect_rows(scene, elsewhere, 0, here, "ls", "failed");
	expect_status(scene, 0, "0.0.0.0:7970 listen: live(", there, "--listening");
	expect_status(scene, 1, "nobody listens on", here, "--listening");
	expect_status(scene, 1, "is not free", there, "--free");
	expect_status(scene, 0, "is free", here, "--free");
	expect_status(scene, 2, "there is no such network namespace", "no-such", "--free");
	actor_kill(scene, pid);
}
