/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ten situations that people meet, made for real: `why` gives each its answer, word for word, and a bind
 * afterwards agrees with the verdict.
 */
#include "act.h"
#include "offer.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <fnmatch.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#define PORT	   7077
#define OTHER_PORT 7078
#define WORDS_MAX  4
#define LINES_MAX  24

struct situation {
	struct scene *scene;
	int fds[4];
	unsigned n_fds;
	pid_t child;
	int ready, end; /* of the child */
};

static void keep(struct situation *situation, int fd)
{
	situation->fds[situation->n_fds++] = fd;
}

/* --- making them ------------------------------------------------------------------------------------------
 */

static int bound_socket(const struct scene *scene, const char *address, uint16_t port)
{
	union address to = address_of(address, port);
	int fd = (int)scene_must(scene, socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	act_option(scene, fd, SOL_SOCKET, SO_REUSEADDR, 1);
	scene_must(scene, bind(fd, &to.any, address_length(&to)), "bind");
	return fd;
}

static int listener(const struct scene *scene, const char *address, uint16_t port)
{
	int fd = bound_socket(scene, address, port);

	scene_must(scene, listen(fd, 16), "listen");
	return fd;
}

static int connection_to(const struct scene *scene, int from, const char *address, uint16_t port)
{
	union address to = address_of(address, port);

	scene_must(scene, connect(from, &to.any, address_length(&to)), "connect");
	return from;
}

static void live_listener(struct situation *situation)
{
	keep(situation, listener(situation->scene, "127.0.0.1", PORT));
}

static void other_family(struct situation *situation)
{
	keep(situation, listener(situation->scene, "::", PORT));
}

/* The server closes first, and its listener too. */
static void restarted_server(struct situation *situation)
{
	const struct scene *scene = situation->scene;
	int server = listener(scene, "127.0.0.1", PORT), accepted;
	int client = (int)scene_must(scene, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	connection_to(scene, client, "127.0.0.1", PORT);
	accepted = (int)scene_must(scene, accept(server, NULL, NULL), "accept");
	close(accepted);
	close(client);
	close(server);
}

static void client_connection(struct situation *situation)
{
	const struct scene *scene = situation->scene;

	keep(situation, listener(scene, "127.0.0.1", OTHER_PORT));
	keep(situation,
	     connection_to(scene, bound_socket(scene, "127.0.0.1", PORT), "127.0.0.1", OTHER_PORT));
}

static void never_listened(struct situation *situation)
{
	keep(situation, bound_socket(situation->scene, "127.0.0.1", PORT));
}

static void nothing(struct situation *situation)
{
}

static void of_another_user(struct situation *situation)
{
	const struct scene *scene = situation->scene;
	union address to = address_of("127.0.0.1", PORT);
	int fd;

	setfsuid(1000);
	fd = (int)scene_must(scene, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	setfsuid(0);
	act_option(scene, fd, SOL_SOCKET, SO_REUSEPORT, 1);
	scene_must(scene, bind(fd, &to.any, address_length(&to)), "bind");
	scene_must(scene, listen(fd, 16), "listen");
	keep(situation, fd);
}

/* Says when it has it, and when it has not any more. */
static void hold(const struct situation *situation, int fd)
{
	gate_post(situation->scene, situation->ready);
	gate_wait(situation->scene, situation->end);
	close(fd);
	gate_post(situation->scene, situation->ready);
	_exit(0);
}

static void listen_elsewhere(struct scene *scene, void *context)
{
	scene_must(scene, unshare(CLONE_NEWNET), "unshare");
	hold(context, listener(scene, "0.0.0.0", PORT));
}

/* The child of a server that has ended. */
static void inherit(struct scene *scene, void *context)
{
	int fd = listener(scene, "127.0.0.1", PORT);

	if (scene_must(scene, fork(), "fork"))
		_exit(0);
	hold(context, fd);
}

static void start_child(struct situation *situation, actor_body *body)
{
	situation->ready = gate_new(situation->scene);
	situation->end = gate_new(situation->scene);
	situation->child = actor_start(situation->scene, body, situation);
	gate_wait(situation->scene, situation->ready);
}

static void another_namespace(struct situation *situation)
{
	start_child(situation, listen_elsewhere);
}

static void surviving_child(struct situation *situation)
{
	start_child(situation, inherit);
}

/* --- what is answered -------------------------------------------------------------------------------------
 */

#define NO_OPTIONS "    asked as user root, without SO_REUSEADDR and SO_REUSEPORT"
#define HOLDER	   "    live(*)  root  fd *"

/* Patterns of fnmatch(3), one a line; NULL ends them. Lines about the holders' processes are left out. */
static const struct {
	const char *name;
	void (*make)(struct situation *situation);
	const char *words[WORDS_MAX];
	const char *address; /* of the bind afterwards */
	uint16_t port;
	bool reuseport;
	int error;
	const char *lines[LINES_MAX];
} situations[] = {
	{"a live listener",
	 live_listener,
	 {"127.0.0.1:7077"},
	 "127.0.0.1",
	 PORT,
	 false,
	 EADDRINUSE,
	 {"no: tcp 127.0.0.1:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way", NO_OPTIONS, "",
	  "tcp 127.0.0.1:7077  listen, reuseaddr", "    in the way: it listens on the same address",
	  "    what helps: end live(*)", HOLDER}},
	{"a listener of the other family",
	 other_family,
	 {"127.0.0.1:7077", "--reuseaddr"},
	 "127.0.0.1",
	 PORT,
	 false,
	 EADDRINUSE,
	 {"no: tcp 127.0.0.1:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way",
	  "    asked as user root, with SO_REUSEADDR, without SO_REUSEPORT", "",
	  "tcp6 \\*:7077  listen, reuseaddr",
	  "    in the way: it listens as an IPv6 socket that has IPv4 too", "    what helps: end live(*)",
	  HOLDER}},
	{"TIME_WAIT after a restart",
	 restarted_server,
	 {"127.0.0.1:7077"},
	 "127.0.0.1",
	 PORT,
	 false,
	 EADDRINUSE,
	 {"no: tcp 127.0.0.1:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way", NO_OPTIONS,
	  "    what helps: set SO_REUSEADDR in the program that asks", "",
	  "tcp 127.0.0.1:7077 - 127.0.0.1:*  time_wait, reuseaddr",
	  "    in the way: it is what a closed connection leaves behind, gone in [0-9]* s",
	  "    what helps: set SO_REUSEADDR in the program that asks, or wait [0-9]* s",
	  "    no process; nobody was watching when it closed"}},
	{"a client's connection",
	 client_connection,
	 {"7077"},
	 "::",
	 PORT,
	 false,
	 EADDRINUSE,
	 {"no: tcp \\*:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way", NO_OPTIONS,
	  "    what helps: set SO_REUSEADDR in the program that asks",
	  "            or: set IPV6_V6ONLY in the program that asks, if IPv6 is enough", "",
	  "tcp 127.0.0.1:7077 - 127.0.0.1:7078  established, reuseaddr",
	  "    in the way: its connection holds the port on IPv4, which is asked for too",
	  "    what helps: end live(*), or set SO_REUSEADDR in the program that asks, or set IPV6_V6ONLY in "
	  "the "
	  "program that "
	  "asks, if IPv6 is enough, or ask for another address than 127.0.0.1",
	  HOLDER}},
	{"bound, and never listened",
	 never_listened,
	 {"127.0.0.1:7077"},
	 "127.0.0.1",
	 PORT,
	 false,
	 EADDRINUSE,
	 {"no: tcp 127.0.0.1:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way", NO_OPTIONS,
	  "    what helps: set SO_REUSEADDR in the program that asks", "",
	  "tcp 127.0.0.1:7077  bound, reuseaddr",
	  "    in the way: it has bound the port, without listening, on the same address",
	  "    what helps: end live(*), or set SO_REUSEADDR in the program that asks", HOLDER}},
	{"a listener in another namespace",
	 another_namespace,
	 {"7077"},
	 "::",
	 PORT,
	 false,
	 0,
	 {"yes: tcp \\*:7077 can be bound now", NO_OPTIONS, "",
	  "not in the way, since it is in another network namespace:",
	  "    tcp 0.0.0.0:7077 listen, in network namespace [0-9]*: live(*)  fd *"}},
	{"a privileged port",
	 nothing,
	 {"0.0.0.0:77", "--uid", "4242"},
	 NULL,
	 0,
	 false,
	 EACCES,
	 {"no: tcp 0.0.0.0:77 cannot be bound now (EACCES): ports below 1024 take CAP_NET_BIND_SERVICE in "
	  "the user "
	  "namespace of this network namespace",
	  "    asked as user 4242, without SO_REUSEADDR and SO_REUSEPORT",
	  "    what helps: give it CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)",
	  "            or: sysctl net.ipv4.ip_unprivileged_port_start=77 in this network namespace",
	  "            or: ask for a port from 1024 on"}},
	{"a wildcard against an address",
	 live_listener,
	 {"0.0.0.0:7077"},
	 "0.0.0.0",
	 PORT,
	 false,
	 EADDRINUSE,
	 {"no: tcp 0.0.0.0:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way", NO_OPTIONS, "",
	  "tcp 127.0.0.1:7077  listen, reuseaddr",
	  "    in the way: it listens on one of the addresses that are asked for",
	  "    what helps: end live(*), or ask for another address than 127.0.0.1", HOLDER}},
	{"SO_REUSEPORT of another user",
	 of_another_user,
	 {"127.0.0.1:7077", "--reuseport"},
	 "127.0.0.1",
	 PORT,
	 true,
	 EADDRINUSE,
	 {"no: tcp 127.0.0.1:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way",
	  "    asked as user root, without SO_REUSEADDR, with SO_REUSEPORT", "",
	  "tcp 127.0.0.1:7077  listen, reuseport",
	  "    in the way: both have SO_REUSEPORT, but it belongs to another user; it is on the same address",
	  "    what helps: end live(*), or ask as user 1000 with SO_REUSEPORT", HOLDER}},
	{"a child that survived its parent",
	 surviving_child,
	 {"127.0.0.1:7077"},
	 "127.0.0.1",
	 PORT,
	 false,
	 EADDRINUSE,
	 {"no: tcp 127.0.0.1:7077 cannot be bound now (EADDRINUSE): 1 socket is in the way", NO_OPTIONS, "",
	  "tcp 127.0.0.1:7077  listen, reuseaddr", "    in the way: it listens on the same address",
	  "    what helps: end live(*)", HOLDER}},
};
#define N_SITUATIONS (sizeof(situations) / sizeof(situations[0]))

/* What is said of a process is not why's. */
static char *next_line(char **text)
{
	char *line;

	do
		line = strsep(text, "\n");
	while (line && !strncmp(line, "        ", 8) && strncmp(line, "            or: ", 16));
	return line;
}

static void compare(const struct scene *scene, const struct tool_result *result, size_t which)
{
	char *copy = strdup(result->out), *rest = copy, *line;
	const char *const *expected = situations[which].lines;

	while ((line = next_line(&rest)) && (*line || rest)) {
		if (!*expected || fnmatch(*expected, line, 0))
			scene_fail(scene, "%s: '%s' where '%s' was expected, in: %s", situations[which].name,
				   line, *expected ? *expected : "the end", result->out);
		expected++;
	}
	if (*expected)
		scene_fail(scene, "%s: '%s' is missing in: %s", situations[which].name, *expected,
			   result->out);
	free(copy);
}

/* The kernel's word on it. */
static void try_it(const struct scene *scene, size_t which)
{
	union address to;
	int fd, error;

	if (!situations[which].address)
		return;
	to = address_of(situations[which].address, situations[which].port);
	fd = (int)scene_must(scene, socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	act_option(scene, fd, SOL_SOCKET, SO_REUSEPORT, situations[which].reuseport);
	error = bind(fd, &to.any, address_length(&to)) ? errno : 0;
	close(fd);
	if (error != situations[which].error)
		scene_fail(scene, "%s: bind said %s", situations[which].name, errno_text(error));
}

static void end(struct situation *situation)
{
	while (situation->n_fds)
		close(situation->fds[--situation->n_fds]);
	if (!situation->child)
		return;
	gate_post(situation->scene, situation->end);
	gate_wait(situation->scene, situation->ready);
	actor_join(situation->scene, situation->child);
}

/* The group `schema` reads files that end like this. */
static void keep_for_schema(const struct scene *scene, const struct tool_result *result)
{
	char path[600];

	snprintf(path, sizeof(path), "%s.json", result->out_path);
	scene_must(scene, rename(result->out_path, path), "rename");
}

/* The same verdict; those in the way stand before it. */
static void run_json(struct scene *scene, size_t which, const char *netns)
{
	const char *const *words = situations[which].words;
	int error = situations[which].error;
	struct tool_result result;
	char expected[64];

	tool_run(scene, &result, NULL, "why", "--json", "--netns", netns, words[0], words[1], words[2],
		 words[3], NULL);
	snprintf(expected, sizeof(expected), "\"error\":{\"type\":\"%s\"}", errno_text(error));
	if (result.status != (error ? 1 : 0) || !strstr(result.out, "\"row\":\"verdict\"") ||
	    !strstr(result.out, error ? "\"would_bind\":false" : "\"would_bind\":true") ||
	    (error && !strstr(result.out, expected)) ||
	    (strstr(result.out, "\"conflict\":{\"rule\":") != NULL) != (error == EADDRINUSE))
		scene_fail(scene, "%s: exit code %d: %s%s", situations[which].name, result.status, result.err,
			   result.out);
	keep_for_schema(scene, &result);
	tool_result_free(&result);
}

/* After TIME_WAIT the port is not free for the next: so that one comes last. */
static void run(struct scene *scene, size_t which)
{
	const char *const *words = situations[which].words;
	struct situation situation = {.scene = scene};
	struct tool_result result;
	char netns[24];

	snprintf(netns, sizeof(netns), "%d", getpid());
	situations[which].make(&situation);
	tool_run(scene, &result, NULL, "why", "--netns", netns, words[0], words[1], words[2], words[3], NULL);
	if (result.status != (situations[which].error ? 1 : 0))
		scene_fail(scene, "%s: exit code %d: %s%s", situations[which].name, result.status, result.err,
			   result.out);
	compare(scene, &result, which);
	tool_result_free(&result);
	run_json(scene, which, netns);
	try_it(scene, which);
	end(&situation);
}

void why_situations(struct scene *scene)
{
	static const size_t time_wait = 2, connection = 3;

	scene_need_ipv6(scene);
	offer_port_table(scene);
	for (size_t i = 0; i < N_SITUATIONS; i++)
		if (i != time_wait && i != connection)
			run(scene, i);
	run(scene, time_wait);
	scene_isolate(scene);
	run(scene, connection);
}
