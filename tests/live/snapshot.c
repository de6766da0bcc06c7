/* SPDX-License-Identifier: GPL-2.0-only */
/* What `ls` finds: every socket there is, in every namespace, each once, with its holders. */
#include "act.h"
#include "census.h"
#include "scenarios.h"
#include "tool.h"
#include "truth.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct keeper {
	int ready;
};

/* Keeps what it has open until it is killed. */
_Noreturn static void keep(const struct scene *scene, const struct keeper *keeper)
{
	gate_post(scene, keeper->ready);
	for (;;)
		pause();
}

static int bound(const struct scene *scene, const char *address, uint16_t port, int type)
{
	union address at = address_of(address, port);
	int fd = act_socket(scene, at.any.sa_family, type), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	return fd;
}

static int listening(const struct scene *scene, const char *address, uint16_t port)
{
	int fd = bound(scene, address, port, SOCK_STREAM);

	scene_must(scene, listen(fd, 8), "listen");
	census_socket(scene, fd, "listen");
	return fd;
}

static int connected(const struct scene *scene, const char *address, uint16_t port, int type)
{
	union address to = address_of(address, port);
	int fd = act_socket(scene, to.any.sa_family, type);

	scene_must(scene, connect(fd, &to.any, address_length(&to)), "connect");
	return fd;
}

/* --- TCP --------------------------------------------------------------------------------------------------
 */

/* IPv4 through an IPv6 listener: mapped on one side only. */
static void dual_stack_pair(const struct scene *scene)
{
	int listener = listening(scene, "::", 7900), client, server;

	client = connected(scene, "127.0.0.1", 7900, SOCK_STREAM);
	server = (int)scene_must(scene, accept(listener, NULL, NULL), "accept");
	census_socket(scene, client, "established");
	census_socket(scene, server, "established");
}

/* The client closes first: FIN_WAIT2 as long as the server does not, then TIME_WAIT. */
static void closed_first(const struct scene *scene, int listener, bool server_too)
{
	int client = connected(scene, "127.0.0.1", 7901, SOCK_STREAM);
	int server = (int)scene_must(scene, accept(listener, NULL, NULL), "accept");
	struct held held = held_of(scene, client);

	close(client);
	receive_end(scene, server);
	if (server_too)
		close(server);
	else
		census_socket(scene, server, "close_wait");
	census_orphan(scene, held.proto, held.cookie, held.local, held.peer,
		      server_too ? "time_wait" : "fin_wait2");
}

static void not_accepted(const struct scene *scene)
{
	int client = connected(scene, "127.0.0.1", 7901, SOCK_STREAM);
	struct held held = held_of(scene, client);

	census_socket(scene, client, "established");
	census_orphan(scene, held.proto, 0, held.peer, held.local, "established");
}

/* The answer to its SYN does not reach the client: a request at the listener, a client that waits. */
static void half_open(const struct scene *scene)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &nothing};
	int fd = bound(scene, "127.0.0.1", 7903, SOCK_STREAM | SOCK_NONBLOCK);
	union address to = address_of("127.0.0.1", 7901);

	scene_must(scene, setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), "filter");
	if (connect(fd, &to.any, sizeof(to.v4)) == 0 || errno != EINPROGRESS)
		scene_fail(scene, "a connection without an answer: %s", strerror(errno));
	census_connecting(scene, fd, "127.0.0.1:7901", "syn_sent");
	census_orphan(scene, "tcp/ipv4", 0, "127.0.0.1:7901", "127.0.0.1:7903", "syn_recv");
}

static void tcp_keeper(struct scene *scene, void *context)
{
	int listener = listening(scene, "127.0.0.1", 7901);

	dual_stack_pair(scene);
	census_socket(scene, bound(scene, "127.0.0.1", 7902, SOCK_STREAM), "bound");
	closed_first(scene, listener, false);
	closed_first(scene, listener, true);
	not_accepted(scene);
	half_open(scene);
	keep(scene, context);
}

/* --- UDP, threads, other namespaces -----------------------------------------------------------------------
 */

