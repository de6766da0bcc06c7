/* SPDX-License-Identifier: GPL-2.0-only */
/* bind, listen, connect and accept without a system call of their own. */
#include "act.h"
#include "ledger.h"
#include "offer.h"
#include "scenarios.h"
#include "truth.h"
#include "uring_ring.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Newer than the headers of the oldest system we build on. */
#define OP_BIND	  56
#define OP_LISTEN 57
#ifndef IORING_ACCEPT_MULTISHOT
#define IORING_ACCEPT_MULTISHOT (1u << 0)
#endif
#ifndef IORING_CQE_F_MORE
#define IORING_CQE_F_MORE (1u << 1)
#endif

static struct io_uring_sqe request(unsigned opcode, int fd)
{
	struct io_uring_sqe sqe = {.opcode = (__u8)opcode, .fd = fd};

	return sqe;
}

static void finish(struct tool *tool, struct uring *uring)
{
	uring_close(uring);
	tool_settle(tool);
	tool_end(tool);
	ledger_check(tool, NULL);
}

/* --- bind and listen --------------------------------------------------------------------------------------
 */

static int ring_bind(struct scene *scene, struct uring *uring, int fd, const union address *address)
{
	struct io_uring_sqe sqe = request(OP_BIND, fd);
	struct held held;
	char text[ADDRESS_TEXT];
	int error;

	sqe.addr = (uintptr_t)address;
	sqe.addr2 = address_length(address);
	error = -uring_do(scene, uring, &sqe);
	held = held_of(scene, fd);
	truth_log(scene, "bind cookie=%llu proto=tcp/ipv4 pid=%d local=%s asked=%u by=%s error=%s",
		  (unsigned long long)held.cookie, getpid(), error ? address_text(address, text) : held.local,
		  address_port(address), !error && !address_port(address) ? "bind" : "-", errno_text(error));
	return error;
}

static int ring_listen(struct scene *scene, struct uring *uring, int fd, int backlog)
{
	struct io_uring_sqe sqe = request(OP_LISTEN, fd);
	bool was_unbound = !held_of(scene, fd).port;
	struct held held;
	int error;

	sqe.len = (unsigned)backlog;
	error = -uring_do(scene, uring, &sqe);
	held = held_of(scene, fd);
	truth_log(scene, "listen cookie=%llu pid=%d local=%s backlog=%d by=%s error=%s",
		  (unsigned long long)held.cookie, getpid(), held.local, backlog,
		  was_unbound ? "listen" : "-", errno_text(error));
	return error;
}

void uring_bind_listen(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7900), any = address_of("127.0.0.1", 0);
	struct uring uring;
	struct tool tool;
	int fds[3];

	uring_open(scene, &uring);
	if (!uring_supports(scene, &uring, OP_BIND) || !uring_supports(scene, &uring, OP_LISTEN))
		scene_skip(scene, "this kernel's io_uring has no bind and listen");
	tool_start(&tool, scene, NULL);
	offer_need(&tool, "io_uring");
	for (int i = 0; i < 3; i++)
		fds[i] = act_socket(scene, AF_INET, SOCK_STREAM);
	if (ring_bind(scene, &uring, fds[0], &address) || ring_listen(scene, &uring, fds[0], 6) ||
	    ring_bind(scene, &uring, fds[1], &address) != EADDRINUSE ||
	    ring_bind(scene, &uring, fds[1], &any) || ring_listen(scene, &uring, fds[2], 4))
		scene_fail(scene, "the ring did not do as it should");
	act_close(scene, fds[0], NULL, "reason=local state=listen accepts=0");
	act_close(scene, fds[1], NULL, "reason=local");
	act_close(scene, fds[2], NULL, "reason=local state=listen accepts=0");
	finish(&tool, &uring);
}

/* --- connect ----------------------------------------------------------------------------------------------
 */

static int ring_connect(struct scene *scene, struct uring *uring, int fd, const union address *peer)
{
	struct io_uring_sqe sqe = request(IORING_OP_CONNECT, fd);
	char text[ADDRESS_TEXT];
	struct held held;
	int error;

	sqe.addr = (uintptr_t)peer;
	sqe.off = address_length(peer);
	error = -uring_do(scene, uring, &sqe);
	held = held_of(scene, fd);
	truth_log(scene, "connect cookie=%llu pid=%d local=%s peer=%s by=connect error=%s",
		  (unsigned long long)held.cookie, getpid(), error ? "*" : held.local,
		  address_text(peer, text), errno_text(error));
	return error;
}

