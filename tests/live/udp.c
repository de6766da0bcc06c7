/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP: ports by bind, send and connect, and how they are given back. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <string.h>
#include <unistd.h>

static void finish(struct tool *tool)
{
	tool_settle(tool);
	tool_end(tool);
	ledger_check(tool, NULL);
}

static int bound(struct scene *scene, const char *address, uint16_t port)
{
	union address at = address_of(address, port);
	int fd = act_socket(scene, at.any.sa_family, SOCK_DGRAM);

	if (act_bind(scene, fd, &at))
		scene_fail(scene, "bind failed");
	return fd;
}

/* A bound socket gets no port by sending, and a connected one none by sending to elsewhere. */
static void bound_and_sending(struct scene *scene)
{
	union address discard = address_of("127.0.0.1", 9);
	int fd = bound(scene, "127.0.0.1", 7700);

	act_sendto(scene, fd, &discard, "x", 1);
	act_connect(scene, fd, &discard);
	send_all(scene, fd, 1);
	act_close(scene, fd, NULL, "reason=local");
	fd = bound(scene, "0.0.0.0", 0);
	act_sendto(scene, fd, &discard, "x", 1);
	act_close(scene, fd, NULL, "reason=local");
}

/* sendmsg and sendmmsg without a bind before; connect and send. */
static void sending(struct scene *scene)
{
	union address discard = address_of("127.0.0.1", 9);
	char byte = 0;
	struct iovec data = {&byte, 1};
	struct mmsghdr message = {
		.msg_hdr = {.msg_name = &discard,
			    .msg_namelen = sizeof(discard.v4),
			    .msg_iov = &data,
			    .msg_iovlen = 1},
	};
	int fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	struct held held;

	scene_must(scene, sendmmsg(fd, &message, 1, 0), "sendmmsg");
	held = held_of(scene, fd);
	truth_log(scene, "autobind cookie=%llu proto=udp/ipv4 pid=%d local=%s by=send",
		  (unsigned long long)held.cookie, getpid(), held.local);
	act_close(scene, fd, NULL, "reason=local");
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_connect(scene, fd, &discard);
	send_all(scene, fd, 1);
	act_sendto(scene, fd, &discard, "x", 1);
	act_close(scene, fd, NULL, "reason=local");
}

static void without_port(struct scene *scene)
{
	close(act_socket(scene, AF_INET, SOCK_DGRAM));
}

/* The last of two descriptors counts. */
static void duplicated(struct scene *scene)
{
	int fd = bound(scene, "127.0.0.1", 7701), copy = dup(fd);

	close(fd);
	act_close(scene, copy, NULL, "reason=local");
}

void udp(struct scene *scene)
{
	struct tool tool;

	tool_start(&tool, scene, NULL);
	bound_and_sending(scene);
	sending(scene);
	without_port(scene);
	duplicated(scene);
	finish(&tool);
}

/* --- killed -----------------------------------------------------------------------------------------------
 */

static void victim(struct scene *scene, void *context)
{
	int *ready = context;
	union address discard = address_of("127.0.0.1", 9);
	int fds[3];

	fds[0] = bound(scene, "127.0.0.1", 7710);
	fds[1] = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_sendto(scene, fds[1], &discard, "x", 1);
	fds[2] = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_connect(scene, fds[2], &discard);
	for (int i = 0; i < 3; i++) {
		struct held held = held_of(scene, fds[i]);

		truth_close(scene, getpid(), &held, "reason=local");
	}
	gate_post(scene, *ready);
	for (;;)
		pause();
}

void udp_killed(struct scene *scene)
{
	int ready = gate_new(scene);
	struct tool tool;
	pid_t pid;

	tool_start(&tool, scene, NULL);
	pid = actor_start(scene, victim, &ready);
	gate_wait(scene, ready);
	actor_kill(scene, pid);
	finish(&tool);
}

/* --- given back -------------------------------------------------------------------------------------------
 */

static void give_back(struct scene *scene, int fd)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	struct held held = held_of(scene, fd);

	scene_must(scene, connect(fd, &nowhere, sizeof(nowhere)), "connect(AF_UNSPEC)");
	if (held_of(scene, fd).port)
		scene_skip(scene, "this kernel keeps the port");
	truth_log(scene, "close cookie=%llu pid=%d proto=udp/ipv4 local=%s reason=local",
		  (unsigned long long)held.cookie, getpid(), held.local);
}

/* connect(AF_UNSPEC) gives a port back that the kernel had chosen, and only such a one. */
void udp_gives_back(struct scene *scene)
{
	union address discard = address_of("127.0.0.1", 9);
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	struct tool tool;
	int fd;

	tool_start(&tool, scene, NULL);
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_connect(scene, fd, &discard);
	give_back(scene, fd);
	act_connect(scene, fd, &discard); /* another port comes, by connect ... */
	act_sendto(scene, fd, &discard, "x", 1);
	give_back(scene, fd);
	act_sendto(scene, fd, &discard, "x", 1); /* ... and by a send */
	act_sendto(scene, fd, &discard, "x", 1);
	act_close(scene, fd, NULL, "reason=local");
	fd = bound(scene, "127.0.0.1", 7720);
	act_connect(scene, fd, &discard);
	scene_must(scene, connect(fd, &nowhere, sizeof(nowhere)), "connect(AF_UNSPEC)");
	act_close(scene, fd, NULL, "reason=local");
	finish(&tool);
}
