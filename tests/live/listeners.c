/* SPDX-License-Identifier: GPL-2.0-only */
/* Listeners: backlog, accepts, and every way to end one. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void finish(struct tool *tool)
{
	tool_settle(tool);
	tool_end(tool);
	ledger_check(tool, NULL);
}

static void accept_some(struct scene *scene, int listener, const union address *address, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = act_socket(scene, address->any.sa_family, SOCK_STREAM);

		if (act_connect(scene, fd, address))
			scene_fail(scene, "connect failed");
		act_close_pair(scene, fd, act_accept(scene, listener, i % ACCEPT_VARIANTS));
	}
}

static void closed(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7800);
	int fd = act_listener(scene, &address, 7);

	accept_some(scene, fd, &address, 3);
	act_listen(scene, fd, 9); /* changes the limit of a listener */
	act_close(scene, fd, NULL, "reason=local state=listen accepts=3");
}

/* shutdown() ends the listening; the port stays until the close. */
static void shut_down(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7801);
	int fd = act_listener(scene, &address, 5);
	struct held held = held_of(scene, fd);

	scene_must(scene, shutdown(fd, SHUT_RDWR), "shutdown");
	truth_close(scene, getpid(), &held, "reason=local state=listen accepts=0");
	act_close(scene, fd, &held, "reason=local");
}

static void bound_only(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7802);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	act_bind(scene, fd, &address);
	act_close(scene, fd, NULL, "reason=local accepts=-");
}

static void duplicated(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7803);
	int fd = act_listener(scene, &address, 5), copy = dup(fd);

	close(fd);
	act_close(scene, copy, NULL, "reason=local state=listen accepts=0");
}

void listeners(struct scene *scene)
{
	struct tool tool;

	tool_start(&tool, scene, NULL);
	closed(scene);
	shut_down(scene);
	bound_only(scene);
	duplicated(scene);
	finish(&tool);
}

/* --- killed -----------------------------------------------------------------------------------------------
 */

static void victim(struct scene *scene, void *context)
{
	const int *ready = context;
	union address address = address_of("127.0.0.1", 7810);
	int fd = act_listener(scene, &address, 5);
	struct held held = held_of(scene, fd);

	accept_some(scene, fd, &address, 2);
	truth_close(scene, getpid(), &held, "reason=local state=listen accepts=2");
	gate_post(scene, *ready);
	for (;;)
		pause();
}

void listener_killed(struct scene *scene)
{
	int ready = gate_new(scene);
	struct tool tool;
	pid_t pid;

	tool_start(&tool, scene, NULL);
	pid = actor_start(scene, victim, &ready);
	gate_wait(scene, ready);
	actor_kill(scene, pid);
	finish(&tool);
}

/* --- listen that fails ------------------------------------------------------------------------------------
 */

static int reusable(struct scene *scene, const union address *address)
{
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	act_option(scene, fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (act_bind(scene, fd, address))
		scene_fail(scene, "bind failed");
	return fd;
}

static void expect_listen(struct scene *scene, int fd, int error)
{
	int got = act_listen(scene, fd, 5);

	if (got != error)
		scene_fail(scene, "listen: %s instead of %s", errno_text(got), errno_text(error));
}

/* Two sockets with SO_REUSEADDR share a port until one of them listens. */
void listen_fails(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7820);
	struct tool tool;
	int first, second;

	tool_start(&tool, scene, NULL);
	first = reusable(scene, &address);
	second = reusable(scene, &address);
	expect_listen(scene, first, 0);
	expect_listen(scene, second, EADDRINUSE);
	expect_listen(scene, second, EADDRINUSE);
	act_close(scene, first, NULL, "reason=local state=listen accepts=0");
	expect_listen(scene, second, 0);
	act_close(scene, second, NULL, "reason=local state=listen accepts=0");
	finish(&tool);
}

/* --- waiting since before ---------------------------------------------------------------------------------
 */

