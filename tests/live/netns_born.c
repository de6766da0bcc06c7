/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network namespaces that come into being while a walk is under way: what a descriptor shows of one is a
 * reason to look there, not to complain that it could not be looked into.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PORT	   7971
#define NAMESPACES 300
#define LOOKS	   8

static void live_elsewhere(const struct scene *scene)
{
	union address at = address_of("0.0.0.0", PORT);
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	scene_must(scene, unshare(CLONE_NEWNET), "network namespace");
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	scene_must(scene, listen(fd, 8), "listen");
	for (;;)
		pause();
}

/* One after the other, each to stay. */
static void bear(struct scene *scene, void *context)
{
	const int *born = context;

	for (unsigned i = 0; i < NAMESPACES; i++) {
		if (scene_must(scene, fork(), "fork") == 0)
			live_elsewhere(scene);
		gate_post(scene, *born);
	}
	for (;;)
		pause();
}

void netns_born(struct scene *scene)
{
	int born = gate_new(scene);
	pid_t mother = actor_start(scene, bear, &born);

	gate_wait(scene, born);
	for (unsigned i = 0; i < LOOKS; i++) {
		struct tool_result result;

		tool_run(scene, &result, NULL, "ls", "ports", "--no-instance", NULL);
		if (result.status || result.err_length)
			scene_fail(scene, "look %u: exit code %d: %s", i, result.status, result.err);
		tool_result_free(&result);
	}
	actor_kill(scene, mother);
}
