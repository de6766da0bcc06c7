/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MPTCP: a program holds a socket that no table of TCP has, and TCP sockets of the kernel's carry its port.
 * They are told as if the program held them. Their cookies cannot be asked for: they are known by both ends.
 */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT	       8900 /* one each for the ways to accept */
#define PORT_PLAIN     8909
#define PORT_BOUND     8910
#define PORT_TAKEN     8911
#define PORT_REFUSED   8912
#define PORT_KILLED    8913
#define PORT_HELD      8914
#define PORT_HELD_TEXT "8914"
#define TO_SERVER      700
#define TO_CLIENT      300

static int mptcp_socket(const struct scene *scene, int family)
{
	return (int)scene_must(scene, socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), "socket");
}

static void need_mptcp(const struct scene *scene)
{
	int fd;

	scene_set(scene, "net/mptcp/enabled", "1");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd < 0)
		scene_skip(scene, "this kernel has no MPTCP: %s", strerror(errno));
	close(fd);
}

/* --- acts and their truth ---------------------------------------------------------------------------------
 */

static int bind_to(const struct scene *scene, int fd, const union address *address, const char *options)
{
	int error = bind(fd, &address->any, address_length(address)) ? errno : 0;
	char text[ADDRESS_TEXT];

	truth_log(
		scene,
		"bind cookie=* proto=tcp/%s pid=%d tid=%d local=%s peer=- asked=%u by=- error=%s options=%s",
		address_type(address), getpid(), thread_id(), address_text(address, text),
		address_port(address), errno_text(error), options);
	return error;
}

static void listen_at(const struct scene *scene, int fd, const char *how)
{
	struct held held;

	scene_must(scene, listen(fd, 5), "listen");
	held = held_of(scene, fd);
	truth_log(scene, "listen cookie=* proto=%s pid=%d tid=%d local=%s peer=- backlog=5 by=%s error=-",
		  held.proto, getpid(), thread_id(), held.local, how);
}

static int listener(const struct scene *scene, const union address *address)
{
	int fd = mptcp_socket(scene, address->any.sa_family);

	if (bind_to(scene, fd, address, address->any.sa_family == AF_INET6 ? "*" : "-"))
		scene_fail(scene, "bind failed");
	listen_at(scene, fd, "-");
	return fd;
}

static int connect_to(const struct scene *scene, const union address *address)
{
	int fd = mptcp_socket(scene, address->any.sa_family);
	struct held held;

	scene_must(scene, connect(fd, &address->any, address_length(address)), "connect");
	held = held_of(scene, fd);
	truth_log(scene, "connect cookie=* proto=%s pid=%d tid=%d local=%s peer=%s by=connect error=-",
		  held.proto, getpid(), thread_id(), held.local, held.peer);
	return fd;
}

/* Without an address any thread of the process may have got it, where a descriptor is all that is seen. */
static int accept_from(const struct scene *scene, int fd, enum accept_variant variant)
{
	int new = (int)scene_must(scene, accept_by(fd, variant), "accept");
	bool named = variant == ACCEPT_ADDRESS || variant == ACCEPT4_ADDRESS;
	struct held held = held_of(scene, new);

	truth_log(scene, "accept cookie=* proto=%s pid=%d tid=%d%s local=%s peer=%s", held.proto, getpid(),
		  thread_id(), named ? "" : "?", held.local, held.peer);
	return new;
}

/* Which of the subflows ends first, and how, the kernel decides. */
static void connection_ends(const struct scene *scene, int fd, const char *direction, unsigned sent,
			    unsigned received)
{
	struct held held = held_of(scene, fd);

	truth_log(scene, "close cookie=* proto=%s pid=%d local=%s peer=%s direction=%s sent=%u received=%u",
		  held.proto, getpid(), held.local, held.peer, direction, sent, received);
}

static void listener_ends(const struct scene *scene, int fd, unsigned accepts)
{
	struct held held = held_of(scene, fd);

	truth_log(scene,
		  "close cookie=* proto=%s pid=%d local=%s peer=- reason=local state=listen accepts=%u",
		  held.proto, getpid(), held.local, accepts);
}

/* --- servers and clients ----------------------------------------------------------------------------------
 */

static void be_client(struct scene *scene, void *context)
{
	int fd = connect_to(scene, context);

	send_all(scene, fd, TO_SERVER);
	receive_all(scene, fd, TO_CLIENT);
	connection_ends(scene, fd, "out", TO_SERVER, TO_CLIENT);
	close(fd);
}

