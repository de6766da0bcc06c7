/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections out of the ordinary: TCP fast open, IPv4 through IPv6 sockets, SYNs that are turned away. */
#include "act.h"
#include "ledger.h"
#include "offer.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static void finish(struct tool *tool, const char *ignore)
{
	tool_settle(tool);
	tool_end(tool);
	ledger_check(tool, ignore);
}

/* --- TCP fast open ----------------------------------------------------------------------------------------
 */

/* sendto() connects: no connect(2) is called. */
static void send_open(struct scene *scene, int server, const union address *address)
{
	int fd = act_socket(scene, AF_INET, SOCK_STREAM), accepted;
	char data[100] = {0}, text[ADDRESS_TEXT];
	struct held held, other;

	if (sendto(fd, data, sizeof(data), MSG_FASTOPEN, &address->any, address_length(address)) !=
	    sizeof(data))
		scene_fail(scene, "MSG_FASTOPEN: %s", strerror(errno));
	held = held_of(scene, fd);
	truth_log(scene, "connect cookie=%llu proto=tcp/ipv4 pid=%d local=%s peer=%s by=connect error=-",
		  (unsigned long long)held.cookie, getpid(), held.local, address_text(address, text));
	accepted = act_accept(scene, server, ACCEPT_ADDRESS);
	receive_all(scene, accepted, sizeof(data));
	other = held_of(scene, accepted);
	act_close(scene, fd, &held, "reason=local direction=out sent=%zu received=0", sizeof(data));
	receive_end(scene, accepted);
	act_close(scene, accepted, &other, "reason=peer direction=in sent=0 received=%zu", sizeof(data));
}

/* TCP_FASTOPEN_CONNECT: connect() returns at once, the SYN goes with the first data. */
static void connect_open(struct scene *scene, int server, const union address *address)
{
	int fd = act_socket(scene, AF_INET, SOCK_STREAM), accepted;
	struct held held, other;
	char text[ADDRESS_TEXT];

	act_option(scene, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	if (act_connect_start(scene, fd, address))
		scene_fail(scene, "connect: %s", strerror(errno));
	send_all(scene, fd, 50);
	held = held_of(scene, fd);
	truth_log(scene, "connect cookie=%llu proto=tcp/ipv4 pid=%d local=%s peer=%s by=connect error=-",
		  (unsigned long long)held.cookie, getpid(), held.local, address_text(address, text));
	accepted = act_accept(scene, server, ACCEPT_NULL);
	receive_all(scene, accepted, 50);
	other = held_of(scene, accepted);
	act_close(scene, fd, &held, "reason=local direction=out sent=50 received=0");
	receive_end(scene, accepted);
	act_close(scene, accepted, &other, "reason=peer direction=in sent=0 received=50");
}

void fast_open(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 8000);
	struct tool tool;
	int server;

	scene_must_set(scene, "net/ipv4/tcp_fastopen", "3");
	tool_start(&tool, scene, NULL);
	server = act_listener(scene, &address, 8);
	act_option(scene, server, IPPROTO_TCP, TCP_FASTOPEN, 8);
	for (int i = 0; i < 3; i++) { /* the first gets the cookie, the others use it */
		send_open(scene, server, &address);
		connect_open(scene, server, &address);
	}
	act_close(scene, server, NULL, "reason=local accepts=6");
	finish(&tool, NULL);
}

/* --- IPv4 through IPv6 sockets ----------------------------------------------------------------------------
 */

static void log_mapped(struct scene *scene, const char *event, const struct held *held)
{
	truth_log(scene, "%s cookie=%llu proto=tcp/ipv4 pid=%d local=%s peer=%s family=inet6", event,
		  (unsigned long long)held->cookie, getpid(), held->local, held->peer);
}

static void one_mapped(struct scene *scene, int server, const union address *address, bool client_mapped,
		       enum accept_variant variant)
{
	int fd = act_socket(scene, address->any.sa_family, SOCK_STREAM), accepted;
	struct held held;

	if (client_mapped) {
		if (act_connect_start(scene, fd, address))
			scene_fail(scene, "connect: %s", strerror(errno));
		held = held_of(scene, fd);
		log_mapped(scene, "connect", &held);
	} else if (act_connect(scene, fd, address)) {
		scene_fail(scene, "connect failed");
	}
	accepted = accept_by(server, variant);
	held = held_of(scene, accepted);
	log_mapped(scene, "accept", &held);
	act_close_pair(scene, fd, accepted);
}

