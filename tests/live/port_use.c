/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `ephemeral`: a range of 200 ports, five of them reserved, and this process uses them up. What is in use,
 * exclusive, waiting and left is what the kernel's /proc/net and our own descriptors say.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOW	 40000
#define HIGH	 40199
#define RESERVED 5 /* the first ones */
#define USABLE	 (HIGH - LOW + 1 - RESERVED)
#define SERVERS	 2
#define TCP_WAIT 6 /* TIME_WAIT in /proc/net/tcp */

struct port_use {
	struct scene *scene;
	union address servers[SERVERS];
	int listeners[SERVERS];
	int clients[SERVERS][HIGH - LOW + 1], accepted[SERVERS][HIGH - LOW + 1];
	bool bound_before[SERVERS][HIGH - LOW + 1];
	unsigned n[SERVERS];
	bool ended_bound[HIGH + 1]; /* ports that were bound before, and may wait */
	int service;		    /* a listener inside the range */
	bool listed[SERVERS];	    /* the tool had a row */
	unsigned ranges;	    /* rows of this namespace */
};

static void begin(struct port_use *use, struct scene *scene)
{
	*use = (struct port_use){.scene = scene};
	scene_must_set(scene, "net/ipv4/ip_local_port_range", "40000 40199");
	scene_must_set(scene, "net/ipv4/ip_local_reserved_ports", "40000-40004");
	scene_must_set(scene, "net/ipv4/tcp_tw_reuse", "0");
	for (int i = 0; i < SERVERS; i++) {
		use->servers[i] = address_of("127.0.0.1", (uint16_t)(7601 + i));
		use->listeners[i] = act_socket(scene, AF_INET, SOCK_STREAM);
		act_option(scene, use->listeners[i], SOL_SOCKET, SO_REUSEADDR, 1);
		scene_must(scene,
			   bind(use->listeners[i], &use->servers[i].any, address_length(&use->servers[i])),
			   "bind");
		scene_must(scene, listen(use->listeners[i], 64), "listen");
	}
	use->service = -1;
}

/* 0 or the errno of connect. */
static int add_connection(struct port_use *use, int server, bool bind_before)
{
	union address any = address_of("127.0.0.1", 0);
	int fd = act_socket(use->scene, AF_INET, SOCK_STREAM);
	unsigned i = use->n[server];

	if (bind_before)
		scene_must(use->scene, bind(fd, &any.any, address_length(&any)), "bind");
	if (connect(fd, &use->servers[server].any, address_length(&use->servers[server]))) {
		int error = errno;

		close(fd);
		return error;
	}
	use->clients[server][i] = fd;
	use->accepted[server][i] =
		(int)scene_must(use->scene, accept(use->listeners[server], NULL, NULL), "accept");
	use->bound_before[server][i] = bind_before;
	use->n[server]++;
	return 0;
}

/* The client first: its port goes into TIME_WAIT. */
static void end_connection(struct port_use *use, int server)
{
	unsigned i = --use->n[server];

	if (use->bound_before[server][i])
		use->ended_bound[held_of(use->scene, use->clients[server][i]).port] = true;
	close(use->clients[server][i]);
	receive_end(use->scene, use->accepted[server][i]);
	close(use->accepted[server][i]);
}

/* --- the truth --------------------------------------------------------------------------------------------
 */

struct truths {
	unsigned in_use, time_wait, exclusive;
	unsigned towards[SERVERS], waiting[SERVERS], available[SERVERS];
	unsigned own, bound_before; /* of this process */
	unsigned ending;	    /* neither connected any more nor in TIME_WAIT yet */
};

static unsigned port_of(const struct port_use *use, int fd)
{
	return held_of(use->scene, fd).port;
}

/* Marks the ports of /proc/net/tcp: 1 whole sockets, 2 TIME_WAIT; and counts TIME_WAIT by destination. */
static void read_kernel(const struct port_use *use, unsigned char marks[HIGH + 1], struct truths *truths,
			unsigned char blocked[SERVERS][HIGH + 1])
{
	FILE *file = fopen("/proc/thread-self/net/tcp", "r");
	unsigned local, peer, state;
	char line[512];

	if (!file)
		scene_fail(use->scene, "/proc/net/tcp cannot be read");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*u: %*x:%x %*x:%x %x", &local, &peer, &state) != 3)
			continue;
		if (local < LOW || local > HIGH)
			continue;
		marks[local] |= state == TCP_WAIT ? 2 : 1;
		truths->ending += state != TCP_WAIT && state != TCP_ESTABLISHED && state != TCP_LISTEN;
		for (int i = 0; i < SERVERS; i++) {
			if (peer != 7601u + (unsigned)i)
				continue;
			blocked[i][local] = 1;
			truths->towards[i] += state != TCP_WAIT;
			truths->waiting[i] += state == TCP_WAIT;
		}
	}
	fclose(file);
}

static struct truths read_truths(const struct port_use *use)
{
	unsigned char marks[HIGH + 1] = {0}, blocked[SERVERS][HIGH + 1] = {{0}}, exclusive[HIGH + 1] = {0},
				   own[HIGH + 1] = {0};
	struct truths truths = {0};

