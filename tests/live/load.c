/* SPDX-License-Identifier: GPL-2.0-only */
#include "load.h"

#include "truth.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER_PORT 7001
#define WORKERS	    2
#define CLIENTS	    2

struct run {
	const struct load *load;
	union address server;
	int listening; /* gate */
	int listener;  /* in the server's processes */
	_Atomic unsigned *accepted, *connected;
};

/* Payload that differs from one connection to the next, but that both sides know. */
static size_t request_size(unsigned peer_port)
{
	return peer_port % 97 + 1;
}

static size_t answer_size(unsigned peer_port)
{
	return peer_port % 1777 + 1;
}

static void put_end(struct scene *scene, const struct load *load, const struct held *held, const char *reason,
		    bool client, bool has_process)
{
	uint16_t port = held->port;
	char rest[128], who[32] = "-";

	if (load->silent)
		return;
	if (!client)
		port = (uint16_t)strtoul(strrchr(held->peer, ':') + 1, NULL, 10);
	if (!has_process)
		snprintf(who, sizeof(who), "%d", getpid());
	snprintf(rest, sizeof(rest), "reason=%s direction=%s sent=%zu received=%zu holders=%s", reason,
		 client ? "out" : "in", client ? request_size(port) : answer_size(port),
		 client ? answer_size(port) : request_size(port), who);
	truth_close(scene, has_process ? getpid() : 0, held, rest);
}

/* --- the server -------------------------------------------------------------------------------------------
 */

static struct held held_quietly(struct scene *scene, const struct load *load, int fd)
{
	struct held held = {0};
	union address peer;
	socklen_t length = sizeof(peer);

	if (!load->silent)
		return held_of(scene, fd);
	scene_must(scene, getpeername(fd, &peer.any, &length), "getpeername");
	address_text(&peer, held.peer);
	return held;
}

static void expect_reset(struct scene *scene, int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) >= 0 || errno != ECONNRESET)
		scene_fail(scene, "no reset came");
}

static void serve_one(struct scene *scene, const struct run *run, unsigned number)
{
	const struct load *load = run->load;
	enum accept_variant variant = number % ACCEPT_VARIANTS;
	int fd = load->silent ? (int)scene_must(scene, accept_by(run->listener, variant), "accept")
			      : act_accept(scene, run->listener, variant);
	struct held held = held_quietly(scene, load, fd);
	unsigned port = (unsigned)strtoul(strrchr(held.peer, ':') + 1, NULL, 10);

	receive_all(scene, fd, request_size(port));
	send_all(scene, fd, answer_size(port));
	if (load->ending == CLIENT_RESETS)
		expect_reset(scene, fd);
	else if (load->ending == CLIENT_FIRST)
		receive_end(scene, fd);
	close(fd);
	put_end(scene, load, &held,
		load->ending == CLIENT_RESETS  ? "reset"
		: load->ending == CLIENT_FIRST ? "peer"
					       : "local",
		false, load->ending != CLIENT_RESETS);
}

static void worker(struct scene *scene, void *context)
{
	const struct run *run = context;
	unsigned number;

	/* A ticket before each accept, so that nobody waits for a connection that does not come. */
	while ((number = atomic_fetch_add(run->accepted, 1)) < run->load->count)
		serve_one(scene, run, number);
}

static void server(struct scene *scene, void *context)
{
	struct run *run = context;
	pid_t workers[WORKERS];
	struct held held;

	run->listener = act_socket(scene, run->server.any.sa_family, SOCK_STREAM);
	act_option(scene, run->listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (act_bind(scene, run->listener, &run->server) || act_listen(scene, run->listener, 128))
		scene_fail(scene, "no listener");
	held = held_of(scene, run->listener);
	for (int i = 0; i < WORKERS; i++)
		workers[i] = actor_start(scene, worker, run);
	gate_post(scene, run->listening);
	for (int i = 0; i < WORKERS; i++)
		actor_join(scene, workers[i]);
	act_close(scene, run->listener, &held, "reason=local direction=- state=listen accepts=%u",
		  run->load->count);
}

/* --- the client -------------------------------------------------------------------------------------------
 */

static void connect_quietly(struct scene *scene, const struct run *run, int fd)
{
	int error = run->load->silent ? act_connect_start(scene, fd, &run->server)
				      : act_connect(scene, fd, &run->server);

	if (error)
		scene_fail(scene, "connect: %s", strerror(error));
}

static void ask_one(struct scene *scene, const struct run *run)
{
	const struct load *load = run->load;
	int fd = act_socket(scene, run->server.any.sa_family, SOCK_STREAM);
	struct held held;

	connect_quietly(scene, run, fd);
	held = held_of(scene, fd);
	send_all(scene, fd, request_size(held.port));
	receive_all(scene, fd, answer_size(held.port));
	if (load->ending == SERVER_FIRST)
		receive_end(scene, fd);
	else if (load->ending == CLIENT_RESETS)
		reset_on_close(scene, fd);
	close(fd);
	put_end(scene, load, &held,
		load->ending == CLIENT_RESETS  ? "reset"
		: load->ending == CLIENT_FIRST ? "local"
					       : "peer",
		true, true);
}

static void client(struct scene *scene, void *context)
{
	const struct run *run = context;

	while (atomic_fetch_add(run->connected, 1) < run->load->count)
		ask_one(scene, run);
}

void load_run(struct scene *scene, const struct load *load)
{
	struct run run = {
		.load = load,
		.server = address_of(load->server, SERVER_PORT),
		.listening = gate_new(scene),
	};
	pid_t server_pid, clients[CLIENTS];

	run.accepted = shared_new(scene, 4096);
	run.connected = run.accepted + 1;
	/* TIME_WAIT must not use up the ports, and must have room on a small machine: else the kernel resets.
	 */
	scene_must_set(scene, "net/ipv4/ip_local_port_range", "10000 65535");
	scene_set(scene, "net/ipv4/tcp_tw_reuse", "1");
	scene_must_set(scene, "net/ipv4/tcp_max_tw_buckets", "65536");
	server_pid = actor_start(scene, server, &run);
	gate_wait(scene, run.listening);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = actor_start(scene, client, &run);
	for (int i = 0; i < CLIENTS; i++)
		actor_join(scene, clients[i]);
	actor_join(scene, server_pid);
	close(run.listening);
}