void dual_stack(struct scene *scene)
{
	union address any = address_of("::", 8010), plain = address_of("127.0.0.1", 8010);
	union address mapped = address_of("::ffff:127.0.0.1", 8010), v6 = address_of("::1", 8010);
	struct tool tool;
	int server, fd;

	scene_need_ipv6(scene);
	tool_start(&tool, scene, NULL);
	server = act_listener(scene, &any, 8);
	for (unsigned variant = 0; variant < ACCEPT_VARIANTS; variant++) {
		one_mapped(scene, server, &plain, false, variant);
		one_mapped(scene, server, &mapped, true, variant);
	}
	fd = act_socket(scene, AF_INET6, SOCK_STREAM);
	if (act_connect(scene, fd, &v6))
		scene_fail(scene, "connect failed");
	act_close_pair(scene, fd, act_accept(scene, server, ACCEPT_NULL));
	act_close(scene, server, NULL, "reason=local accepts=%d", 2 * ACCEPT_VARIANTS + 1);
	finish(&tool, NULL);
}

/* --- turned away ------------------------------------------------------------------------------------------
 */

struct turned_away {
	uint64_t count;
	unsigned lines;
	const char *event;
	uint16_t port;
	uint64_t limit;
};

static void sum_up(struct scene *scene, const json_t *event, void *context)
{
	struct turned_away *sum = context;

	if (event_number(event, "portsnoop.netns") != scene->netns ||
	    strcmp(event_string(event, "event_name"), sum->event) ||
	    event_number(event, "network.local.port") != sum->port)
		return;
	sum->lines++;
	sum->count += event_number(event, "portsnoop.count");
	sum->limit = event_number(event, "portsnoop.accept_queue.limit");
	if (event_at(event, "process"))
		scene_fail(scene, "%s names a process", sum->event);
	if (!strcmp(sum->event, "overflow") && strcmp(event_string(event, "portsnoop.source"), "poll"))
		scene_fail(scene, "the overflow was not learnt by polling");
}

/* Many SYNs to one closed port: at most one line a second, and their counts sum up to what was sent. */
void refused_syns(struct scene *scene)
{
	union address nobody = address_of("127.0.0.1", 8020);
	struct turned_away sum = {.event = "refuse", .port = 8020};
	unsigned count = scene_count(scene, 1000);
	struct tool tool;

	tool_start(&tool, scene, NULL);
	offer_need(&tool, "refuse");
	for (unsigned i = 0; i < count; i++) {
		int fd = act_socket(scene, AF_INET, SOCK_STREAM);

		if (act_connect(scene, fd, &nobody) != ECONNREFUSED)
			scene_fail(scene, "not refused");
		close(fd);
	}
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
	tool_each_line(scene, tool.out_path, sum_up, &sum);
	scene_note(scene, "%u refused SYNs in %u lines", count, sum.lines);
	if (sum.count != count)
		scene_fail(scene, "%u SYNs were refused, the counts sum up to %llu", count,
			   (unsigned long long)sum.count);
	if (sum.lines > count / 10 + 10)
		scene_fail(scene, "%u lines for %u SYNs are no limit", sum.lines, count);
}

/* Nobody accepts: what the queue cannot hold is dropped, and the client tries again, and is dropped again. */
void accept_queue_overflow(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 8030);
	struct turned_away sum = {.event = "overflow", .port = 8030};
	struct tool tool;
	int fds[8];

	tool_start_inside(&tool, scene, NULL);
	act_listener(scene, &address, 1);
	for (int i = 0; i < 8; i++) {
		fds[i] = act_socket(scene, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
		act_connect_start(scene, fds[i], &address);
	}
	if (!tool_await_count(&tool, EVENT_OVERFLOW, 1))
		scene_fail(scene, "no overflow was reported");
	truth_clear(scene->truth);
	tool_settle(&tool);
	tool_end(&tool);
	tool_each_line(scene, tool.out_path, sum_up, &sum);
	scene_note(scene, "%llu drops in %u lines", (unsigned long long)sum.count, sum.lines);
	/* Eight SYNs, of which two fit; more drops are the same SYNs again. */
	if (sum.count < 6 || sum.limit != 1)
		scene_fail(scene, "%llu drops, limit %llu", (unsigned long long)sum.count,
			   (unsigned long long)sum.limit);
}
