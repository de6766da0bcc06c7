/* SPDX-License-Identifier: GPL-2.0-only */
/* Each bind that fails with EADDRINUSE is followed by who is in its way: as those processes know it. */
#include "act.h"
#include "offer.h"
#include "scenarios.h"
#include "tool.h"
#include "truth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORT	  7420
#define MEET_MAX  8
#define STORM	  3000
#define SECOND_NS 1000000000ull

/* What the line of a failed bind must say. */
struct meeting {
	uint64_t asking, in_the_way; /* cookies */
	const char *rule, *overlap, *state;
	pid_t holders[3]; /* 0 ends them; none: nobody holds it any more */
	unsigned told;
};

struct meetings {
	struct meeting items[MEET_MAX];
	size_t n;
};

/* --- the acts ---------------------------------------------------------------------------------------------
 */

static void expect(struct meetings *meetings, const struct meeting meeting)
{
	meetings->items[meetings->n++] = meeting;
}

static int bound(struct scene *scene, const char *address, int type, uint16_t port)
{
	union address at = address_of(address, port);
	int fd = act_socket(scene, at.any.sa_family, type);

	if (act_bind(scene, fd, &at))
		scene_fail(scene, "bind to %s", address);
	return fd;
}

/* Its socket stays open: its cookie is what the lines are known by. */
static uint64_t fails(struct scene *scene, const char *address, int type, uint16_t port)
{
	union address at = address_of(address, port);
	int fd = act_socket(scene, at.any.sa_family, type);

	if (act_bind(scene, fd, &at) != EADDRINUSE)
		scene_fail(scene, "bind to %s port %u did not fail with EADDRINUSE", address, port);
	return cookie_of(scene, fd);
}

static void hold(struct scene *scene, void *context)
{
	gate_post(scene, *(const int *)context);
	for (;;)
		pause();
}

/* A listener, and a child that has it too. */
static pid_t meet_listener(struct scene *scene, struct meetings *meetings)
{
	union address at = address_of("127.0.0.1", PORT);
	int fd = act_listener(scene, &at, 4), ready = gate_new(scene);
	pid_t child = actor_start(scene, hold, &ready);

	gate_wait(scene, ready);
	expect(meetings, (struct meeting){.asking = fails(scene, "0.0.0.0", SOCK_STREAM, PORT),
					  .in_the_way = cookie_of(scene, fd),
					  .rule = "listener",
					  .overlap = "our-wildcard",
					  .state = "listen",
					  .holders = {getpid(), child}});
	return child;
}

static void meet_others(struct scene *scene, struct meetings *meetings)
{
	int only_bound = bound(scene, "0.0.0.0", SOCK_STREAM, PORT + 1);
	int datagrams = bound(scene, "127.0.0.2", SOCK_DGRAM, PORT + 2);

	expect(meetings, (struct meeting){.asking = fails(scene, "127.0.0.1", SOCK_STREAM, PORT + 1),
					  .in_the_way = cookie_of(scene, only_bound),
					  .rule = "bound",
					  .overlap = "their-wildcard",
					  .state = "bound",
					  .holders = {getpid()}});
	expect(meetings, (struct meeting){.asking = fails(scene, "127.0.0.2", SOCK_DGRAM, PORT + 2),
					  .in_the_way = cookie_of(scene, datagrams),
					  .rule = "udp",
					  .overlap = "same-address",
					  .state = "unconnected",
					  .holders = {getpid()}});
}

/* The server closes first, and nobody holds what is left. */
static void meet_remains(struct scene *scene, struct meetings *meetings)
{
	union address at = address_of("127.0.0.1", PORT + 3);
	int listener = act_listener(scene, &at, 4), client = act_socket(scene, AF_INET, SOCK_STREAM), server;
	uint64_t left;

	if (act_connect(scene, client, &at))
		scene_fail(scene, "connect");
	server = act_accept(scene, listener, ACCEPT_NULL);
	left = cookie_of(scene, server);
	close(server);
	receive_end(scene, client);
	close(client);
	close(listener);
	expect(meetings, (struct meeting){.asking = fails(scene, "127.0.0.1", SOCK_STREAM, PORT + 3),
					  .in_the_way = left,
					  .rule = "time-wait",
					  .overlap = "same-address",
					  .state = "time_wait"});
}

/* --- the lines --------------------------------------------------------------------------------------------
 */

static void check_holders(struct scene *scene, const struct meeting *meeting, const json_t *conflict)
{
	const json_t *holders = event_at(conflict, "holders");
	size_t n = 0;

	for (; meeting->holders[n]; n++) {
		size_t found = 0, i;
		json_t *holder;

		json_array_foreach ((json_t *)holders, i, holder)
			found += (pid_t)event_number(holder, "process.pid") == meeting->holders[n];
		if (found != 1)
			scene_fail(scene, "%s: %d is %zu times among its holders", meeting->rule,
				   meeting->holders[n], found);
	}
	if (json_array_size(holders) != n)
		scene_fail(scene, "%s: %zu holders instead of %zu", meeting->rule, json_array_size(holders),
			   n);
}