void uring_connect(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7910), nobody = address_of("127.0.0.1", 7911);
	struct uring uring;
	struct tool tool;
	int server, fd;

	uring_open(scene, &uring);
	if (!uring_supports(scene, &uring, IORING_OP_CONNECT))
		scene_skip(scene, "this kernel's io_uring has no connect");
	tool_start(&tool, scene, NULL);
	offer_need(&tool, "io_uring");
	server = act_listener(scene, &address, 8);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	if (ring_connect(scene, &uring, fd, &nobody) != ECONNREFUSED)
		scene_fail(scene, "the ring's connect was not refused");
	close(fd);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	if (ring_connect(scene, &uring, fd, &address))
		scene_fail(scene, "the ring's connect failed");
	act_close_pair(scene, fd, act_accept(scene, server, ACCEPT_NULL));
	act_close(scene, server, NULL, "reason=local accepts=1");
	finish(&tool, &uring);
}

/* --- accept -----------------------------------------------------------------------------------------------
 */

static void log_accept(struct scene *scene, int fd, uint64_t listener)
{
	struct held held = held_of(scene, fd);

	truth_log(scene, "accept cookie=%llu pid=%d local=%s peer=%s listener=%llu",
		  (unsigned long long)held.cookie, getpid(), held.local, held.peer,
		  (unsigned long long)listener);
}

static int connected(struct scene *scene, const union address *address)
{
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	if (act_connect(scene, fd, address))
		scene_fail(scene, "connect failed");
	return fd;
}

/* before: the request waits when the connection comes; otherwise the connection waits for the request. */
static void accept_one(struct scene *scene, struct uring *uring, int server, const union address *address,
		       bool with_address, bool before)
{
	struct io_uring_sqe sqe = request(IORING_OP_ACCEPT, server);
	union address peer;
	socklen_t length = sizeof(peer);
	int client = -1, fd;

	if (with_address) {
		sqe.addr = (uintptr_t)&peer;
		sqe.off = (uintptr_t)&length;
	}
	if (!before)
		client = connected(scene, address);
	uring_submit(scene, uring, &sqe);
	if (before)
		client = connected(scene, address);
	fd = uring_wait(scene, uring, NULL);
	if (fd < 0)
		scene_fail(scene, "the ring's accept: %s", strerror(-fd));
	log_accept(scene, fd, cookie_of(scene, server));
	act_close_pair(scene, client, fd);
}

void uring_accept(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7920);
	struct uring uring;
	struct tool tool;
	int server;

	uring_open(scene, &uring);
	if (!uring_supports(scene, &uring, IORING_OP_ACCEPT))
		scene_skip(scene, "this kernel's io_uring has no accept");
	tool_start(&tool, scene, NULL);
	offer_need(&tool, "io_uring");
	server = act_listener(scene, &address, 8);
	for (int i = 0; i < 20; i++)
		accept_one(scene, &uring, server, &address, i & 1, i & 2);
	act_close(scene, server, NULL, "reason=local accepts=20");
	finish(&tool, &uring);
}

void uring_accept_multishot(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7930);
	struct io_uring_sqe sqe;
	struct uring uring;
	struct tool tool;
	unsigned flags;
	int server;

	uring_open(scene, &uring);
	tool_start(&tool, scene, NULL);
	offer_need(&tool, "io_uring");
	server = act_listener(scene, &address, 8);
	sqe = request(IORING_OP_ACCEPT, server);
	sqe.ioprio = IORING_ACCEPT_MULTISHOT;
	uring_submit(scene, &uring, &sqe);
	for (int i = 0; i < 20; i++) {
		int client = connected(scene, &address), fd = uring_wait(scene, &uring, &flags);

		if (fd == -EINVAL)
			scene_skip(scene, "this kernel has no multishot accept");
		if (fd < 0 || !(flags & IORING_CQE_F_MORE))
			scene_fail(scene, "the ring's accept: %d", fd);
		log_accept(scene, fd, cookie_of(scene, server));
		act_close_pair(scene, client, fd);
	}
	/* The request holds the listener until the ring is gone. */
	truth_log(scene, "close cookie=%llu pid=* reason=local accepts=20",
		  (unsigned long long)cookie_of(scene, server));
	close(server);
	finish(&tool, &uring);
}