#define WAITING_SERVERS 25

struct waiting {
	int listener;
	union address address;
};

static void wait_and_serve(struct scene *scene, void *context)
{
	const struct waiting *waiting = context;
	int fd = accept_by(waiting->listener, ACCEPT_NULL);
	struct held held = held_of(scene, fd);

	/* Which listener it came through is not known of one that is older than the tool. */
	truth_log(scene, "accept cookie=%llu proto=%s pid=%d tid=%d local=%s peer=%s",
		  (unsigned long long)held.cookie, held.proto, getpid(), thread_id(), held.local, held.peer);
	receive_end(scene, fd);
	act_close(scene, fd, &held, "reason=peer direction=in sent=0 received=0");
}

/* Until the process sleeps in accept(2), as /proc says. */
static void wait_until_blocked(struct scene *scene, pid_t pid)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	for (unsigned i = 0; i < 1000000; i++) {
		FILE *file = fopen(path, "re");
		bool blocked = file && fgets(text, sizeof(text), file) && strncmp(text, "running", 7) &&
			       (atoi(text) == SYS_accept || atoi(text) == SYS_accept4);

		if (file)
			fclose(file);
		if (blocked)
			return;
		sched_yield();
	}
	scene_skip(scene, "cannot see whether the server waits: no %s", path);
}

/*
 * Servers that wait in accept(2) when the tool starts do not lose their first connections, however many they
 * are: waiting uses nothing up.
 */
void blocked_accept(struct scene *scene)
{
	struct waiting waiting = {.address = address_of("127.0.0.1", 7830)};
	int clients[WAITING_SERVERS];
	pid_t servers[WAITING_SERVERS];
	struct held held;
	struct tool tool;

	waiting.listener = act_listener(scene, &waiting.address, WAITING_SERVERS);
	held = held_of(scene, waiting.listener);
	for (int i = 0; i < WAITING_SERVERS; i++) {
		servers[i] = actor_start(scene, wait_and_serve, &waiting);
		wait_until_blocked(scene, servers[i]);
	}
	truth_clear(scene->truth); /* what was before the tool is not its business */
	tool_start(&tool, scene, NULL);
	for (int i = 0; i < WAITING_SERVERS; i++) {
		clients[i] = act_socket(scene, AF_INET, SOCK_STREAM);
		if (act_connect(scene, clients[i], &waiting.address))
			scene_fail(scene, "connect failed");
	}
	for (int i = 0; i < WAITING_SERVERS; i++)
		act_close(scene, clients[i], NULL, "reason=local direction=out sent=0 received=0");
	for (int i = 0; i < WAITING_SERVERS; i++)
		actor_join(scene, servers[i]);
	act_close(scene, waiting.listener, &held, "reason=local state=listen");
	finish(&tool);
}

/*
 * A connection that waits to be accepted since before the tool came: accepted by whom, and which way it went,
 * is told all the same. Not which listener it came through, nor which way the other end went.
 */
void accept_waiting(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7831);
	int listener = act_listener(scene, &address, 5), client = act_socket(scene, AF_INET, SOCK_STREAM),
	    server;
	struct held old = held_of(scene, listener), held;
	struct tool tool;

	act_connect(scene, client, &address);
	truth_clear(scene->truth);
	tool_start(&tool, scene, NULL);
	server = accept_by(listener, ACCEPT_ADDRESS);
	held = held_of(scene, server);
	truth_log(scene, "accept cookie=%llu proto=%s pid=%d tid=%d local=%s peer=%s",
		  (unsigned long long)held.cookie, held.proto, getpid(), thread_id(), held.local, held.peer);
	act_close(scene, client, NULL, "reason=local sent=0 received=0");
	receive_end(scene, server);
	act_close(scene, server, &held, "reason=peer direction=in sent=0 received=0");
	act_close(scene, listener, &old, "reason=local state=listen");
	finish(&tool);
}
