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
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PORT  7971
#define LOOKS 4
#define MOST  500 /* namespaces */

struct birth {
	int first, there; /* gates: there is one; and the next may be born */
	atomic_bool enough;
	_Atomic unsigned born;
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
	gate_post(scene, birth->there);
	for (;;)
		pause();
}

/* One after the other, each to stay. */
static void bear(struct scene *scene, void *context)
{
	struct birth *birth = context;

	while (!atomic_load(&birth->enough) && atomic_load(&birth->born) < MOST) {
		if (scene_must(scene, fork(), "fork") == 0)
			live_elsewhere(scene, birth);
		gate_wait(scene, birth->there);
		if (!atomic_fetch_add(&birth->born, 1))
			gate_post(scene, birth->first);
	}
	gate_post(scene, birth->first);
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

/* Returns how many there are, no fewer than before. */
static unsigned look(struct scene *scene, unsigned before)
{
	struct tool_result result;
	unsigned seen = 0;

	tool_run(scene, &result, NULL, "ls", "ports", "--no-instance", "--json", NULL);
	if (result.status || result.err_length)
		scene_fail(scene, "after %u: exit code %d: %s", before, result.status, result.err);
	tool_each_line(scene, result.out_path, expect_holder, &seen);
	if (seen < before)
		scene_fail(scene, "%u namespaces, and %u before", seen, before);
	scene_note(scene, "%u namespaces", seen);
	tool_result_free(&result);
	return seen;
}

/* While it looks they are born, as quickly as they can be; at the end they are all there. */
void netns_born(struct scene *scene)
{
	struct birth *birth = shared_new(scene, sizeof(*birth));
	unsigned seen = 0;
	pid_t mother;

	birth->first = gate_new(scene);
	birth->there = gate_new(scene);
	mother = actor_start(scene, bear, birth);
	gate_wait(scene, birth->first);
	for (unsigned i = 0; i < LOOKS; i++)
		seen = look(scene, seen);
	atomic_store(&birth->enough, true);
	gate_wait(scene, birth->first); /* the last one is there, too */
	if (look(scene, seen) != atomic_load(&birth->born))
		scene_fail(scene, "there are %u namespaces", atomic_load(&birth->born));
	actor_kill(scene, mother);
}
