/* SPDX-License-Identifier: GPL-2.0-only */
#include "churner.h"

#include "act.h"
#include "churn_acts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED 0x9e3779b97f4a7c15ull

/* --- a churner --------------------------------------------------------------------------------------------
 */

struct start {
	struct churn *churn;
	unsigned number;
};

static void go_elsewhere(struct scene *scene, const struct churn *churn)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", churn->elsewhere.pid);
	fd = (int)scene_must(scene, open(path, O_RDONLY | O_CLOEXEC), path);
	scene_must(scene, setns(fd, CLONE_NEWNET), "setns");
	close(fd);
}

static void live(struct scene *scene, void *context)
{
	const struct start *start = context;
	struct churn *churn = start->churn;
	const struct churner *self = &churn->churners[start->number];
	struct actor actor = {
		.scene = scene,
		.board = churn->board,
		.place = start->number % 2,
		.random = churn->seed * (1 + start->number + 100 * self->incarnation),
		.inbox = self->inbox[0],
		.stash_to = self->stash[1],
		.stash_from = self->stash[0],
	};

	for (unsigned i = 0; i < CHURNERS; i++)
		actor.others[i] = churn->churners[i].inbox[1];
	if (actor.place)
		go_elsewhere(scene, churn);
	actor_begin(&actor);
	for (;;) {
		gate_wait(scene, self->go);
		if (atomic_load(&churn->board->draining))
			actor_drain(&actor);
		else
			for (unsigned i = 0; i < churn->acts; i++)
				actor_act(&actor);
		gate_post(scene, self->done);
	}
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

static void pair_new(const struct scene *scene, int ends[2])
{
	scene_must(scene, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
		   "socketpair");
}

static void give_life(struct churn *churn, unsigned number)
{
	struct churner *churner = &churn->churners[number];
	struct start start = {churn, number};

	churner->pid = actor_start(churn->scene, live, &start);
	churner->pid_fd =
		(int)scene_must(churn->scene, syscall(SYS_pidfd_open, churner->pid, 0), "pidfd_open");
}

void churn_start(struct scene *scene, struct churn *churn, unsigned acts)
{
	const char *seed = getenv("LIVE_SEED");

	*churn = (struct churn){.scene = scene,
				.board = shared_new(scene, sizeof(struct board)),
				.acts = acts,
				.seed = SEED + (seed ? 2 * strtoull(seed, NULL, 10) : 0)};
	puppet_start(scene, &churn->elsewhere);
	puppet_leave_netns(&churn->elsewhere);
	places_add(scene, &churn->places, getpid());
	places_add(scene, &churn->places, churn->elsewhere.pid);
	churn->board->bound_is_listed = churn->places.bound_is_listed;
	for (unsigned i = 0; i < CHURNERS; i++) {
		struct churner *churner = &churn->churners[i];

		churner->go = gate_new(scene);
		churner->done = gate_new(scene);
		pair_new(scene, churner->inbox);
		pair_new(scene, churner->stash);
	}
	for (unsigned i = 0; i < CHURNERS; i++)
		give_life(churn, i);
}

/* Only the one that it does to itself is meant. */
static void bury(struct churn *churn, struct churner *churner)
{
	int status;

	scene_must(churn->scene, waitpid(churner->pid, &status, 0), "waitpid");
	close(churner->pid_fd);
	churner->incarnation++;
	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status) ? WEXITSTATUS(status) : 1); /* it has said why */
	if (WTERMSIG(status) != SIGKILL)
		scene_fail(churn->scene, "a churner died of signal %d", WTERMSIG(status));
}

/* It is done, or it has killed itself, and another one takes its place. */
static void await(struct churn *churn, unsigned number)
{
	struct churner *churner = &churn->churners[number];
	struct pollfd ways[] = {{.fd = churner->done, .events = POLLIN},
				{.fd = churner->pid_fd, .events = POLLIN}};

	int n;

	while ((n = poll(ways, 2, (int)churn->scene->patience_s * 1000)) <= 0)
		if (n == 0 || errno != EINTR)
			scene_fail(churn->scene, "a churner does not come back");
	if (ways[0].revents) {
		gate_wait(churn->scene, churner->done);
		return;
	}
	bury(churn, churner);
	give_life(churn, number);
}

static void all(struct churn *churn, bool draining)
{
	atomic_store(&churn->board->draining, draining);
	for (unsigned i = 0; i < CHURNERS; i++)
		gate_post(churn->scene, churn->churners[i].go);
	for (unsigned i = 0; i < CHURNERS; i++)
		await(churn, i);
}

void churn_round(struct churn *churn)
{
	all(churn, false);
	all(churn, true);
}

void churn_stop(struct churn *churn)
{
	for (unsigned i = 0; i < CHURNERS; i++)
		actor_kill(churn->scene, churn->churners[i].pid);
	puppet_exit(&churn->elsewhere);
}

uint64_t churn_acts(const struct churn *churn)
{
	return atomic_load(&churn->board->acts);
}

unsigned churn_killed(const struct churn *churn)
{
	unsigned killed = 0;

	for (unsigned i = 0; i < CHURNERS; i++)
		killed += churn->churners[i].incarnation;
	return killed;
}