static void check_meeting(struct scene *scene, struct meeting *meeting, const json_t *event)
{
	const json_t *conflicts = event_at(event, "portsnoop.conflicts");
	const json_t *first = json_array_get(conflicts, 0);
	uint64_t left = event_number(first, "gone_in_seconds");

	if (json_array_size(conflicts) != 1)
		scene_fail(scene, "%s: %zu in the way; %s", meeting->rule, json_array_size(conflicts),
			   event_string(event, "portsnoop.unknown"));
	if (event_number(first, "cookie") != meeting->in_the_way)
		scene_fail(scene, "%s: another socket is in the way", meeting->rule);
	if (strcmp(event_string(first, "rule"), meeting->rule) ||
	    strcmp(event_string(first, "overlap"), meeting->overlap) ||
	    strcmp(event_string(first, "network.connection.state"), meeting->state))
		scene_fail(scene, "'%s, %s, %s' instead of '%s, %s, %s'", event_string(first, "rule"),
			   event_string(first, "overlap"), event_string(first, "network.connection.state"),
			   meeting->rule, meeting->overlap, meeting->state);
	if (!strcmp(meeting->rule, "time-wait") ? left < 1 || left > 61 : left)
		scene_fail(scene, "%s: gone in %d s", meeting->rule, (int)left);
	if ((pid_t)event_number(event, "process.pid") != getpid())
		scene_fail(scene, "%s: another process asked", meeting->rule);
	check_holders(scene, meeting, first);
	meeting->told++;
}

static void check_line(struct scene *scene, const json_t *event, void *context)
{
	struct meetings *meetings = context;

	if (strcmp(event_string(event, "event_name"), "conflicts"))
		return;
	for (size_t i = 0; i < meetings->n; i++)
		if (event_number(event, "portsnoop.cookie") == meetings->items[i].asking)
			check_meeting(scene, &meetings->items[i], event);
}

void bind_conflicts(struct scene *scene)
{
	struct meetings meetings = {.n = 0};
	struct tool tool;
	pid_t child;

	offer_port_table(scene);
	tool_start(&tool, scene, NULL);
	child = meet_listener(scene, &meetings);
	meet_others(scene, &meetings);
	meet_remains(scene, &meetings);
	tool_settle(&tool);
	/* The last look may still be to come: the end must wait for it. */
	tool_end(&tool);
	tool_each_line(scene, tool.out_path, check_line, &meetings);
	for (size_t i = 0; i < meetings.n; i++)
		if (meetings.items[i].told != 1)
			scene_fail(scene, "%s was told %u times", meetings.items[i].rule,
				   meetings.items[i].told);
	actor_kill(scene, child);
}

/* --- very many --------------------------------------------------------------------------------------------
 */

struct storm {
	uint64_t asking, in_the_way;
	unsigned told, looks;
	char as_of[64];
};

static void check_storm(struct scene *scene, const json_t *event, void *context)
{
	const json_t *conflicts = event_at(event, "portsnoop.conflicts");
	struct storm *storm = context;

	if (strcmp(event_string(event, "event_name"), "conflicts") ||
	    event_number(event, "portsnoop.cookie") != storm->asking)
		return;
	if (json_array_size(conflicts) != 1 ||
	    event_number(json_array_get(conflicts, 0), "cookie") != storm->in_the_way)
		scene_fail(scene, "a line without the one in the way: %s",
			   event_string(event, "portsnoop.unknown"));
	if (strcmp(storm->as_of, event_string(event, "portsnoop.as_of"))) {
		snprintf(storm->as_of, sizeof(storm->as_of), "%s", event_string(event, "portsnoop.as_of"));
		storm->looks++;
	}
	storm->told++;
}

/* Each has its line, and the kernel's tables are looked at once a second and not for each. */
void bind_conflicts_storm(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT);
	unsigned n = scene_count(scene, STORM);
	struct storm storm = {.told = 0};
	struct tool tool;
	uint64_t begin, seconds;
	int listener, fd;

	offer_port_table(scene);
	tool_start(&tool, scene, NULL);
	listener = act_listener(scene, &at, 4);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	storm.asking = cookie_of(scene, fd);
	storm.in_the_way = cookie_of(scene, listener);
	begin = scene_clock_ns();
	for (unsigned i = 0; i < n; i++)
		if (act_bind(scene, fd, &at) != EADDRINUSE)
			scene_fail(scene, "bind %u did not fail with EADDRINUSE", i);
	tool_end(&tool);
	seconds = (scene_clock_ns() - begin) / SECOND_NS;
	tool_each_line(scene, tool.out_path, check_storm, &storm);
	if (storm.told != n)
		scene_fail(scene, "%u of %u binds have a line", storm.told, n);
	/* One at once, one at the end, and one a second between. */
	if (storm.looks > seconds + 3)
		scene_fail(scene, "%u looks in %u s", storm.looks, (unsigned)seconds);
	close(fd);
	close(listener);
}