/* Its descriptors are its own, not the process's. */
static void *private_thread(void *context)
{
	const struct scene *scene = context;

	scene_must(scene, unshare(CLONE_FILES), "unshare");
	census_socket(scene, bound(scene, "127.0.0.1", 7911, SOCK_DGRAM), "unconnected");
	for (;;)
		pause();
	return NULL;
}

static void udp_keeper(struct scene *scene, void *context)
{
	unsigned before = truth_count(scene->truth, "row");
	pthread_t thread;

	census_socket(scene, bound(scene, "0.0.0.0", 7910, SOCK_DGRAM), "unconnected");
	census_socket(scene, connected(scene, "127.0.0.1", 9, SOCK_DGRAM), "established");
	census_socket(scene, bound(scene, "::1", 7910, SOCK_DGRAM), "unconnected");
	close(act_socket(scene, AF_INET, SOCK_DGRAM));
	act_socket(scene, AF_INET, SOCK_DGRAM);	 /* without a port: not to be listed */
	act_socket(scene, AF_INET, SOCK_STREAM); /* the same */
	if (pthread_create(&thread, NULL, private_thread, scene))
		scene_fail(scene, "no thread");
	while (truth_count(scene->truth, "row") < before + 4)
		sched_yield();
	keep(scene, context);
}

/* A child has the descriptors of its parent. */
static void family_keeper(struct scene *scene, void *context)
{
	listening(scene, "127.0.0.1", 7915);
	if (scene_must(scene, fork(), "fork") == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		keep(scene, context);
	}
	for (;;)
		pause();
}

static void other_netns_keeper(struct scene *scene, void *context)
{
	scene_isolate(scene);
	listening(scene, "127.0.0.1", 7901); /* a port that is taken in the other one */
	not_accepted(scene);
	census_socket(scene, bound(scene, "127.0.0.1", 7920, SOCK_STREAM), "bound");
	census_socket(scene, bound(scene, "127.0.0.1", 7920, SOCK_DGRAM), "unconnected");
	keep(scene, context);
}

/* Its only sockets with a port are of one family. */
static void ipv6_netns_keeper(struct scene *scene, void *context)
{
	scene_isolate(scene);
	listening(scene, "::1", 7902);
	keep(scene, context);
}

static void pid_ns_keeper(struct scene *scene, void *context)
{
	if (unshare(CLONE_NEWPID))
		scene_skip(scene, "no pid namespaces here: %s", strerror(errno));
	if (scene_must(scene, fork(), "fork") == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		listening(scene, "127.0.0.1", 7925);
		keep(scene, context);
	}
	for (;;)
		pause();
}

#define KEEPERS 6

void snapshot_complete(struct scene *scene)
{
	actor_body *const keepers[] = {tcp_keeper,	   udp_keeper,	      family_keeper,
				       other_netns_keeper, ipv6_netns_keeper, pid_ns_keeper};
	struct keeper keeper = {.ready = gate_new(scene)};
	pid_t pids[KEEPERS];

	scene_need_ipv6(scene);
	for (size_t i = 0; i < KEEPERS; i++) {
		pids[i] = actor_start(scene, keepers[i], &keeper);
		gate_wait(scene, keeper.ready);
	}
	census_check(scene);
	for (size_t i = 0; i < KEEPERS; i++)
		actor_kill(scene, pids[i]);
}

/* --- the same as ss ---------------------------------------------------------------------------------------
 */

struct crowd {
	struct keeper keeper;
	unsigned pairs; /* of connected sockets, in each process */
};

static void crowd_keeper(struct scene *scene, void *context)
{
	const struct crowd *crowd = context;
	union address any = address_of("127.0.0.1", 0);
	int listener = act_socket(scene, AF_INET, SOCK_STREAM);
	struct held held;

	scene_must(scene, bind(listener, &any.any, sizeof(any.v4)), "bind");
	scene_must(scene, listen(listener, 8), "listen");
	held = held_of(scene, listener);
	for (unsigned i = 0; i < crowd->pairs; i++) {
		connected(scene, "127.0.0.1", held.port, SOCK_STREAM);
		scene_must(scene, accept(listener, NULL, NULL), "accept");
	}
	keep(scene, &crowd->keeper);
}

