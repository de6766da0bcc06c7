/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the kernel searched for a port: told of every choice that bind and a TCP connect make it do, also
 * of one that finds none, and only where it was asked for. No search outlasts the call that it is a part of.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define RANGE_LOW  40000
#define RANGE_HIGH 40063
#define SERVER	   7520
#define CALLS_MAX  256

struct call {
	uint64_t cookie;
	uint64_t took_ns;
	bool searched;
	unsigned told;
};

struct search {
	struct scene *scene;
	struct call calls[CALLS_MAX];
	unsigned n;
	bool asked_for;
};

static void put_down(struct search *search, int fd, uint64_t begun_ns, bool searched)
{
	uint64_t took_ns = scene_clock_ns() - begun_ns;

	if (search->n == CALLS_MAX)
		scene_fail(search->scene, "more calls than expected");
	search->calls[search->n++] = (struct call){
		.cookie = cookie_of(search->scene, fd), .took_ns = took_ns, .searched = searched};
}

/* Returns the socket; the call may fail. */
static int bind_one(struct search *search, const char *text, uint16_t port, int type, int *ret_error)
{
	union address address = address_of(text, port);
	int fd = act_socket(search->scene, address.any.sa_family, type);
	uint64_t begun_ns = scene_clock_ns();

	*ret_error = bind(fd, &address.any, address_length(&address)) ? errno : 0;
	put_down(search, fd, begun_ns, !port);
	return fd;
}

static int bind_well(struct search *search, const char *text, uint16_t port, int type)
{
	int error, fd = bind_one(search, text, port, type, &error);

	if (error)
		scene_fail(search->scene, "bind %s %u: %s", text, port, strerror(error));
	return fd;
}

static int connect_one(struct search *search, int fd, bool searched)
{
	union address server = address_of("127.0.0.1", SERVER);
	uint64_t begun_ns = scene_clock_ns();
	int error = connect(fd, &server.any, address_length(&server)) ? errno : 0;

	put_down(search, fd, begun_ns, searched);
	return error;
}

/* The port comes with the connect: one search, in the second call. */
static int connect_deferred(struct search *search)
{
	union address address = address_of("127.0.0.1", 0);
	int fd = act_socket(search->scene, AF_INET, SOCK_STREAM);

	act_option(search->scene, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	scene_must(search->scene, bind(fd, &address.any, address_length(&address)), "bind");
	scene_must(search->scene, connect_one(search, fd, true) ? -1 : 0, "connect");
	return fd;
}

/* All ports of the range but one, so that the kernel has to look for it; then that one, too. */
static void fill_the_range(struct search *search)
{
	int error = 0, last = -1;

	while (!error)
		last = bind_one(search, "127.0.0.1", 0, SOCK_STREAM, &error);
	if (error != EADDRINUSE)
		scene_fail(search->scene, "the range is full, and bind says %s", strerror(error));
	error = connect_one(search, last, true);
	if (error != EADDRNOTAVAIL)
		scene_fail(search->scene, "the range is full, and connect says %s", strerror(error));
}

static void act(struct search *search, const union address *server)
{
	struct scene *scene = search->scene;
	int listener = act_socket(scene, AF_INET, SOCK_STREAM), fd;

	scene_must(scene, bind(listener, &server->any, address_length(server)), "bind");
	scene_must(scene, listen(listener, 16), "listen");
	bind_well(search, "127.0.0.1", 0, SOCK_STREAM);
	bind_well(search, "", 0, SOCK_STREAM);
	bind_well(search, "127.0.0.1", 0, SOCK_DGRAM);
	bind_well(search, "127.0.0.1", 7521, SOCK_STREAM);
	fd = bind_well(search, "127.0.0.1", 0, SOCK_STREAM);
	scene_must(scene, connect_one(search, fd, false) ? -1 : 0, "connect");
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, connect_one(search, fd, true) ? -1 : 0, "connect");
	connect_deferred(search);
	fill_the_range(search);
}

/* --- what the tool says -----------------------------------------------------------------------------------
 */

static void check_call(const struct search *search, struct call *call, uint64_t search_ns)
{
	call->told++;
	if ((search_ns > 0) != (call->searched && search->asked_for))
		scene_fail(search->scene, "cookie %llu: searched for %llu ns",
			   (unsigned long long)call->cookie, (unsigned long long)search_ns);
	if (search_ns > call->took_ns)
		scene_fail(search->scene, "searched for %llu ns in a call of %llu",
			   (unsigned long long)search_ns, (unsigned long long)call->took_ns);
}

/* The calls on a socket come in their order. */
static void take_line(struct scene *scene, const json_t *event, void *context)
{
	const char *kind = event_string(event, "event_name");
	struct search *search = context;

	(void)scene;
	if ((strcmp(kind, "bind") && strcmp(kind, "connect")) || event_at(event, "portsnoop.deferred"))
		return;
	for (unsigned i = 0; i < search->n; i++)
		if (search->calls[i].cookie == event_number(event, "portsnoop.cookie") &&
		    !search->calls[i].told) {
			check_call(search, &search->calls[i], event_number(event, "portsnoop.search_ns"));
			return;
		}
}

static void check(struct search *search, const struct tool *tool)
{
	tool_each_line(search->scene, tool->out_path, take_line, search);
	for (unsigned i = 0; i < search->n; i++)
		if (!search->calls[i].told && (search->calls[i].searched || !search->asked_for))
			scene_fail(search->scene, "nothing said of call %u of %u", i + 1, search->n);
	scene_note(search->scene, "%u calls, %s", search->n, search->asked_for ? "each told" : "none told");
}

static void run_actor(struct scene *scene, void *context)
{
	struct search *search = context;
	union address server = address_of("127.0.0.1", SERVER);

	search->scene = scene;
	act(search, &server);
}

static void run(struct scene *scene, bool asked_for)
{
	struct search *search = shared_new(scene, sizeof(*search));
	struct tool tool;

	search->asked_for = asked_for;
	tool_start(&tool, scene, asked_for ? "--ephemeral" : NULL, NULL);
	actor_join(scene, actor_start(scene, run_actor, search));
	tool_settle(&tool);
	tool_end(&tool);
	search->scene = scene;
	check(search, &tool);
}

void search_time(struct scene *scene)
{
	char range[32];

	snprintf(range, sizeof(range), "%d %d", RANGE_LOW, RANGE_HIGH);
	scene_must_set(scene, "net/ipv4/ip_local_port_range", range);
	run(scene, true);
	run(scene, false);
}