static void serve(struct scene *scene, const char *address, enum accept_variant variant)
{
	union address at = address_of(address, (uint16_t)(PORT + variant));
	int fd = listener(scene, &at), new;
	pid_t client = actor_start(scene, be_client, &at);

	new = accept_from(scene, fd, variant);
	receive_all(scene, new, TO_SERVER);
	send_all(scene, new, TO_CLIENT);
	receive_end(scene, new);
	actor_join(scene, client);
	connection_ends(scene, new, "in", TO_CLIENT, TO_SERVER);
	close(new);
	listener_ends(scene, fd, 1);
	close(fd);
}

/* A client that knows TCP only: what is accepted is of TCP, and its descriptor leads to it. */
static void serve_plain_client(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT_PLAIN);
	int fd = listener(scene, &at), client = act_socket(scene, AF_INET, SOCK_STREAM), new;

	act_connect(scene, client, &at);
	new = accept_from(scene, fd, ACCEPT_NULL);
	act_close(scene, client, NULL, "reason=local direction=out sent=0 received=0");
	receive_end(scene, new);
	connection_ends(scene, new, "in", 0, 0);
	close(new);
	listener_ends(scene, fd, 1);
	close(fd);
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && access("/proc/sys/net/ipv6/conf/lo", F_OK) == 0;
}

/* --- without a connection ---------------------------------------------------------------------------------
 */

static void bound_only(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT_BOUND);
	int fd = mptcp_socket(scene, AF_INET);

	if (bind_to(scene, fd, &at, "-"))
		scene_fail(scene, "bind failed");
	truth_log(scene, "close cookie=* proto=tcp/ipv4 pid=%d local=127.0.0.1:%d peer=- reason=local",
		  getpid(), PORT_BOUND);
	close(fd);
}

/* A port that is taken; listening without having bound. */
static void odd_listeners(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT_TAKEN), other = address_of("127.0.0.2", PORT_TAKEN);
	int taken = act_listener(scene, &at, 5), fd = mptcp_socket(scene, AF_INET);

	if (bind_to(scene, fd, &at, "-") != EADDRINUSE)
		scene_fail(scene, "the port is not taken");
	if (bind_to(scene, fd, &other, "-"))
		scene_fail(scene, "bind failed");
	listen_at(scene, fd, "-");
	listener_ends(scene, fd, 0);
	close(fd);
	act_close(scene, taken, NULL, "reason=local state=listen accepts=0");
	fd = mptcp_socket(scene, AF_INET);
	listen_at(scene, fd, "listen");
	listener_ends(scene, fd, 0);
	close(fd);
}

/* The port stays the program's until it closes. */
static void refused(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT_REFUSED),
		      nobody = address_of("127.0.0.1", PORT_TAKEN);
	int fd = mptcp_socket(scene, AF_INET);

	if (bind_to(scene, fd, &at, "-"))
		scene_fail(scene, "bind failed");
	if (connect(fd, &nobody.any, sizeof(nobody.v4)) == 0 || errno != ECONNREFUSED)
		scene_fail(scene, "not refused: %s", strerror(errno));
	truth_log(scene,
		  "connect cookie=* proto=tcp/ipv4 pid=%d tid=%d local=127.0.0.1:%d peer=127.0.0.1:%d by=- "
		  "error=ECONNREFUSED",
		  getpid(), thread_id(), PORT_REFUSED, PORT_TAKEN);
	truth_log(scene, "close cookie=* proto=tcp/ipv4 pid=%d local=127.0.0.1:%d peer=- reason=local",
		  getpid(), PORT_REFUSED);
	close(fd);
}

static void victim(struct scene *scene, void *context)
{
	const int *ready = context;
	union address at = address_of("127.0.0.1", PORT_KILLED);
	int fd = listener(scene, &at);

	listener_ends(scene, fd, 0);
	gate_post(scene, *ready);
	for (;;)
		pause();
}

static void killed(struct scene *scene)
{
	int ready = gate_new(scene);
	pid_t pid = actor_start(scene, victim, &ready);

	gate_wait(scene, ready);
	actor_kill(scene, pid);
}

void mptcp(struct scene *scene)
{
	struct tool tool;

	need_mptcp(scene);
	tool_start(&tool, scene, NULL);
	if (strstr(tool.ready, "\"listen\":\"kprobe\""))
		scene_skip(scene, "by kprobes no listens and accepts of MPTCP are told");
	for (unsigned variant = 0; variant < ACCEPT_VARIANTS; variant++)
		serve(scene, variant == ACCEPT4_ADDRESS && has_ipv6() ? "::1" : "127.0.0.1", variant);
	serve_plain_client(scene);
	bound_only(scene);
	odd_listeners(scene);
	refused(scene);
	killed(scene);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}