/* Lines `PROTO LOCAL PEER PID`; PEER of those without one is `-`. */
struct lines {
	char (*items)[128];
	size_t n, room;
};

static char *lines_add(const struct scene *scene, struct lines *lines)
{
	if (lines->n == lines->room) {
		lines->room = lines->room ? 2 * lines->room : 1024;
		lines->items = realloc(lines->items, lines->room * sizeof(*lines->items));
		if (!lines->items)
			scene_fail(scene, "no memory");
	}
	return lines->items[lines->n++];
}

static void take_row(struct scene *scene, const json_t *event, void *context)
{
	char text[256], proto[16], local[64], peer[64];

	if (event_number(event, "portsnoop.netns") != scene->netns)
		return;
	event_render(event, event_key("local", 5) | event_key("peer", 4), text, sizeof(text));
	if (sscanf(text, " local=%63s peer=%63s", local, peer) != 2)
		scene_fail(scene, "not understood: %s", text);
	snprintf(proto, sizeof(proto), "%s", event_string(event, "network.transport"));
	event_render(event, event_key("holders", 7), text, sizeof(text));
	snprintf(lines_add(scene, context), 128, "%.8s %.48s %.48s %.16s", proto, local, peer,
		 text + sizeof(" holders=") - 1);
}

static void read_ls(struct scene *scene, const char *table, struct lines *lines)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "ls", table, "--json", NULL);
	if (result.status)
		scene_fail(scene, "ls %s: status %d, %s", table, result.status, result.err);
	tool_each_line(scene, result.out_path, take_row, lines);
	tool_result_free(&result);
}

/* `tcp ESTAB 0 0 127.0.0.1:1 127.0.0.1:2 users:(("live",pid=1,fd=3))` */
static void read_ss(struct scene *scene, struct lines *lines)
{
	char line[512], proto[8], local[64], peer[64];
	FILE *ss = popen("ss -tunapH", "re");

	while (ss && fgets(line, sizeof(line), ss)) {
		const char *pid = strstr(line, "pid=");

		if (sscanf(line, "%7s %*s %*s %*s %63s %63s", proto, local, peer) != 3)
			scene_fail(scene, "not understood: %s", line);
		snprintf(lines_add(scene, lines), 128, "%s %.48s %.48s %d", proto, local,
			 strstr(peer, ":*") ? "-" : peer, pid ? atoi(pid + 4) : 0);
	}
	if (!ss || pclose(ss))
		scene_fail(scene, "ss failed");
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void sort_lines(struct lines *lines)
{
	qsort(lines->items, lines->n, sizeof(*lines->items), compare_lines);
}

static void compare_with_ss(struct scene *scene, unsigned sockets)
{
	struct lines ours = {0}, theirs = {0};

	read_ls(scene, "ports", &ours);
	read_ls(scene, "connections", &ours);
	read_ss(scene, &theirs);
	sort_lines(&ours);
	sort_lines(&theirs);
	for (size_t i = 0; i < ours.n && i < theirs.n; i++)
		if (strcmp(ours.items[i], theirs.items[i]))
			scene_fail(scene, "ls has `%s`, ss has `%s`", ours.items[i], theirs.items[i]);
	if (ours.n != theirs.n || ours.n != sockets)
		scene_fail(scene, "ls has %zu sockets, ss %zu, and there are %u", ours.n, theirs.n, sockets);
	scene_note(scene, "%zu sockets", ours.n);
	free(ours.items);
	free(theirs.items);
}

static void as_ss(struct scene *scene, unsigned processes, unsigned pairs)
{
	struct crowd crowd = {.keeper = {.ready = gate_new(scene)}, .pairs = pairs};
	pid_t *pids = calloc(processes, sizeof(*pids));

	scene_need_program(scene, "ss");
	if (!pids)
		scene_fail(scene, "no memory");
	for (unsigned i = 0; i < processes; i++)
		pids[i] = actor_start(scene, crowd_keeper, &crowd);
	for (unsigned i = 0; i < processes; i++)
		gate_wait(scene, crowd.keeper.ready);
	compare_with_ss(scene, processes * (2 * pairs + 1));
	for (unsigned i = 0; i < processes; i++)
		actor_kill(scene, pids[i]);
	free(pids);
}

void snapshot_as_ss(struct scene *scene)
{
	as_ss(scene, 100, 50);
}

/* 40,000 established connections. */
void snapshot_as_ss_many(struct scene *scene)
{
	as_ss(scene, scene_count(scene, 200), 200);
}

/* --- what may not be entered ------------------------------------------------------------------------------
 */

static int without_sys_admin(void)
{
	return prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN);
}