	read_kernel(use, marks, &truths, blocked);
	for (int server = 0; server < SERVERS; server++)
		for (unsigned i = 0; i < use->n[server]; i++) {
			unsigned port = port_of(use, use->clients[server][i]);

			own[port] = 1; /* towards two servers it may be the same */
			truths.bound_before += use->bound_before[server][i];
			exclusive[port] |= use->bound_before[server][i];
		}
	if (use->service >= 0) {
		exclusive[port_of(use, use->service)] = own[port_of(use, use->service)] = 1;
	}
	for (unsigned port = LOW; port <= HIGH; port++) {
		exclusive[port] |= use->ended_bound[port] && marks[port] & 2;
		truths.in_use += marks[port] & 1;
		truths.time_wait += marks[port] == 2;
		truths.exclusive += exclusive[port];
		truths.own += own[port];
		for (int i = 0; i < SERVERS; i++)
			truths.available[i] +=
				port >= LOW + RESERVED && !exclusive[port] && !blocked[i][port];
	}
	return truths;
}

/* --- what the tool says -----------------------------------------------------------------------------------
 */

static void expect(const struct port_use *use, const json_t *row, const char *key, unsigned expected)
{
	char path[64];
	const json_t *value;

	snprintf(path, sizeof(path), "portsnoop.%s", key);
	value = event_at(row, path);
	if (!json_is_integer(value) || json_integer_value(value) != (json_int_t)expected)
		scene_fail(use->scene, "%s is %lld instead of %u: %s", key,
			   (long long)json_integer_value(value), expected, json_dumps(row, 0));
}

struct answer {
	struct port_use *use;
	struct truths truths;
	bool consumer, bound_before, service;
	json_t *destination; /* the first server's row; NULL: none */
	char findings[512];  /* their names */
};

static void take_range(struct answer *answer, const json_t *row)
{
	if (strcmp(json_string_value(event_at(row, "network.transport")), "tcp"))
		return;
	answer->use->ranges++;
	expect(answer->use, row, "range.low", LOW);
	expect(answer->use, row, "range.high", HIGH);
	expect(answer->use, row, "reserved", RESERVED);
	expect(answer->use, row, "in_use", answer->truths.in_use);
	expect(answer->use, row, "time_wait", answer->truths.time_wait);
	expect(answer->use, row, "exclusive", answer->truths.exclusive);
}

static void take_destination(struct answer *answer, json_t *row)
{
	json_int_t port = json_integer_value(event_at(row, "network.peer.port"));
	int server = (int)port - 7601;

	if (server < 0 || server >= SERVERS)
		scene_fail(answer->use->scene, "a destination that is none: %s", json_dumps(row, 0));
	answer->use->listed[server] = true;
	expect(answer->use, row, "in_use", answer->truths.towards[server]);
	expect(answer->use, row, "time_wait", answer->truths.waiting[server]);
	expect(answer->use, row, "available", answer->truths.available[server]);
	if (!server)
		answer->destination = json_incref(row);
}

static void take_finding(struct answer *answer, const json_t *row)
{
	const char *name = json_string_value(event_at(row, "portsnoop.finding"));
	bool ours = json_integer_value(event_at(row, "process.pid")) == getpid();
	size_t length = strlen(answer->findings);

	snprintf(answer->findings + length, sizeof(answer->findings) - length, "%s ", name);
	answer->bound_before |= ours && !strcmp(name, "bind-before-connect");
	answer->service |= ours && !strcmp(name, "listener-in-range");
}

static void take_row(struct answer *answer, json_t *row)
{
	const char *kind = json_string_value(event_at(row, "row"));

	if (!json_is_integer(event_at(row, "portsnoop.netns")) ||
	    json_integer_value(event_at(row, "portsnoop.netns")) != answer->use->scene->netns)
		return;
	if (!strcmp(kind, "range"))
		take_range(answer, row);
	else if (!strcmp(kind, "destination"))
		take_destination(answer, row);
	else if (!strcmp(kind, "finding"))
		take_finding(answer, row);
	else if (json_integer_value(event_at(row, "process.pid")) == getpid()) {
		answer->consumer = true;
		expect(answer->use, row, "in_use", answer->truths.own);
	}
}

/* The last segments of connections that were closed may still be on their way. */
static struct truths read_truths_at_rest(const struct port_use *use)
{
	uint64_t until_ns = scene_clock_ns() + use->scene->patience_s * UINT64_C(1000000000);
	struct truths truths;

	do
		truths = read_truths(use);
	while (truths.ending && scene_clock_ns() < until_ns);
	return truths;
}

/* Asks once, and compares all; the kernel must stand still meanwhile. */
static struct answer ask(struct port_use *use, const char *option)
{
	struct answer answer = {.use = use, .truths = read_truths_at_rest(use)};
	struct tool_result result;
	json_error_t error;
	char *rest, *line;