/* --- who holds them ---------------------------------------------------------------------------------------
 */

struct listing {
	char text[1024];
};

static void add_row(struct listing *listing, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_row(struct listing *listing, const char *format, ...)
{
	size_t used = strlen(listing->text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(listing->text + used, sizeof(listing->text) - used, format, arguments);
	va_end(arguments);
}

static int compare_pids(const void *left, const void *right)
{
	return (int)(*(const uint64_t *)left - *(const uint64_t *)right);
}

static void take_row(struct scene *scene, const json_t *row, void *context)
{
	const json_t *holders = event_at(row, "portsnoop.holders");
	struct listing *listing = context;
	size_t n = json_array_size(holders);
	uint64_t pids[4];

	if (n > 4)
		scene_fail(scene, "%zu holders", n);
	for (size_t i = 0; i < n; i++)
		pids[i] = event_number(json_array_get(holders, i), "process.pid");
	qsort(pids, n, sizeof(*pids), compare_pids);
	add_row(listing, "%s %s:%d %s", event_string(row, "network.transport"),
		event_string(row, "network.local.address"), (int)event_number(row, "network.local.port"),
		event_string(row, "network.connection.state"));
	for (size_t i = 0; i < n; i++)
		add_row(listing, " %d", (int)pids[i]);
	add_row(listing, "\n");
}

static void expect(struct scene *scene, const char *command, const char *what, const char *asking,
		   const struct listing *wanted)
{
	struct listing found = {0};
	struct tool_result result;
	char netns[16];

	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, command, what, asking, "--json", "netns", netns, NULL);
	if (result.status)
		scene_fail(scene, "%s %s: exit code %d, %s", command, what, result.status, result.err);
	tool_each_line(scene, result.out_path, take_row, &found);
	if (strcmp(found.text, wanted->text))
		scene_fail(scene, "%s %s %s: %s instead of %s", command, what, asking, found.text,
			   wanted->text);
	tool_result_free(&result);
}

static void idle(struct scene *scene, void *context)
{
	const int *ready = context;

	gate_post(scene, *ready);
	for (;;)
		pause();
}

/* A listener, a connection that was accepted, its other end: of this process, and of a child that has them
 * too. */
static void expect_holders(struct scene *scene, const char *asking, int client, pid_t child)
{
	struct listing who = {0}, ports = {0}, connections = {0};
	int server_port = PORT_HELD, client_port = held_of(scene, client).port;
	bool client_first = client_port < server_port;

	add_row(&ports, "tcp 127.0.0.1:%d listen %d %d\n", server_port, getpid(), child);
	for (int i = 0; i < 2; i++)
		add_row(&connections, "tcp 127.0.0.1:%d established %d %d\n",
			(i == 0) == client_first ? client_port : server_port, getpid(), child);
	expect(scene, "ls", "ports", asking, &ports);
	expect(scene, "ls", "connections", asking, &connections);
	/* After the lists, which gave them cookies: see docs/kernels.md. */
	who = ports;
	add_row(&who, "tcp 127.0.0.1:%d established %d %d\n", server_port, getpid(), child);
	expect(scene, "who", PORT_HELD_TEXT, asking, &who);
}

static void ends(const struct scene *scene, int fd)
{
	struct held held = held_of(scene, fd);

	truth_log(scene, "close cookie=* proto=%s pid=%d local=%s peer=%s", held.proto, getpid(), held.local,
		  held.peer);
}

/* Of what is older than the trace the ends are told all the same, with who let go. */
static void expect_ends(struct scene *scene, struct tool *tool, int listener, int client, int server)
{
	truth_clear(scene->truth);
	ends(scene, client);
	ends(scene, server);
	ends(scene, listener);
	close(client);
	receive_end(scene, server);
	close(server);
	close(listener);
	tool_settle(tool);
	tool_end(tool);
	ledger_check(tool, NULL);
}

void mptcp_holders(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT_HELD);
	int fd, client, server, ready = gate_new(scene);
	struct tool tool;
	pid_t child;

	need_mptcp(scene);
	fd = listener(scene, &at);
	client = connect_to(scene, &at);
	server = (int)scene_must(scene, accept_by(fd, ACCEPT4_NULL), "accept");
	child = actor_start(scene, idle, &ready);
	gate_wait(scene, ready);
	expect_holders(scene, "--no-instance", client, child);
	tool_start(&tool, scene, NULL);
	expect_holders(scene, "--sync", client, child);
	actor_kill(scene, child);
	expect_ends(scene, &tool, fd, client, server);
}
