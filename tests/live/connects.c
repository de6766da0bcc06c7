/* SPDX-License-Identifier: GPL-2.0-only */
/* Connects that fail: each names the process, both ends and the reason. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ONLY_PORT 40000 /* with a range of one port, it is known before */

static void one_port_left(struct scene *scene)
{
	scene_must_set(scene, "net/ipv4/ip_local_port_range", "40000 40000");
}

static void finish(struct tool *tool)
{
	tool_settle(tool);
	tool_end(tool);
	ledger_check(tool, NULL);
}

static void log_failure(struct scene *scene, int fd, const char *local, const union address *peer,
			const char *by, const char *error)
{
	char text[ADDRESS_TEXT];

	truth_log(scene, "connect cookie=%llu proto=tcp/%s pid=%d tid=%d local=%s peer=%s by=%s error=%s",
		  (unsigned long long)cookie_of(scene, fd), address_type(peer), getpid(), thread_id(), local,
		  address_text(peer, text), by, error);
}

static int outcome(struct scene *scene, int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t length = sizeof(error);

	scene_must(scene, poll(&poll_fd, 1, -1), "poll");
	scene_must(scene, getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), "SO_ERROR");
	return error;
}

/* --- refused ----------------------------------------------------------------------------------------------
 */

static void refused(struct scene *scene, int fd, const char *local, const char *by)
{
	union address peer = address_of("127.0.0.1", 7500);
	int error = act_connect_start(scene, fd, &peer);

	if (error != ECONNREFUSED)
		scene_fail(scene, "connect: %s", errno_text(error));
	log_failure(scene, fd, local, &peer, by, "ECONNREFUSED");
}

void connect_refused(struct scene *scene)
{
	union address own = address_of("127.0.0.1", 7501);
	struct tool tool;
	int fd;

	one_port_left(scene);
	tool_start(&tool, scene, NULL);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	refused(scene, fd, "127.0.0.1:40000", "connect");
	refused(scene, fd, "127.0.0.1:40000", "connect"); /* the same socket may try again */
	close(fd);					  /* it holds nothing any more */
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	act_bind(scene, fd, &own);
	refused(scene, fd, "127.0.0.1:7501", "-");
	act_close(scene, fd, NULL, "reason=local"); /* it still holds the port that it was bound to */
	finish(&tool);
}

/* --- no port left -----------------------------------------------------------------------------------------
 */

static void exhausted_udp(struct scene *scene)
{
	union address peer = address_of("127.0.0.1", 9), own = address_of("127.0.0.1", ONLY_PORT);
	int holder = act_socket(scene, AF_INET, SOCK_DGRAM), fd = act_socket(scene, AF_INET, SOCK_DGRAM);

	act_bind(scene, holder, &own);
	if (act_connect(scene, fd, &peer) != EAGAIN)
		scene_fail(scene, "UDP found another port");
	close(fd);
	act_close(scene, holder, NULL, "reason=local");
}

void connect_exhausted(struct scene *scene)
{
	union address server_address = address_of("127.0.0.1", 7510);
	struct tool tool;
	int server, fd, first, accepted, error;

	one_port_left(scene);
	tool_start(&tool, scene, NULL);
	server = act_listener(scene, &server_address, 8);
	first = act_socket(scene, AF_INET, SOCK_STREAM);
	if (act_connect(scene, first, &server_address))
		scene_fail(scene, "the first connect failed");
	accepted = act_accept(scene, server, ACCEPT_NULL);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	error = act_connect_start(scene, fd, &server_address);
	if (error != EADDRNOTAVAIL)
		scene_fail(scene, "the second connect: %s", errno_text(error));
	log_failure(scene, fd, "*", &server_address, "-", "EADDRNOTAVAIL");
	close(fd);
	act_close_pair(scene, first, accepted);
	act_close(scene, server, NULL, "reason=local accepts=1");
	exhausted_udp(scene);
	finish(&tool);
}

/* --- no answer --------------------------------------------------------------------------------------------
 */

/* A listener whose queue is full leaves SYNs without an answer. */
struct deaf {
	union address address;
	int listener, filler;
};

static void deaf_open(struct scene *scene, struct deaf *deaf, uint16_t port)
{
	deaf->address = address_of("127.0.0.1", port);
	deaf->listener = act_listener(scene, &deaf->address, 0);
	deaf->filler = act_socket(scene, AF_INET, SOCK_STREAM);
	if (act_connect(scene, deaf->filler, &deaf->address))
		scene_fail(scene, "the queue took none");
}

/* The listener takes what nobody accepted with it: both ends are reset, and no process released them. */
static void deaf_close(struct scene *scene, struct deaf *deaf)
{
	struct held held = held_of(scene, deaf->filler);
	char rest[64];

	act_close(scene, deaf->listener, NULL, "reason=local accepts=0");
	truth_log(scene, "close cookie=* pid=- local=%s peer=%s reason=reset direction=in holders=-",
		  held.peer, held.local);
	snprintf(rest, sizeof(rest), "reason=reset direction=out holders=%d", getpid());
	truth_close(scene, 0, &held, rest);
	close(deaf->filler);
}

static void wait_in_vain(struct scene *scene, void *context)
{
	struct deaf *deaf = context;
	int fd = act_socket(scene, AF_INET, SOCK_STREAM | SOCK_NONBLOCK), error;
	struct held held;

	error = act_connect_start(scene, fd, &deaf->address);
	if (error != EINPROGRESS)
		scene_fail(scene, "connect: %s", errno_text(error));
	held = held_of(scene, fd);
	error = outcome(scene, fd);
	if (error != ETIMEDOUT)
		scene_fail(scene, "the outcome is %s", errno_text(error));
	log_failure(scene, fd, held.local, &deaf->address, "connect", "ETIMEDOUT");
	close(fd);
}

