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
#define NAMESPACES 300 /* a tenth where everything takes longer */
#define LOOKS	   8

struct birth {
	int begun, done; /* gates: the first is there, and each of them */
};

static void live_elsewhere(const struct scene *scene, const struct birth *birth)
{
	union address at = address_of("0.0.0.0", PORT);
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	scene_must(scene, unshare(CLONE_NEWNET), "network namespace");
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	scene_must(scene, listen(fd, 8), "listen");
	gate_post(scene, birth->done);
	for (;;)
		pause();
}

/* One after the other, each to stay. */
static void bear(struct scene *scene, void *context)
{
	unsigned count = scene->scale < 1 ? NAMESPACES / 10 : NAMESPACES;
	const struct birth *birth = context;

	for (unsigned i = 0; i < count; i++) {
		if (scene_must(scene, fork(), "fork") == 0)
			live_elsewhere(scene, birth);
		gate_wait(scene, birth->done);
		if (i == 0)
			gate_post(scene, birth->begun);
	}
	for (;;)
		pause();
}

/* Whoever has the socket keeps it. */
static void expect_holder(struct scene *scene, const json_t *row, void *context)
{
	unsigned *seen = context;

	if (event_number(row, "network.local.port") != PORT)
		return;
	(*seen)++;
	if (!json_array_size(event_at(row, "portsnoop.holders")))
		scene_fail(scene, "nobody has the socket of network namespace %u, after %u that somebody has",
			   (unsigned)event_number(row, "portsnoop.netns"), *seen - 1);
}

void netns_born(struct scene *scene)
{
	struct birth birth = {gate_new(scene), gate_new(scene)};
	pid_t mother = actor_start(scene, bear, &birth);
	unsigned before = 0;

	gate_wait(scene, birth.begun);
	for (unsigned i = 0; i < LOOKS; i++) {
		struct tool_result result;
		unsigned seen = 0;

		tool_run(scene, &result, NULL, "ls", "ports", "--no-instance", "--json", NULL);
		if (result.status || result.err_length)
			scene_fail(scene, "look %u: exit code %d: %s", i, result.status, result.err);
		tool_each_line(scene, result.out_path, expect_holder, &seen);
		if (seen < before)
			scene_fail(scene, "%u namespaces, and %u before", seen, before);
		scene_note(scene, "%u namespaces", seen);
		before = seen;
		tool_result_free(&result);
	}
	actor_kill(scene, mother);
}
