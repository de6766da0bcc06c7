/* SPDX-License-Identifier: GPL-2.0-only */
/* Who made a socket and who uses it are different facts: the one who acts is named. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct family {
	union address address;
	int listener, fd, accepted;
	int done; /* gate */
};

static void connect_and_close(struct scene *scene, void *context)
{
	struct family *family = context;

	if (act_connect(scene, family->fd, &family->address))
		scene_fail(scene, "connect failed");
	close(family->fd); /* not the last: the parent has it too */
}

/* The parent makes the socket, the child connects it, the parent is the last to close it. */
void parents_socket(struct scene *scene)
{
	struct family family = {.address = address_of("127.0.0.1", 7600)};
	struct tool tool;

	tool_start(&tool, scene, NULL);
	family.listener = act_listener(scene, &family.address, 8);
	family.fd = act_socket(scene, AF_INET, SOCK_STREAM);
	actor_join(scene, actor_start(scene, connect_and_close, &family));
	family.accepted = act_accept(scene, family.listener, ACCEPT_NULL);
	act_close_pair(scene, family.fd, family.accepted);
	act_close(scene, family.listener, NULL, "reason=local accepts=1");
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}

/* --- the maker has exited ---------------------------------------------------------------------------------
 */

static void user(struct scene *scene, void *context)
{
	struct family *family = context;
	union address own = address_of("127.0.0.1", 7602);

	close(family->listener);	/* or it would be the last who has it */
	gate_wait(scene, family->done); /* until the maker is gone */
	if (act_bind(scene, family->fd, &own) || act_connect(scene, family->fd, &family->address))
		scene_fail(scene, "bind or connect failed");
	act_close(scene, family->fd, NULL, "reason=local direction=out sent=0 received=0");
	gate_post(scene, family->accepted);
}

static void maker(struct scene *scene, void *context)
{
	struct family *family = context;

	family->fd = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, fcntl(family->fd, F_SETFD, 0), "fcntl");
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, 0);
	user(scene, context);
	_exit(0);
}

void makers_gone(struct scene *scene)
{
	struct family family = {
		.address = address_of("127.0.0.1", 7601),
		.done = gate_new(scene),
		.accepted = gate_new(scene),
	};
	struct held held;
	struct tool tool;
	int fd;

	tool_start(&tool, scene, NULL);
	family.listener = act_listener(scene, &family.address, 8);
	actor_join(scene, actor_start(scene, maker, &family));
	gate_post(scene, family.done);
	fd = act_accept(scene, family.listener, ACCEPT4_NULL);
	held = held_of(scene, fd);
	receive_end(scene, fd);
	gate_wait(scene, family.accepted);
	act_close(scene, fd, &held, "reason=peer direction=in sent=0 received=0");
	act_close(scene, family.listener, NULL, "reason=local accepts=1");
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}

/* --- the parents of who listens ---------------------------------------------------------------------------
 */

struct lineage {
	int ready;   /* gate */
	pid_t *last; /* shared */
};

static void listens(struct scene *scene, void *context)
{
	const struct lineage *lineage = context;
	union address address = address_of("127.0.0.1", 7603);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
	scene_must(scene, listen(fd, 8), "listen");
	*lineage->last = getpid();
	gate_post(scene, lineage->ready);
	for (;;)
		pause();
}

/* Never has a socket, so no event ever names it. */
static void stands_between(struct scene *scene, void *context)
{
	actor_start(scene, listens, context);
	for (;;)
		pause();
}

static void expect_parents(struct scene *scene, const char *option, const char *parents)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "who", "127.0.0.1:7603", option, NULL);
	if (result.status || !strstr(result.out, parents))
		scene_fail(scene, "who %s: '%s' is not in: %s%s", option, parents, result.out, result.err);
	tool_result_free(&result);
}

/* Asked of a trace that saw it all, and of the kernel. */
void who_parents(struct scene *scene)
{
	struct lineage lineage = {gate_new(scene), shared_new(scene, sizeof(pid_t))};
	char parents[96];
	struct tool tool;
	pid_t between;

	tool_start(&tool, scene, NULL);
	between = actor_start(scene, stands_between, &lineage);
	gate_wait(scene, lineage.ready);
	snprintf(parents, sizeof(parents), "live(%d) ← live(%d) ← live(%d)", *lineage.last, between,
		 getpid());
	expect_parents(scene, "--sync", parents);
	expect_parents(scene, "--no-instance", parents);
	actor_kill(scene, between); /* and its child with it */
	tool_end(&tool);
}