static void remember_holder(struct scene *scene, const json_t *row, void *context)
{
	const json_t *holders = event_at(row, "portsnoop.holders");

	if (event_number(row, "portsnoop.netns") == scene->netns && json_array_size(holders) == 1)
		*(uint64_t *)context = event_number(json_array_get(holders, 0), "process.pid");
}

/* Its namespace stays shut: that is said, and what its process holds is found by its descriptor. */
void snapshot_forbidden(struct scene *scene)
{
	const struct tool_run unable = {.prepare = without_sys_admin};
	struct tool_result result;
	uint64_t holder = 0;

	bound(scene, "127.0.0.1", 7930, SOCK_DGRAM);
	tool_run(scene, &result, &unable, "ls", "ports", "--json", "--no-instance", "lport", "7930", NULL);
	if (result.status || !strstr(result.err, "could not be looked into (EPERM)"))
		scene_fail(scene, "exit code %d: %s", result.status, result.err);
	tool_each_line(scene, result.out_path, remember_holder, &holder);
	if (holder != (uint64_t)getpid())
		scene_fail(scene, "held by %" PRIu64 ", not by %d", holder, getpid());
	tool_result_free(&result);
}

/* --- payload ----------------------------------------------------------------------------------------------
 */

#define PAYLOAD 400

struct bytes {
	uint64_t sent, received; /* all rows' */
	unsigned rows;
};

static void add_bytes(struct scene *scene, const json_t *row, void *context)
{
	struct bytes *bytes = context;

	(void)scene;
	bytes->sent += event_number(row, "portsnoop.bytes.sent");
	bytes->received += event_number(row, "portsnoop.bytes.received");
	bytes->rows++;
}

static void expect_bytes(struct scene *scene, const char *when)
{
	struct bytes bytes = {0};
	struct tool_result result;
	char filter[64];

	snprintf(filter, sizeof(filter), "port 7995 and netns %u", scene->netns);
	tool_run(scene, &result, NULL, "ls", "connections", "--json", filter, NULL);
	tool_each_line(scene, result.out_path, add_bytes, &bytes);
	if (bytes.rows != 2 || bytes.sent != PAYLOAD || bytes.received != PAYLOAD)
		scene_fail(scene, "%s: %u rows, %" PRIu64 " sent, %" PRIu64 " received", when, bytes.rows,
			   bytes.sent, bytes.received);
	tool_keep_for_schema(scene, &result);
	tool_result_free(&result);
}

/* The end of a connection takes a place in its sequence, and is no payload. */
void snapshot_bytes(struct scene *scene)
{
	union address at = address_of("127.0.0.1", 7995);
	int listener = act_listener(scene, &at, 1), client = act_socket(scene, AF_INET, SOCK_STREAM), server;

	act_connect(scene, client, &at);
	server = act_accept(scene, listener, ACCEPT_NULL);
	send_all(scene, client, PAYLOAD);
	receive_all(scene, server, PAYLOAD);
	expect_bytes(scene, "open");
	scene_must(scene, shutdown(client, SHUT_WR), "shutdown");
	receive_end(scene, server);
	expect_bytes(scene, "half closed");
	act_close_pair(scene, client, server);
	close(listener);
}
