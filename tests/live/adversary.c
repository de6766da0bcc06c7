/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread accepts while another closes the new descriptor at once, often before accept(2) has returned,
 * and puts other sockets in its place. Every accept must be seen, and none may name a socket or a process
 * that did not accept it. What was accepted is known from the other side: the clients' ports.
 */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define ADVERSARY_PORT	  7200
#define FIRST_CLIENT_PORT 10000
#define FIRST_VICTIM	  64
#define DECOYS		  3 /* descriptor numbers that the decoy may have at once */
#define VICTIMS		  8 /* ... and that accept(2) can get behind them, with some to spare */

struct adversary {
	unsigned count;
	enum accept_variant variants[2]; /* one after the other */
	union address address;
	int listening; /* gate */
	int listener, decoy;
	atomic_bool over;
	struct shared {
		uint64_t listener_cookie;
		pid_t accepter;
	} * shared;
};

/* The closer has a processor of its own, where there are two: it is to be there when accept(2) returns. */
static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Goes over the next free numbers again and again. In one round it closes what is there, in the next it puts
 * another socket there: dup2() closes and replaces at once, as soon as accept(2) has put its socket in, so
 * that whoever looks the number up a moment later finds a stranger.
 */
static void *close_at_once(void *context)
{
	struct adversary *adversary = context;

	stay_on(0);
	for (unsigned round = 0; !atomic_load_explicit(&adversary->over, memory_order_relaxed); round++) {
		if (round & 1)
			for (int i = 0; i < VICTIMS; i++)
				close(FIRST_VICTIM + i);
		else
			for (int i = 0; i < DECOYS; i++)
				dup2(adversary->decoy, FIRST_VICTIM + i);
	}
	return NULL;
}

static void server(struct scene *scene, void *context)
{
	struct adversary *adversary = context;
	pthread_t closer;

	adversary->listener = act_listener(scene, &adversary->address, 128);
	adversary->shared->listener_cookie = cookie_of(scene, adversary->listener);
	adversary->shared->accepter = thread_id();
	adversary->decoy = act_socket(scene, AF_INET, SOCK_STREAM);
	while (dup(adversary->listening) < FIRST_VICTIM - 1) /* from there on all numbers are free */
		continue;
	if (pthread_create(&closer, NULL, close_at_once, adversary))
		scene_fail(scene, "no thread");
	stay_on(1);
	gate_post(scene, adversary->listening);
	for (unsigned i = 0; i < adversary->count; i++)
		scene_must(scene, accept_by(adversary->listener, adversary->variants[i & 1]), "accept");
	gate_wait(scene, adversary->listening);
	atomic_store(&adversary->over, true);
	pthread_join(closer, NULL);
	act_close(scene, adversary->listener, NULL, "reason=local");
}

/* Every client port is used once, so that it names its connection. */
static void client(struct scene *scene, void *context)
{
	const struct adversary *adversary = context;

	stay_on(1);
	for (unsigned i = 0; i < adversary->count; i++) {
		union address own = address_of("127.0.0.1", (uint16_t)(FIRST_CLIENT_PORT + i));
		int fd = act_socket(scene, AF_INET, SOCK_STREAM);

		scene_must(scene, bind(fd, &own.any, address_length(&own)), "bind");
		if (act_connect_start(scene, fd, &adversary->address))
			scene_fail(scene, "connect failed");
		receive_end(scene, fd);
		close(fd);
	}
}

/* --- what the tool must not say ---------------------------------------------------------------------------
 */

struct verdict {
	const struct adversary *adversary;
	pid_t server;
	unsigned accepts, nameless, closes;
	uint64_t cookie_of_port[65536]; /* of the accepted socket, by the client's port; 0: none yet */
	bool connected[65536], closed[65536];
	uint64_t closed_cookie[65536];
};