	memset(use->listed, 0, sizeof(use->listed));
	use->ranges = 0;
	tool_run(use->scene, &result, NULL, "ephemeral", "--json", option, NULL);
	if (result.status)
		scene_fail(use->scene, "exit code %d: %s", result.status, result.err);
	rest = result.out;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *row = event_parse(line, &error);

		if (!row)
			scene_fail(use->scene, "no JSON (%s): %s", error.text, line);
		take_row(&answer, row);
		json_decref(row);
	}
	if (use->ranges != 1)
		scene_fail(use->scene, "%u ranges of this namespace", use->ranges);
	for (int i = 0; i < SERVERS; i++)
		if (use->listed[i] != (answer.truths.towards[i] || answer.truths.waiting[i]))
			scene_fail(use->scene, "destination %d is %slisted", i, use->listed[i] ? "" : "not ");
	if (answer.consumer != (answer.truths.own > 0) ||
	    answer.bound_before != (answer.truths.bound_before > 0) || answer.service != (use->service >= 0))
		scene_fail(use->scene, "who uses what is wrong: %s", answer.findings);
	tool_keep_for_schema(use->scene, &result);
	tool_result_free(&result);
	return answer;
}

static void check(struct port_use *use, const char *option)
{
	struct answer answer = ask(use, option);

	json_decref(answer.destination);
}

/* --- at every moment --------------------------------------------------------------------------------------
 */

static void serve_inside(struct port_use *use)
{
	union address inside = address_of("127.0.0.1", LOW + 150);

	use->service = act_socket(use->scene, AF_INET, SOCK_STREAM);
	act_option(use->scene, use->service, SOL_SOCKET, SO_REUSEADDR, 1);
	scene_must(use->scene, bind(use->service, &inside.any, address_length(&inside)), "bind");
	scene_must(use->scene, listen(use->service, 5), "listen");
}

static void end_all(struct port_use *use)
{
	for (int server = 0; server < SERVERS; server++)
		while (use->n[server])
			end_connection(use, server);
}

/* Connects, binds before, ends, serves, in turns; after each turn the tool is asked. */
static void turns(struct port_use *use, const char *option)
{
	unsigned seed = 20261121;

	check(use, option);
	serve_inside(use);
	for (unsigned turn = 0; turn < 12; turn++) {
		for (unsigned i = 0; i < 6; i++) {
			int server = rand_r(&seed) % SERVERS;
			unsigned act = (unsigned)rand_r(&seed) % 8;

			if (act < 5)
				scene_must(use->scene, -add_connection(use, server, false), "connect");
			else if (act < 6)
				scene_must(use->scene, -add_connection(use, server, true), "connect");
			else if (use->n[server])
				end_connection(use, server);
		}
		check(use, option);
	}
	end_all(use);
	close(use->service);
	use->service = -1;
	check(use, option);
}

void port_use(struct scene *scene)
{
	struct port_use use;

	begin(&use, scene);
	turns(&use, "--no-instance");
	scene_note(scene, "%u ports wait", read_truths(&use).time_wait);
}

/* --- until none is left -----------------------------------------------------------------------------------
 */

static double number_of(const json_t *row, const char *path)
{
	return json_number_value(event_at(row, path));
}

/* The forecast comes before the end, and the failures after it are counted, with who and where. */
void port_use_exhausted(struct scene *scene)
{
	unsigned forecasts = 0, failed = 0;
	struct answer answer;
	struct port_use use;
	struct tool tool;
	int error = 0;

	begin(&use, scene);
	tool_start(&tool, scene, NULL);
	while (!error) {
		for (int i = 0; i < 15 && !error; i++)
			error = add_connection(&use, 0, false);
		answer = ask(&use, "--sync");
		if (number_of(answer.destination, "portsnoop.assigned_per_second") <= 0)
			scene_fail(scene, "no rate: %s", json_dumps(answer.destination, 0));
		forecasts += event_at(answer.destination, "portsnoop.exhausted_in_seconds") != NULL;
		json_decref(answer.destination);
	}
	if (error != EADDRNOTAVAIL || use.n[0] != USABLE)
		scene_fail(scene, "%s after %u connections", errno_text(error), use.n[0]);
	for (failed = 1; failed < 4; failed++)
		if (add_connection(&use, 0, false) != EADDRNOTAVAIL)
			scene_fail(scene, "there was another port");
	answer = ask(&use, "--sync");
	expect(&use, answer.destination, "failed", failed);
	if (number_of(answer.destination, "portsnoop.used_ratio") < 1 ||
	    !strstr(answer.findings, "exhausted"))
		scene_fail(scene, "not exhausted: %s", answer.findings);
	if (forecasts < USABLE / 15)
		scene_fail(scene, "%u forecasts", forecasts);
	json_decref(answer.destination);
	end_all(&use);
	answer = ask(&use, "--sync");
	if (!strstr(answer.findings, "tw-reuse-off") || !strstr(answer.findings, "exhausted"))
		scene_fail(scene, "TIME_WAIT is not blamed: %s", answer.findings);
	json_decref(answer.destination);
	tool_end(&tool);
}
