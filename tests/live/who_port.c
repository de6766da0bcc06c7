/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A portsnoop that runs reads what is on one port from the kernel's list of that port; whoever looks for
 * himself walks over all sockets. Both must say the same, whatever is on the port and whatever comes and
 * goes.
 */
#include "act.h"
#include "offer.h"
#include "scenarios.h"
#include "scraped.h"
#include "tool.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PORT	     7970
#define PORT_TEXT    "7970"
#define CHURNED	     7971
#define CHURNED_TEXT "7971"
#define ROWS_MAX     64
#define ROW_TEXT     256
#define ASKS	     40 /* a tenth of it where everything takes longer */
#define STAYING	     5
#define MANY	     5000

/* --- what is on the port ----------------------------------------------------------------------------------
 */

static bool has_ipv6(void)
{
	return access("/proc/sys/net/ipv6/conf/lo", F_OK) == 0;
}

static int bound_socket(const struct scene *scene, const char *address, int type, bool shared)
{
	union address at = address_of(address, PORT);
	int fd = act_socket(scene, at.any.sa_family, type);

	if (at.any.sa_family == AF_INET6)
		act_option(scene, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	act_option(scene, fd, SOL_SOCKET, shared ? SO_REUSEPORT : SO_REUSEADDR, 1);
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	return fd;
}

static int listening_socket(const struct scene *scene, const char *address, bool shared, int backlog)
{
	int fd = bound_socket(scene, address, SOCK_STREAM, shared);

	scene_must(scene, listen(fd, backlog), "listen");
	return fd;
}

static int connected_to(const struct scene *scene, const char *address)
{
	union address at = address_of(address, PORT);
	int fd = act_socket(scene, at.any.sa_family, SOCK_STREAM);

	scene_must(scene, connect(fd, &at.any, address_length(&at)), "connect");
	return fd;
}

static void make_connections(struct scene *scene, const char *address, int listener)
{
	int client = connected_to(scene, address), server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	send_all(scene, client, 100); /* not read: it waits in the socket */
	send_all(scene, server, 7);
	receive_all(scene, client, 7);
	client = connected_to(scene, address); /* TIME_WAIT */
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(server);
	receive_end(scene, client);
	close(client);
	client = connected_to(scene, address); /* FIN_WAIT2, which nobody holds */
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(server);
	receive_end(scene, client);
	connected_to(scene, address); /* to be accepted */
}

static void make_all(struct scene *scene)
{
	union address of_udp = address_of("127.0.0.1", PORT), out = address_of("127.0.0.9", PORT);
	int fd;

	make_connections(scene, "127.0.0.1", listening_socket(scene, "127.0.0.1", false, 8));
	if (has_ipv6())
		make_connections(scene, "::1", listening_socket(scene, "::1", false, 8));
	listening_socket(scene, "127.0.0.2", true, 8);
	listening_socket(scene, "127.0.0.2", true, 9);
	bound_socket(scene, "127.0.0.3", SOCK_STREAM, false);
	bound_socket(scene, "127.0.0.1", SOCK_DGRAM, true);
	bound_socket(scene, "127.0.0.1", SOCK_DGRAM, true);
	fd = act_socket(scene, AF_INET, SOCK_DGRAM); /* towards the port, not on it */
	scene_must(scene, connect(fd, &of_udp.any, address_length(&of_udp)), "connect");
	fd = act_socket(scene, AF_INET, SOCK_STREAM); /* from the port */
	act_option(scene, fd, SOL_SOCKET, SO_REUSEADDR, 1);
	scene_must(scene, bind(fd, &out.any, address_length(&out)), "bind");
	scene_must(scene, connect(fd, &of_udp.any, address_length(&of_udp)), "connect");
}

/* A request that its listener keeps until the peer has something to say. */
static void make_request(struct scene *scene)
{
	int listener = listening_socket(scene, "127.0.0.4", false, 8);

	act_option(scene, listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 60);
	connected_to(scene, "127.0.0.4");
}

/* So many that whoever looks for himself reads the list, too. */
static void crowd(struct scene *scene, void *context)
{
	const int *ready = context;
	const struct rlimit room = {2 * MANY, 2 * MANY};

	scene_must(scene, setrlimit(RLIMIT_NOFILE, &room), "setrlimit");
	for (int i = 0; i < MANY; i++)
		act_socket(scene, AF_INET, SOCK_STREAM);
	gate_post(scene, *ready);
	for (;;)
		pause();
}

/* --- what is said of it -----------------------------------------------------------------------------------
 */

struct rows {
	char text[ROWS_MAX][ROW_TEXT];
	unsigned n;
};

static const char *text_of(const json_t *row, const char *key)
{
	const json_t *value = event_at(row, key);

	return json_is_string(value) ? json_string_value(value) : "-";
}

static int number_of(const json_t *row, const char *key)
{
	return event_at(row, key) ? (int)event_number(row, key) : -1;
}

static void take_row(struct scene *scene, const json_t *row, void *context)
{
	const json_t *holders = event_at(row, "portsnoop.holders");
	struct rows *rows = context;
	char *text, *options;

	if (rows->n == ROWS_MAX)
		scene_fail(scene, "more than %d rows", ROWS_MAX);
	text = rows->text[rows->n++];
	options = json_dumps(event_at(row, "portsnoop.options"), JSON_ENCODE_ANY);
	snprintf(text, ROW_TEXT,
		 "%s %s %s:%d %s:%d cookie %llu queue %d/%d bytes %d/%d rtt %d options %s holders %d %d",
		 text_of(row, "network.transport"), text_of(row, "network.connection.state"),
		 text_of(row, "network.local.address"), (int)event_number(row, "network.local.port"),
		 text_of(row, "network.peer.address"), number_of(row, "network.peer.port"),
		 (unsigned long long)event_number(row, "portsnoop.cookie"),
		 number_of(row, "portsnoop.accept_queue.length"),
		 number_of(row, "portsnoop.accept_queue.limit"), number_of(row, "portsnoop.bytes.sent"),
		 number_of(row, "portsnoop.bytes.received"), number_of(row, "portsnoop.rtt_us"),
		 options ? options : "-", (int)json_array_size(holders),
		 holders ? number_of(json_array_get(holders, 0), "process.pid") : 0);
	free(options);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void ask(struct scene *scene, const char *port, const char *option, struct rows *ret_rows)
{
	struct tool_result result;
	char netns[16];

	ret_rows->n = 0;
	snprintf(netns, sizeof(netns), "%u", scene->netns); /* others may have the port, too */
	tool_run(scene, &result, NULL, "who", "--json", option, port, "netns", netns, NULL);
	if (result.status)
		scene_fail(scene, "%s %s: exit code %d: %s", option, port, result.status, result.err);
	tool_each_line(scene, result.out_path, take_row, ret_rows);
	qsort(ret_rows->text, ret_rows->n, ROW_TEXT, by_text);
	tool_keep_for_schema(scene, &result);
	tool_result_free(&result);
}

static void compare(struct scene *scene, unsigned expected)
{
	struct rows *of_instance = calloc(2, sizeof(*of_instance)), *of_walk = of_instance + 1;

	if (!of_instance)
		scene_fail(scene, "out of memory");
	ask(scene, PORT_TEXT, "--json", of_instance);
	ask(scene, PORT_TEXT, "--no-instance", of_walk);
	for (unsigned i = 0; i < of_instance->n && i < of_walk->n; i++)
		if (strcmp(of_instance->text[i], of_walk->text[i]))
			scene_fail(scene, "the list of the port: %s\n    the walk: %s", of_instance->text[i],
				   of_walk->text[i]);
	if (of_instance->n != of_walk->n || of_walk->n != expected)
		scene_fail(scene, "%u rows by the list of the port, %u by the walk, %u are there",
			   of_instance->n, of_walk->n, expected);
	scene_note(scene, "%u rows, the same by both ways", of_walk->n);
	free(of_instance);
}

/* --- while connections come and go ------------------------------------------------------------------------
 */

static void come_and_go(struct scene *scene, void *context)
{
	union address at = address_of("127.0.0.1", CHURNED);
	int *listener = context;

	for (;;) {
		int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;

		scene_must(scene, connect(client, &at.any, address_length(&at)), "connect");
		server = (int)scene_must(scene, accept4(*listener, NULL, NULL, SOCK_CLOEXEC), "accept");
		reset_on_close(scene, client);
		close(client);
		close(server);
	}
}

static unsigned count(const struct rows *rows, const char *what)
{
	unsigned n = 0;

	for (unsigned i = 0; i < rows->n; i++)
		n += strstr(rows->text[i], what) != NULL;
	return n;
}

#define OF_BOTH "holders 2 " /* what stays is the other one's, too: it is a fork */

/* What stays is in each answer, and once. */
static void ask_meanwhile(struct scene *scene)
{
	union address at = address_of("127.0.0.1", CHURNED);
	int listener = act_listener(scene, &at, 8), client;
	struct rows *rows = calloc(1, sizeof(*rows));
	int asks = scene->scale < 1 ? ASKS / 10 : ASKS;
	pid_t pid;

	for (int i = 0; i < STAYING; i++) {
		client = act_socket(scene, AF_INET, SOCK_STREAM);
		scene_must(scene, connect(client, &at.any, address_length(&at)), "connect");
		scene_must(scene, accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
	}
	pid = actor_start(scene, come_and_go, &listener);
	for (int i = 0; i < asks; i++) {
		ask(scene, CHURNED_TEXT, "--json", rows);
		if (count(rows, "tcp listen ") != 1 || count(rows, OF_BOTH) != STAYING + 1)
			scene_fail(scene, "answer %d: %u listeners, %u of %d connections", i,
				   count(rows, "tcp listen "), count(rows, OF_BOTH) - 1, STAYING);
	}
	actor_kill(scene, pid);
	free(rows);
}

/* --- an export --------------------------------------------------------------------------------------------
 */

/* How often the program that reads the list of a port has run, of all that are loaded. */
static uint64_t runs_of_reader(void)
{
	uint64_t runs = 0;

	for (uint32_t id = 0; bpf_prog_get_next_id(id, &id) == 0;) {
		struct bpf_prog_info info = {};
		uint32_t length = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && !strcmp(info.name, "bind_table_read"))
			runs += info.run_cnt;
		close(fd);
	}
	return runs;
}

/* It may load no program once it runs: it has this one before. */
static void ask_export(struct scene *scene, unsigned expected)
{
	int stats = (int)scene_must(scene, bpf_enable_stats(BPF_STATS_RUN_TIME), "bpf_enable_stats");
	struct scraped scraped;
	uint64_t before;

	scraped_start(&scraped, scene, NULL);
	before = runs_of_reader();
	compare(scene, expected);
	if (offer_has_port_table() && runs_of_reader() == before)
		scene_fail(scene, "the export did not read the list of the port");
	scraped_end(&scraped);
	close(stats);
}

void who_port(struct scene *scene)
{
	unsigned families = has_ipv6() ? 2 : 1, listeners = families + 2, others = 2 + 2 + 1;
	int ready = gate_new(scene);
	struct rows *rows = calloc(1, sizeof(*rows));
	struct tool tool;
	pid_t keeper;

	tool_start(&tool, scene, NULL);
	make_all(scene);
	tool_await_count(&tool, EVENT_LISTEN, listeners);
	tool_await_count(&tool, EVENT_CONNECT, 4 * families + 1);
	/* of each family a connection, TIME_WAIT, FIN_WAIT2 and one to be accepted; one from the port to the
	 * port; two of UDP; one that is only bound */
	compare(scene, listeners + 4 * families + others);
	make_request(scene);
	tool_await_count(&tool, EVENT_LISTEN, listeners + 1);
	tool_await_count(&tool, EVENT_CONNECT, 4 * families + 2);
	compare(scene, listeners + 4 * families + others + 2);
	ask_meanwhile(scene);
	keeper = actor_start(scene, crowd, &ready);
	gate_wait(scene, ready);
	compare(scene, listeners + 4 * families + others + 2); /* a walk, for the request */
	ask(scene, CHURNED_TEXT, "--no-instance", rows);
	if (count(rows, "tcp listen ") != 1 || count(rows, OF_BOTH) != 1 + STAYING)
		scene_fail(scene, "%u of %d sockets", count(rows, OF_BOTH), 1 + STAYING);
	free(rows);
	actor_kill(scene, keeper);
	tool_end(&tool);
	ask_export(scene, listeners + 4 * families + others + 2);
}
