/* SPDX-License-Identifier: GPL-2.0-only */
/* export: its counters equal the actor's own tally, whatever became of the events. */
#include "counts_actor.h"
#include "scenarios.h"
#include "scraped.h"

#include "act.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT   7600
#define ROUNDS 20000 /* each with a connection, and with each other act that is counted */

/* --- counters ---------------------------------------------------------------------------------------------
 */

struct places {
	char name[64], netns[32], local[32], server[32], refused[32];
};

static struct places places_of(const struct scene *scene, const struct counts_actor *actor)
{
	struct places places;

	snprintf(places.name, sizeof(places.name), "process_executable_name=\"%s\"", actor->name);
	snprintf(places.netns, sizeof(places.netns), "netns=\"%u\"", scene->netns);
	snprintf(places.local, sizeof(places.local), "local_port=\"%u\"", PORT);
	snprintf(places.server, sizeof(places.server), "server_port=\"%u\"", PORT);
	snprintf(places.refused, sizeof(places.refused), "server_port=\"%u\"", PORT + 2);
	return places;
}

/* What the kernel says that it skipped may be missing, and nothing else. */
static void expect(const struct scraped *scraped, const char *what, double counted, unsigned long long done)
{
	double skipped = scraped_sum(scraped, "portsnoop_events_lost_total", "stage=\"skipped\"", NULL);

	if (counted > (double)done || counted + skipped < (double)done)
		scene_fail(scraped->scene, "%s: %.0f counted, %llu done (%.0f skipped)", what, counted, done,
			   skipped);
}