static void wait_in_vain_blocking(struct scene *scene, void *context)
{
	struct deaf *deaf = context;
	int fd = act_socket(scene, AF_INET, SOCK_STREAM), error;

	error = act_connect(scene, fd, &deaf->address);
	if (error != ETIMEDOUT)
		scene_fail(scene, "connect: %s", errno_text(error));
	close(fd);
}

void connect_timeout(struct scene *scene)
{
	struct deaf deaf;
	struct tool tool;
	pid_t first, second;

	scene_must_set(scene, "net/ipv4/tcp_syn_retries", "1");
	tool_start(&tool, scene, NULL);
	deaf_open(scene, &deaf, 7520);
	first = actor_start(scene, wait_in_vain, &deaf);
	second = actor_start(scene, wait_in_vain_blocking, &deaf);
	actor_join(scene, first);
	actor_join(scene, second);
	deaf_close(scene, &deaf);
	finish(&tool);
}

void connect_closed_early(struct scene *scene)
{
	struct deaf deaf;
	struct held held;
	struct tool tool;
	int fd;

	tool_start(&tool, scene, NULL);
	deaf_open(scene, &deaf, 7521);
	fd = act_socket(scene, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	act_connect_start(scene, fd, &deaf.address);
	held = held_of(scene, fd);
	log_failure(scene, fd, held.local, &deaf.address, "connect", "aborted");
	close(fd);
	deaf_close(scene, &deaf);
	finish(&tool);
}

/* As many as fill any table that one of them leaves something in. */
void connect_closed_often(struct scene *scene)
{
	unsigned n = scene_count(scene, 40000);
	json_t *summary, *lost;
	struct deaf deaf;
	struct tool tool;

	tool_start(&tool, scene, NULL);
	deaf_open(scene, &deaf, 7522);
	for (unsigned i = 0; i < n; i++) {
		int fd = act_socket(scene, AF_INET, SOCK_STREAM | SOCK_NONBLOCK);

		if (connect(fd, &deaf.address.any, address_length(&deaf.address)) == 0 ||
		    errno != EINPROGRESS)
			scene_fail(scene, "connect %u: %s", i, strerror(errno));
		close(fd);
	}
	tool_await_count(&tool, EVENT_CONNECT, n);
	deaf_close(scene, &deaf);
	tool_end(&tool);
	summary = tool_summary(&tool);
	lost = event_at(summary, "portsnoop.lost");
	if (!json_is_object(lost) || json_object_size(lost))
		scene_fail(scene, "something was lost: %s", json_dumps(lost, 0));
	json_decref(summary);
	scene_note(scene, "%u connects that were given up", n);
}

/* --- no way there -----------------------------------------------------------------------------------------
 */

void connect_unreachable(struct scene *scene)
{
	union address far = address_of("192.0.2.1", 7530), far_v6 = address_of("2001:db8::1", 7531);
	struct tool tool;
	int fd;

	tool_start(&tool, scene, NULL);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	if (act_connect(scene, fd, &far) != ENETUNREACH)
		scene_fail(scene, "192.0.2.1 can be reached");
	close(fd);
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	if (act_connect(scene, fd, &far) != ENETUNREACH)
		scene_fail(scene, "192.0.2.1 can be reached by UDP");
	if (held_of(scene, fd).port)
		act_close(scene, fd, NULL, "reason=local");
	else
		close(fd);
	if (!access("/proc/sys/net/ipv6/conf/lo", F_OK)) {
		fd = act_socket(scene, AF_INET6, SOCK_STREAM);
		if (act_connect(scene, fd, &far_v6) != ENETUNREACH)
			scene_fail(scene, "2001:db8::1 can be reached");
		close(fd);
	}
	finish(&tool);
}

/* --- without waiting --------------------------------------------------------------------------------------
 */

static void nonblocking(struct scene *scene, const union address *peer, const char *local, int expected)
{
	int fd = act_socket(scene, AF_INET, SOCK_STREAM | SOCK_NONBLOCK), error;

	error = act_connect_start(scene, fd, peer);
	if (error == EINPROGRESS)
		error = outcome(scene, fd);
	if (error != expected)
		scene_fail(scene, "the outcome is %s", errno_text(error));
	log_failure(scene, fd, local, peer, "connect", errno_text(expected));
	if (expected)
		close(fd);
	else
		act_close(scene, fd, NULL, "reason=local direction=out");
}

void connect_nonblocking(struct scene *scene)
{
	union address server_address = address_of("127.0.0.1", 7540), nobody = address_of("127.0.0.1", 7541);
	struct held held;
	struct tool tool;
	int server, accepted;

	one_port_left(scene);
	tool_start(&tool, scene, NULL);
	server = act_listener(scene, &server_address, 8);
	nonblocking(scene, &nobody, "127.0.0.1:40000", ECONNREFUSED);
	nonblocking(scene, &server_address, "127.0.0.1:40000", 0);
	accepted = act_accept(scene, server, ACCEPT_NULL);
	held = held_of(scene, accepted);
	receive_end(scene, accepted);
	act_close(scene, accepted, &held, "reason=peer direction=in");
	act_close(scene, server, NULL, "reason=local accepts=1");
	finish(&tool);
}
