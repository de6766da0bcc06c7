/* SPDX-License-Identifier: GPL-2.0-only */
#include "puppet.h"

#include "act.h"
#include "inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum act {
	ACT_FORK,
	ACT_EXEC,
	ACT_EXIT,
	ACT_LEAVE_NETNS,
	ACT_LEAVE_PID_NS,
	ACT_BIND,
	ACT_LISTEN,
	ACT_CONNECT,
	ACT_ACCEPT,
	ACT_DUP,
	ACT_CLOSE,
	ACT_KEEP_ON_EXEC,
	ACT_SAY_BOUND,
	ACT_SAY_IN_FLIGHT,
	ACT_KEEP, /* the descriptor that came with the order */
	ACT_GIVE,
	ACT_TAKE,
};

struct order {
	enum act act;
	int fd, other_fd, type, flags;
	uint16_t port;
	char address[46];
};

struct answer {
	long result;
	uint64_t cookie;
};

/* --- messages ---------------------------------------------------------------------------------------------
 */

/* fd -1: none. */
static void send_message(const struct scene *scene, int wire, const void *data, size_t size, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {(void *)data, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	scene_must(scene, sendmsg(wire, &message, MSG_NOSIGNAL), "message");
}

/* Returns the descriptor that came with it, or -1. */
static int receive_message(const struct scene *scene, int wire, void *data, size_t size)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {data, size};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	long n = scene_must(scene, recvmsg(wire, &message, MSG_CMSG_CLOEXEC), "message");
	int fd = -1;

	if ((size_t)n != size)
		scene_fail(scene, "a puppet or its master has gone");
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static void wire_new(const struct scene *scene, int ends[2])
{
	scene_must(scene, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
}

/* --- the puppet -------------------------------------------------------------------------------------------
 */

_Noreturn static void obey(struct scene *scene, int wire);

static long do_fork(struct scene *scene, int wire, int child_wire)
{
	pid_t pid = (pid_t)scene_must(scene, fork(), "fork");

	if (pid == 0) {
		close(wire);
		obey(scene, child_wire);
	}
	close(child_wire);
	return pid;
}

/* The pipe that the answer brings ends when the exec has happened. */
_Noreturn static void do_exec(struct scene *scene, int wire)
{
	const struct answer answer = {0};
	int ends[2];

	scene_must(scene, pipe2(ends, O_CLOEXEC), "pipe");
	send_message(scene, wire, &answer, sizeof(answer), ends[0]);
	scene_must(scene, dup2(wire, 0), "dup2");
	execlp("cat", "cat", NULL);
	scene_fail(scene, "cat: %s", strerror(errno));
}

static long do_bind(const struct scene *scene, const struct order *order)
{
	union address at = address_of(order->address, order->port);
	int fd = act_socket(scene, at.any.sa_family, order->type);

	act_option(scene, fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (order->flags & PUPPET_REUSEPORT)
		act_option(scene, fd, SOL_SOCKET, SO_REUSEPORT, 1);
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	return fd;
}

static long do_listen(const struct scene *scene, const struct order *order)
{
	int fd = (int)do_bind(scene, order);

	scene_must(scene, listen(fd, 16), "listen");
	return fd;
}

static long do_connect(const struct scene *scene, const struct order *order)
{
	union address to = address_of(order->address, order->port);
	int fd = act_socket(scene, to.any.sa_family, SOCK_STREAM);

	scene_must(scene, connect(fd, &to.any, address_length(&to)), "connect");
	return fd;
}

static long do_take(const struct scene *scene, const struct order *order)
{
	char byte;

	return receive_message(scene, order->fd, &byte, 1);
}

static long do_give(const struct scene *scene, const struct order *order)
{
	send_message(scene, order->fd, "", 1, order->other_fd);
	return 0;
}

static long do_leave_netns(struct scene *scene)
{
	scene_isolate(scene);
	return 0;
}

static long say(void (*body)(const struct scene *scene, int fd), const struct scene *scene, int fd)
{
	body(scene, fd);
	return 0;
}

static long perform(struct scene *scene, int wire, const struct order *order, int came)
{
	switch (order->act) {
	case ACT_FORK:
		return do_fork(scene, wire, came);
	case ACT_EXEC:
		do_exec(scene, wire);
	case ACT_EXIT:
		_exit(0);
	case ACT_LEAVE_NETNS:
		return do_leave_netns(scene);
	case ACT_LEAVE_PID_NS:
		return unshare(CLONE_NEWPID);
	case ACT_BIND:
		return do_bind(scene, order);
	case ACT_LISTEN:
		return do_listen(scene, order);
	case ACT_CONNECT:
		return do_connect(scene, order);
	case ACT_ACCEPT:
		return accept_by(order->fd, ACCEPT4_ADDRESS);
	case ACT_DUP:
		return fcntl(order->fd, F_DUPFD_CLOEXEC, 100);
	case ACT_CLOSE:
		return close(order->fd);
	case ACT_KEEP_ON_EXEC:
		return fcntl(order->fd, F_SETFD, 0);
	case ACT_SAY_BOUND:
		return say(inventory_bound, scene, order->fd);
	case ACT_SAY_IN_FLIGHT:
		return say(inventory_in_flight, scene, order->fd);
	case ACT_KEEP:
		return came;
	case ACT_GIVE:
		return do_give(scene, order);
	default:
		return do_take(scene, order);
	}
}

static bool makes_socket(enum act act)
{
	return act == ACT_BIND || act == ACT_LISTEN || act == ACT_CONNECT || act == ACT_ACCEPT;
}

_Noreturn static void obey(struct scene *scene, int wire)
{
	signal(SIGCHLD, SIG_IGN); /* children are nobody's to wait for */
	for (;;) {
		struct order order;
		int came = receive_message(scene, wire, &order, sizeof(order));
		struct answer answer = {
			.result = scene_must(scene, perform(scene, wire, &order, came), "an order")};

		if (makes_socket(order.act))
			answer.cookie = cookie_of(scene, (int)answer.result);
		send_message(scene, wire, &answer, sizeof(answer), -1);
	}
}

/* --- its master -------------------------------------------------------------------------------------------
 */

static struct answer tell_with(struct puppet *puppet, const struct order *order, int fd, int *ret_fd)
{
	struct answer answer;

	send_message(puppet->scene, puppet->wire, order, sizeof(*order), fd);
	*ret_fd = receive_message(puppet->scene, puppet->wire, &answer, sizeof(answer));
	return answer;
}

static struct answer tell(struct puppet *puppet, const struct order *order)
{
	int fd;

	return tell_with(puppet, order, -1, &fd);
}

static void body(struct scene *scene, void *context)
{
	const int *ends = context;

	close(ends[0]);
	obey(scene, ends[1]);
}

static void know(struct puppet *puppet, pid_t pid)
{
	puppet->pid = pid;
	puppet->pid_fd =
		(int)scene_must(puppet->scene, syscall(SYS_pidfd_open, puppet->pid, 0), "pidfd_open");
}

void puppet_start(struct scene *scene, struct puppet *puppet)
{
	int ends[2];

	wire_new(scene, ends);
	*puppet = (struct puppet){.scene = scene, .wire = ends[0], .is_child = true};
	know(puppet, actor_start(scene, body, ends));
	close(ends[1]);
}

void puppet_fork(struct puppet *parent, struct puppet *child)
{
	const struct order order = {.act = ACT_FORK};
	int ends[2], none;

	wire_new(parent->scene, ends);
	*child = (struct puppet){.scene = parent->scene, .wire = ends[0]};
	know(child, (pid_t)tell_with(parent, &order, ends[1], &none).result);
	close(ends[1]);
}

void puppet_exec(struct puppet *puppet)
{
	const struct order order = {.act = ACT_EXEC};
	char byte;
	int pipe_fd;

	tell_with(puppet, &order, -1, &pipe_fd);
	if (read(pipe_fd, &byte, 1) != 0)
		scene_fail(puppet->scene, "the exec failed");
	close(pipe_fd);
}

/* Its end is known when nothing of it is left. */
static void await_end(struct puppet *puppet)
{
	struct pollfd end = {.fd = puppet->pid_fd, .events = POLLIN};

	while (poll(&end, 1, -1) < 0)
		if (errno != EINTR)
			scene_fail(puppet->scene, "poll: %s", strerror(errno));
	if (puppet->is_child)
		scene_must(puppet->scene, waitpid(puppet->pid, NULL, 0), "waitpid");
	close(puppet->pid_fd);
	close(puppet->wire);
}

void puppet_exit(struct puppet *puppet)
{
	const struct order order = {.act = ACT_EXIT};

	send_message(puppet->scene, puppet->wire, &order, sizeof(order), -1);
	await_end(puppet);
}

void puppet_kill(struct puppet *puppet)
{
	scene_must(puppet->scene, kill(puppet->pid, SIGKILL), "kill");
	await_end(puppet);
}

void puppet_leave_netns(struct puppet *puppet)
{
	tell(puppet, &(struct order){.act = ACT_LEAVE_NETNS});
}

void puppet_leave_pid_ns(struct puppet *puppet)
{
	tell(puppet, &(struct order){.act = ACT_LEAVE_PID_NS});
}

static struct prop make(struct puppet *puppet, struct order order, const char *address)
{
	struct answer answer;

	snprintf(order.address, sizeof(order.address), "%s", address);
	answer = tell(puppet, &order);
	return (struct prop){(int)answer.result, answer.cookie};
}

struct prop puppet_bind(struct puppet *puppet, int type, const char *address, uint16_t port)
{
	return make(puppet, (struct order){.act = ACT_BIND, .type = type, .port = port}, address);
}

struct prop puppet_listen(struct puppet *puppet, const char *address, uint16_t port, int flags)
{
	return make(puppet,
		    (struct order){.act = ACT_LISTEN, .type = SOCK_STREAM, .port = port, .flags = flags},
		    address);
}

struct prop puppet_connect(struct puppet *puppet, const char *address, uint16_t port)
{
	return make(puppet, (struct order){.act = ACT_CONNECT, .port = port}, address);
}

struct prop puppet_accept(struct puppet *puppet, int fd)
{
	return make(puppet, (struct order){.act = ACT_ACCEPT, .fd = fd}, "");
}

int puppet_dup(struct puppet *puppet, int fd)
{
	return (int)tell(puppet, &(struct order){.act = ACT_DUP, .fd = fd}).result;
}

void puppet_close(struct puppet *puppet, int fd)
{
	tell(puppet, &(struct order){.act = ACT_CLOSE, .fd = fd});
}

void puppet_keep_on_exec(struct puppet *puppet, int fd)
{
	tell(puppet, &(struct order){.act = ACT_KEEP_ON_EXEC, .fd = fd});
}

void puppet_say_bound(struct puppet *puppet, int fd)
{
	tell(puppet, &(struct order){.act = ACT_SAY_BOUND, .fd = fd});
}

void puppet_say_in_flight(struct puppet *puppet, int fd)
{
	tell(puppet, &(struct order){.act = ACT_SAY_IN_FLIGHT, .fd = fd});
}

struct link puppet_link(struct puppet *from, struct puppet *to)
{
	const struct order order = {.act = ACT_KEEP};
	struct link link;
	int ends[2], none;

	wire_new(from->scene, ends);
	link.from_fd = (int)tell_with(from, &order, ends[0], &none).result;
	link.to_fd = (int)tell_with(to, &order, ends[1], &none).result;
	close(ends[0]);
	close(ends[1]);
	return link;
}

void puppet_give(struct puppet *from, const struct link *link, int fd)
{
	tell(from, &(struct order){.act = ACT_GIVE, .fd = link->from_fd, .other_fd = fd});
}

int puppet_take(struct puppet *to, const struct link *link)
{
	return (int)tell(to, &(struct order){.act = ACT_TAKE, .fd = link->to_fd}).result;
}