#define EXPECT_IN(scraped, done, name, ...)                                                                  \
	expect(scraped, name " of " #__VA_ARGS__, scraped_sum(scraped, name, __VA_ARGS__, NULL), done)
#define EXPECT(done, name, ...) EXPECT_IN(scraped, done, name, __VA_ARGS__)

static void check_calls(const struct scraped *scraped, const struct places *at, const struct tally *tally)
{
	const char *tcp = "network_transport=\"tcp\"";

	EXPECT(tally->any_port_binds, "portsnoop_binds_total", at->name, tcp, "assigned_by=\"bind\"");
	EXPECT(tally->binds + tally->any_port_binds, "portsnoop_binds_total", at->name, tcp);
	EXPECT(tally->bind_errors, "portsnoop_bind_errors_total", at->name, tcp, "error_type=\"EADDRINUSE\"");
	EXPECT(tally->bind_errors, "portsnoop_bind_errors_total", at->name);
	EXPECT(tally->connects, "portsnoop_connects_total", at->name, at->server);
	EXPECT(tally->connects, "portsnoop_connects_total", at->name);
	EXPECT(tally->connect_errors, "portsnoop_connect_errors_total", at->name, tcp, at->refused,
	       "error_type=\"ECONNREFUSED\"");
	EXPECT(tally->connect_errors, "portsnoop_connect_errors_total", at->name);
	EXPECT(tally->accepts, "portsnoop_accepts_total", at->name, at->local, at->netns);
	EXPECT(tally->accepts, "portsnoop_accepts_total", at->netns);
}

static void check_connections(const struct scraped *scraped, const struct places *at,
			      const struct tally *tally)
{
	const char *sent = "direction=\"sent\"", *received = "direction=\"received\"";

	EXPECT(tally->connects, "portsnoop_connections_closed_total", at->netns, at->name, at->server,
	       "direction=\"out\"");
	EXPECT(tally->accepts, "portsnoop_connections_closed_total", at->netns, at->name, at->local,
	       "direction=\"in\"");
	EXPECT(tally->connects + tally->accepts, "portsnoop_connections_closed_total", at->netns);
	EXPECT(tally->client_sent, "portsnoop_connection_bytes_total", at->netns, at->server, sent);
	EXPECT(tally->server_sent, "portsnoop_connection_bytes_total", at->netns, at->server, received);
	EXPECT(tally->server_sent, "portsnoop_connection_bytes_total", at->netns, at->local, at->name, sent);
	EXPECT(tally->client_sent, "portsnoop_connection_bytes_total", at->netns, at->local, at->name,
	       received);
	EXPECT(tally->connects, "portsnoop_connect_duration_seconds_count", at->name, at->server);
	EXPECT(tally->accepts, "portsnoop_connection_duration_seconds_count", at->netns, at->local);
	EXPECT(tally->connects, "portsnoop_connection_duration_seconds_bucket", at->netns, at->server,
	       "le=\"+Inf\"");
}

static void check_ports(const struct scraped *scraped, const struct places *at, const struct tally *tally)
{
	char refused[32];

	EXPECT(tally->any_port_binds, "portsnoop_ephemeral_assigned_total", at->netns,
	       "assigned_by=\"bind\"");
	EXPECT(tally->connects + tally->connect_errors, "portsnoop_ephemeral_assigned_total", at->netns,
	       "assigned_by=\"connect\"");
	EXPECT(tally->sends, "portsnoop_ephemeral_assigned_total", at->netns, "assigned_by=\"send\"");
	if (scraped_count(scraped, "portsnoop_probe_info", "fact=\"refuse\"", NULL)) {
		snprintf(refused, sizeof(refused), "local_port=\"%u\"", PORT + 2);
		EXPECT(tally->connect_errors, "portsnoop_refused_connections_total", at->netns, refused);
	}
	EXPECT(1, "portsnoop_listeners", at->netns, at->local, at->name, "local_address=\"127.0.0.1\"");
	EXPECT(1, "portsnoop_listener_processes", at->netns, at->local, at->name);
	EXPECT(64, "portsnoop_accept_queue_limit", at->netns, at->local, at->name);
}

/* As Prometheus's own tool reads it, where that is installed. */
static void check_format(const struct scraped *scraped)
{
	char command[1500];

	snprintf(
		command, sizeof(command),
		"command -v promtool >/dev/null || exit 99; promtool check metrics <'%s' >'%s.promtool' 2>&1",
		scraped->path, scraped->path);
	switch (WEXITSTATUS(system(command))) {
	case 0:
		return;
	case 99:
		scene_note(scraped->scene, "promtool is not installed: the format was not checked");
		return;
	default:
		scene_fail(scraped->scene, "promtool does not like it: %s.promtool", scraped->path);
	}
}

/* The last connection ends a moment after the process let go of it. */
static void await_last_end(struct scraped *scraped, const struct places *at, const struct tally *tally)
{
	uint64_t deadline_ns = scene_clock_ns() + scraped->scene->patience_s * 1000000000ull;
	double ended;

	do {
		scraped_read(scraped);
		ended = scraped_sum(scraped, "portsnoop_connections_closed_total", at->netns, NULL);
	} while (ended < (double)(tally->connects + tally->accepts) && scene_clock_ns() < deadline_ns &&
		 !scraped_sum(scraped, "portsnoop_events_lost_total", "stage=\"skipped\"", NULL));
}

/* In emulated machines, which have them by each way of seeing calls, ten times fewer than elsewhere. */
static unsigned rounds_of(const struct scene *scene)
{
	return scene_count(scene, scene->scale < 1 ? ROUNDS / 10 : ROUNDS);
}

static void count(struct scene *scene, const char *option, const char *value, bool loses)
{
	struct counts_actor actor;
	struct scraped scraped;
	struct places places;
	struct tally tally;
	double lost;

	scraped_start(&scraped, scene, option, value, NULL);
	/* However slow the machine and few the acts: nobody empties the ring. */
	if (loses)
		scene_must(scene, kill(scraped.pid, SIGSTOP), "kill");
	counts_actor_start(scene, &actor, PORT, rounds_of(scene));
	tally = counts_actor_wait(scene, &actor);
	if (loses)
		scene_must(scene, kill(scraped.pid, SIGCONT), "kill");
	places = places_of(scene, &actor);
	await_last_end(&scraped, &places, &tally);
	check_calls(&scraped, &places, &tally);
	check_connections(&scraped, &places, &tally);
	/* Without events the kernel's sockets are looked at once a second. */
	while (!scraped_sum(&scraped, "portsnoop_listeners", places.name, NULL))
		scraped_read(&scraped);
	check_ports(&scraped, &places, &tally);
	lost = scraped_sum(&scraped, "portsnoop_events_lost_total", "stage=\"ring\"", NULL);
	scene_note(scene, "%llu connections, %.0f records lost", tally.connects, lost);
	if (loses && lost < (double)tally.connects)
		scene_fail(scene, "the ring was not too small");
	counts_actor_end(scene, &actor);
	check_format(&scraped);
	scraped_end(&scraped);
}

/* --- no port left -----------------------------------------------------------------------------------------
 */

#define ONLY_PORT "40000"

static void must_fail(struct scene *scene, int result, int wanted, const char *what)
{
	if (!result || errno != wanted)
		scene_fail(scene, "%s: %s", what, result ? errno_text(errno) : "there was a port");
}

/* Three calls for which there is no port, of three kinds. */
static void ask_for_ports(struct scene *scene, const union address *server)
{
	union address any = address_of("127.0.0.1", 0), discard = address_of("127.0.0.1", 9);
	union address only = address_of("127.0.0.1", (uint16_t)atoi(ONLY_PORT));
	int first = act_socket(scene, AF_INET, SOCK_STREAM), second = act_socket(scene, AF_INET, SOCK_STREAM);
	int third = act_socket(scene, AF_INET, SOCK_STREAM), udp = act_socket(scene, AF_INET, SOCK_DGRAM);
	int holder = act_socket(scene, AF_INET, SOCK_DGRAM);

	scene_must(scene, connect(first, &server->any, address_length(server)), "connect");
	must_fail(scene, connect(second, &server->any, address_length(server)), EADDRNOTAVAIL, "connect");
	must_fail(scene, bind(third, &any.any, address_length(&any)), EADDRINUSE, "bind");
	scene_must(scene, bind(holder, &only.any, address_length(&only)), "bind");
	must_fail(scene, connect(udp, &discard.any, address_length(&discard)), EAGAIN, "connect of UDP");
}

void metrics_exhausted(struct scene *scene)
{
	union address server = address_of("127.0.0.1", PORT);
	struct scraped scraped;
	char netns[32];

	scene_must_set(scene, "net/ipv4/ip_local_port_range", ONLY_PORT " " ONLY_PORT);
	scraped_start(&scraped, scene, "--no-events", NULL);
	act_listener(scene, &server, 8);
	ask_for_ports(scene, &server);
	snprintf(netns, sizeof(netns), "netns=\"%u\"", scene->netns);
	do
		scraped_read(&scraped);
	while (!scraped_sum(&scraped, "portsnoop_ephemeral_range_ports", netns, NULL) ||
	       scraped_sum(&scraped, "portsnoop_ephemeral_destination_used_ratio_max", netns, NULL) < 1);
	EXPECT_IN(&scraped, 3, "portsnoop_ephemeral_exhausted_total", netns);
	EXPECT_IN(&scraped, 1, "portsnoop_ephemeral_assigned_total", netns);
	EXPECT_IN(&scraped, 1, "portsnoop_ephemeral_range_ports", netns);
	scraped_end(&scraped);
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

void metrics(struct scene *scene)
{
	count(scene, NULL, NULL, false);
}

void metrics_small_ring(struct scene *scene)
{
	char ring[24];

	count(scene, "--ring-size", scene_smallest_ring(ring), true);
}

void metrics_no_events(struct scene *scene)
{
	count(scene, "--no-events", NULL, false);
}

/* --- usage ------------------------------------------------------------------------------------------------
 */

/* What cannot limit or label metrics is refused by its name. */
void metrics_usage(struct scene *scene)
{
	static const struct {
		const char *words[4], *named;
	} wrong[] = {
		{{"--once", "user", "root"}, "\"user\""},
		{{"--once", "lport 80 and not pid 1"}, "\"pid\""},
		{{"--once", "raddr", "127.0.0.1"}, "\"raddr\""},
		{{"--once", "--labels", "netns,pid"}, "\"pid\""},
		{{"--once", "--drop-labels", "address"}, "\"address\""},
		{{"--once", "--listen", ":1"}, "--listen"},
		{{"--listen", "localhost:1"}, "localhost:1"},
		{{"--web-config", "/nowhere"}, "/nowhere"},
		{{"--once", "--interval", "5s"}, "--interval"},
		{{"--once", "--no-events", "--ring-size", "64K"}, "--ring-size"},
		{{"--once", "--max-memory", "15M"}, "--max-memory"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const *words = wrong[i].words;
		struct tool_result result;

		tool_run(scene, &result, NULL, "export", words[0], words[1], words[2], words[3], NULL);
		if (result.status != 2 || !strstr(result.err, wrong[i].named) || result.out_length)
			scene_fail(scene, "%s %s: exit code %d, %s", words[0], words[1], result.status,
				   result.err);
		tool_result_free(&result);
	}
}

/* --- series -----------------------------------------------------------------------------------------------
 */

static void listen_elsewhere(struct scene *scene, void *context)
{
	union address address = address_of("127.0.0.1", PORT);
	int *gates = context;

	scene_isolate(scene);
	act_listener(scene, &address, 8);
	gate_post(scene, gates[0]);
	gate_wait(scene, gates[1]);
}

/* The same port in two namespaces is two series. */
void metrics_namespaces(struct scene *scene)
{
	union address address = address_of("127.0.0.1", PORT);
	int gates[2] = {gate_new(scene), gate_new(scene)};
	struct scraped scraped;
	char local[32], netns[32];
	pid_t other;

	scraped_start(&scraped, scene, "--no-events", "lport", "7600", NULL);
	act_listener(scene, &address, 8);
	other = actor_start(scene, listen_elsewhere, gates);
	gate_wait(scene, gates[0]);
	snprintf(local, sizeof(local), "local_port=\"%u\"", PORT);
	snprintf(netns, sizeof(netns), "netns=\"%u\"", scene->netns);
	do
		scraped_read(&scraped);
	while (scraped_sum(&scraped, "portsnoop_listeners", local, NULL) < 2);
	if (scraped_count(&scraped, "portsnoop_listeners", local, NULL) < 2 ||
	    scraped_sum(&scraped, "portsnoop_listeners", local, netns, NULL) != 1)
		scene_fail(scene, "two namespaces are not two series:\n%s", scraped.text);
	if (scraped_count(&scraped, "portsnoop_listeners", NULL) !=
	    scraped_count(&scraped, "portsnoop_listeners", local, NULL))
		scene_fail(scene, "the filter lets other ports through:\n%s", scraped.text);
	gate_post(scene, gates[1]);
	actor_join(scene, other);
	scraped_end(&scraped);
}

/* A queue that holds one, and nobody who accepts: the others are dropped. */
static void overflow_queue(struct scene *scene, const union address *server)
{
	for (int i = 0; i < 4; i++) {
		int fd = act_socket(scene, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);

		if (!connect(fd, &server->any, address_length(server)) || errno != EINPROGRESS)
			continue;
	}
}

/* Of a listener that was there before, and of one that came later; in a namespace that nobody polls. */
void metrics_overflow(struct scene *scene)
{
	union address before = address_of("127.0.0.1", PORT), later = address_of("127.0.0.1", PORT + 1);
	struct scraped scraped;
	char netns[32];

	act_listener(scene, &before, 0);
	overflow_queue(scene, &before);
	scraped_start(&scraped, scene, NULL);
	act_listener(scene, &later, 0);
	overflow_queue(scene, &later);
	snprintf(netns, sizeof(netns), "netns=\"%u\"", scene->netns);
	do
		scraped_read(&scraped);
	while (!scraped_sum(&scraped, "portsnoop_accept_queue_overflows_total", netns, "local_port=\"7601\"",
			    NULL));
	overflow_queue(scene, &before);
	do
		scraped_read(&scraped);
	while (!scraped_sum(&scraped, "portsnoop_accept_queue_overflows_total", netns, "local_port=\"7600\"",
			    NULL));
	scraped_end(&scraped);
}

#define CAP	   "20"
#define CAP_NUMBER 20
#define LISTENERS  100
#define GROWTH_MAX (4.0 * 1024 * 1024)

/* Listeners that come and go, ever other ports. */
static void churn_listeners(struct scene *scene, unsigned round)
{
	int fds[LISTENERS];

	for (unsigned i = 0; i < LISTENERS; i++) {
		union address address =
			address_of("127.0.0.1", (uint16_t)(10000 + (round * LISTENERS + i) % 50000));

		fds[i] = act_socket(scene, AF_INET, SOCK_STREAM);
		act_option(scene, fds[i], SOL_SOCKET, SO_REUSEADDR, 1);
		scene_must(scene, bind(fds[i], &address.any, address_length(&address)), "bind");
		scene_must(scene, listen(fds[i], 4), "listen");
	}
	for (unsigned i = 0; i < LISTENERS; i++)
		close(fds[i]);
}

static void check_caps(const struct scraped *scraped)
{
	static const char *const names[] = {"portsnoop_listeners", "portsnoop_accept_queue_limit"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (scraped_count(scraped, names[i], NULL) > CAP_NUMBER + 1)
			scene_fail(scraped->scene, "%s has more series than it may", names[i]);
}

void metrics_churn(struct scene *scene)
{
	unsigned rounds = scene_count(scene, 200);
	union address address = address_of("127.0.0.1", 0);
	double before, growth;
	struct scraped scraped;

	scene_set(scene, "net/ipv4/ip_local_port_range", "61000 65000");
	scraped_start(&scraped, scene, "--series", CAP, NULL);
	for (unsigned i = 0; i < LISTENERS; i++) /* more than the cap, all the time */
		act_listener(scene, &address, 4);
	for (unsigned round = 0; round < rounds / 4; round++)
		churn_listeners(scene, round);
	scraped_read(&scraped);
	before = scraped_resident(&scraped);
	for (unsigned round = 0; round < rounds; round++) {
		churn_listeners(scene, round);
		if (round % 20)
			continue;
		scraped_read(&scraped);
		check_caps(&scraped);
	}
	scraped_read(&scraped);
	growth = scraped_resident(&scraped) - before;
	if (growth > GROWTH_MAX)
		scene_fail(scene, "memory grew by %.0f bytes", growth);
	if (!scraped_sum(&scraped, "portsnoop_series_dropped_total", NULL) ||
	    !scraped_sum(&scraped, "portsnoop_listeners", "local_port=\"other\"", NULL))
		scene_fail(scene, "what is over the cap is not counted:\n%s", scraped.text);
	scene_note(scene, "%u listeners came and went, memory grew by %.0f bytes", rounds * LISTENERS,
		   growth);
	scraped_end(&scraped);
}