static void judge_accept(struct scene *scene, const json_t *event, struct verdict *verdict)
{
	unsigned port = (unsigned)event_number(event, "network.peer.port");
	uint64_t tid = event_number(event, "portsnoop.tid");

	verdict->accepts++;
	if (event_number(event, "process.pid") != (uint64_t)verdict->server)
		scene_fail(scene, "an accept by process %llu",
			   (unsigned long long)event_number(event, "process.pid"));
	if (tid && tid != (uint64_t)verdict->adversary->shared->accepter)
		scene_fail(scene, "an accept by thread %llu", (unsigned long long)tid);
	if (event_number(event, "portsnoop.listener") != verdict->adversary->shared->listener_cookie)
		scene_fail(scene, "an accept from listener %llu",
			   (unsigned long long)event_number(event, "portsnoop.listener"));
	if (event_number(event, "network.local.port") != ADVERSARY_PORT)
		scene_fail(scene, "an accept on another port");
	if (!event_at(event, "network.peer")) {
		verdict->nameless++;
		if (event_at(event, "portsnoop.cookie"))
			scene_fail(scene, "an accept with a cookie and without a peer");
		return;
	}
	if (verdict->cookie_of_port[port])
		scene_fail(scene, "the connection from port %u was accepted twice", port);
	verdict->cookie_of_port[port] = event_number(event, "portsnoop.cookie");
}

static void judge(struct scene *scene, const json_t *event, void *context)
{
	struct verdict *verdict = context;
	const char *name = event_string(event, "event_name");
	unsigned port = (unsigned)event_number(event, "network.peer.port");

	if (event_number(event, "portsnoop.netns") != scene->netns)
		return;
	if (!strcmp(name, "accept"))
		judge_accept(scene, event, verdict);
	else if (!strcmp(name, "connect"))
		verdict->connected[event_number(event, "network.local.port") & 0xffff] = true;
	else if (!strcmp(name, "close") && !strcmp(event_string(event, "portsnoop.direction"), "in")) {
		verdict->closes++;
		verdict->closed_cookie[port] = event_number(event, "portsnoop.cookie");
		if (event_number(event, "process.pid") != (uint64_t)verdict->server)
			scene_fail(scene, "another process released an accepted connection");
	}
}

static void check(struct scene *scene, const struct tool *tool, struct verdict *verdict)
{
	tool_each_line(scene, tool->out_path, judge, verdict);
	scene_note(scene, "%u accepts, %u of them without a peer", verdict->accepts, verdict->nameless);
	if (verdict->accepts != verdict->adversary->count || verdict->closes != verdict->adversary->count)
		scene_fail(scene, "%u accepts: %u reported, %u closes", verdict->adversary->count,
			   verdict->accepts, verdict->closes);
	for (unsigned port = 0; port < 65536; port++) {
		if (!verdict->cookie_of_port[port])
			continue;
		if (!verdict->connected[port])
			scene_fail(scene, "an accept of a connection from port %u that nobody made", port);
		if (verdict->closed_cookie[port] != verdict->cookie_of_port[port])
			scene_fail(scene, "the accept from port %u names another socket", port);
	}
}

static void run(struct scene *scene, enum accept_variant first, enum accept_variant second)
{
	struct adversary adversary = {
		.count = scene_count(scene, 20000),
		.variants = {first, second},
		.address = address_of("127.0.0.1", ADVERSARY_PORT),
		.listening = gate_new(scene),
		.shared = shared_new(scene, sizeof(struct shared)),
	};
	static struct verdict verdict;
	struct tool tool;
	pid_t client_pid;

	verdict.adversary = &adversary;
	tool_start(&tool, scene, NULL);
	verdict.server = actor_start(scene, server, &adversary);
	gate_wait(scene, adversary.listening);
	client_pid = actor_start(scene, client, &adversary);
	actor_join(scene, client_pid);
	gate_post(scene, adversary.listening);
	actor_join(scene, verdict.server);
	if (!tool_await_count(&tool, EVENT_ACCEPT, adversary.count))
		scene_note(scene, "accepts are missing");
	tool_await_count(&tool, EVENT_CLOSE, 2 * adversary.count + 1);
	truth_clear(scene->truth); /* the number of closes is more than the truth can tell */
	tool_settle(&tool);
	tool_end(&tool);
	check(scene, &tool, &verdict);
}

void adversary_null(struct scene *scene)
{
	run(scene, ACCEPT_NULL, ACCEPT4_NULL);
}

void adversary_address(struct scene *scene)
{
	run(scene, ACCEPT_ADDRESS, ACCEPT4_ADDRESS);
}
