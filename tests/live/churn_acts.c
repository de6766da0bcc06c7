/* SPDX-License-Identifier: GPL-2.0-only */
#include "churn_acts.h"

#include "act.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- chance -----------------------------------------------------------------------------------------------
 */

/* xorshift64* */
static unsigned chance(struct actor *actor, unsigned n)
{
	actor->random ^= actor->random >> 12;
	actor->random ^= actor->random << 25;
	actor->random ^= actor->random >> 27;
	return (unsigned)((actor->random * 0x2545f4914f6cdd1dull >> 33) % n);
}

static union address random_address(struct actor *actor, uint16_t port)
{
	static const char *const texts[] = {"127.0.0.1", "127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"};

	return address_of(texts[chance(actor, 6)], port);
}

/* --- slots ------------------------------------------------------------------------------------------------
 */

/* A used one, or NULL. */
static int *any_socket(struct actor *actor)
{
	unsigned first = chance(actor, SLOTS);

	for (unsigned i = 0; i < SLOTS; i++)
		if (actor->sockets[(first + i) % SLOTS] >= 0)
			return &actor->sockets[(first + i) % SLOTS];
	return NULL;
}

static void close_slot(int *slot)
{
	close(*slot);
	*slot = -1;
}

/* When all are used, one is closed for it. */
static void keep(struct actor *actor, int fd)
{
	for (unsigned i = 0; i < SLOTS; i++)
		if (actor->sockets[i] < 0) {
			actor->sockets[i] = fd;
			return;
		}
	close_slot(&actor->sockets[chance(actor, SLOTS)]);
	keep(actor, fd);
}

static int option_of(int fd, int level, int option)
{
	int value = 0;
	socklen_t length = sizeof(value);

	getsockopt(fd, level, option, &value, &length);
	return value;
}

static bool is_tcp(int fd)
{
	return option_of(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
}

static bool is_listener(int fd)
{
	return option_of(fd, SOL_SOCKET, SO_ACCEPTCONN);
}

/* --- acts -------------------------------------------------------------------------------------------------
 */

/* Some stay open over an exec. */
static int new_socket(struct actor *actor, int family, int type)
{
	int cloexec = chance(actor, 2) ? SOCK_CLOEXEC : 0;
	int fd = (int)scene_must(actor->scene, socket(family, type | SOCK_NONBLOCK | cloexec, 0), "socket");

	keep(actor, fd);
	return fd;
}

static void publish(struct actor *actor, int fd)
{
	uint16_t port = held_of(actor->scene, fd).port;

	atomic_store(&actor->board->ports[actor->place][chance(actor, PORTS)], port);
}

static void do_listen(struct actor *actor)
{
	union address at = random_address(actor, 0);
	int fd = new_socket(actor, at.any.sa_family, SOCK_STREAM);

	if (chance(actor, 3))
		scene_must(actor->scene, bind(fd, &at.any, address_length(&at)), "bind");
	scene_must(actor->scene, listen(fd, (int)chance(actor, 8)), "listen");
	publish(actor, fd);
}

static void do_bind(struct actor *actor)
{
	union address at = random_address(actor, 0);
	bool tcp = actor->board->bound_is_listed && chance(actor, 2);
	int fd = new_socket(actor, at.any.sa_family, tcp ? SOCK_STREAM : SOCK_DGRAM);

	scene_must(actor->scene, bind(fd, &at.any, address_length(&at)), "bind");
}

/* One that was bound, or one that gets its port by this. */
static void do_listen_later(struct actor *actor)
{
	int *slot = any_socket(actor);

	if (slot && is_tcp(*slot) && listen(*slot, 4) == 0)
		publish(actor, *slot);
}

/* To where somebody listened; perhaps nobody does any more, or its queue is full. */
static void do_connect(struct actor *actor)
{
	uint16_t port = atomic_load(&actor->board->ports[actor->place][chance(actor, PORTS)]);
	union address to = address_of(chance(actor, 3) ? "127.0.0.1" : "::1", port ? port : 9);
	union address any = address_of(to.any.sa_family == AF_INET6 ? "::" : "", 0);
	int fd = new_socket(actor, to.any.sa_family, SOCK_STREAM);

	if (actor->board->bound_is_listed && !chance(actor, 4))
		bind(fd, &any.any, address_length(&any));
	connect(fd, &to.any, address_length(&to));
}

static void do_accept(struct actor *actor)
{
	for (unsigned i = 0; i < 16; i++) {
		int *slot = any_socket(actor), fd;

		if (!slot || !is_listener(*slot))
			continue;
		fd = accept_by(*slot, (enum accept_variant)chance(actor, ACCEPT_VARIANTS));
		if (fd < 0)
			return;
		/* It may come to listen one day, and nobody may wait in an accept. */
		scene_must(actor->scene, fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
		keep(actor, fd);
		return;
	}
}

static void do_udp_send(struct actor *actor)
{
	union address to = address_of("127.0.0.1", 9);

	sendto(new_socket(actor, AF_INET, SOCK_DGRAM), "x", 1, 0, &to.any, address_length(&to));
}

static void do_udp_connect(struct actor *actor)
{
	union address to = address_of(chance(actor, 2) ? "127.0.0.1" : "::1", 9);

	connect(new_socket(actor, to.any.sa_family, SOCK_DGRAM), &to.any, address_length(&to));
}

static void do_dup(struct actor *actor)
{
	int *slot = any_socket(actor);

	if (slot)
		keep(actor, (int)scene_must(actor->scene, dup(*slot), "dup"));
}

static void do_close(struct actor *actor)
{
	int *slot = any_socket(actor);

	if (slot)
		close_slot(slot);
}

static void do_abort(struct actor *actor)
{
	int *slot = any_socket(actor);

	if (!slot || !is_tcp(*slot) || is_listener(*slot))
		return;
	reset_on_close(actor->scene, *slot);
	close_slot(slot);
}

static void do_shutdown(struct actor *actor)
{
	int *slot = any_socket(actor);

	if (slot && is_tcp(*slot))
		shutdown(*slot, chance(actor, 2) ? SHUT_WR : SHUT_RDWR);
}

static void do_disconnect(struct actor *actor)
{
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int *slot = any_socket(actor);

	if (slot && (actor->board->bound_is_listed || !is_tcp(*slot)))
		connect(*slot, &nowhere, sizeof(nowhere));
}

/* --- children ---------------------------------------------------------------------------------------------
 */

_Noreturn static void idle(pid_t parent, bool exec)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	if (exec)
		execlp("sleep", "sleep", "3600", NULL);
	for (;;)
		pause();
}

static void kill_child(struct actor *actor, pid_t *child)
{
	if (!*child)
		return;
	scene_must(actor->scene, kill(*child, SIGKILL), "kill");
	scene_must(actor->scene, waitpid(*child, NULL, 0), "waitpid");
	*child = 0;
}

/* A pipe ends when the exec has happened. */
static void bear_child(struct actor *actor, bool exec)
{
	pid_t *child = &actor->children[chance(actor, CHILDREN)], parent = getpid();
	int ends[2];
	char byte;

	kill_child(actor, child);
	scene_must(actor->scene, pipe2(ends, O_CLOEXEC), "pipe");
	*child = (pid_t)scene_must(actor->scene, fork(), "fork");
	if (*child == 0) {
		if (!exec)
			close(ends[1]);
		idle(parent, exec);
	}
	close(ends[1]);
	scene_must(actor->scene, read(ends[0], &byte, 1), "read");
	close(ends[0]);
}

static void do_fork(struct actor *actor)
{
	bear_child(actor, false);
}

static void do_exec(struct actor *actor)
{
	bear_child(actor, true);
}

static void do_kill(struct actor *actor)
{
	kill_child(actor, &actor->children[chance(actor, CHILDREN)]);
}

static void do_die(struct actor *actor)
{
	kill(getpid(), SIGKILL);
}

/* --- passing ----------------------------------------------------------------------------------------------
 */

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static bool send_socket(int to, int fd)
{
	union control control = {0};
	struct iovec part = {(void *)"", 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/* -1: there is none. */
static int receive_socket(struct actor *actor, int from)
{
	union control control = {0};
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fd = -1;

	if (recvmsg(from, &message, chance(actor, 2) ? MSG_CMSG_CLOEXEC : 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static void do_pass(struct actor *actor)
{
	int *slot = any_socket(actor);

	if (slot && send_socket(actor->others[chance(actor, CHURNERS)], *slot) && chance(actor, 2))
		close_slot(slot);
}

/* It stays in flight from itself to itself. */
static void do_stash(struct actor *actor)
{
	int *slot = any_socket(actor);

	if (slot && send_socket(actor->stash_to, *slot) && chance(actor, 4))
		close_slot(slot);
}

static void do_unstash(struct actor *actor)
{
	int fd = receive_socket(actor, actor->stash_from);

	if (fd >= 0)
		keep(actor, fd);
}

void actor_drain(struct actor *actor)
{
	int fd;

	while ((fd = receive_socket(actor, actor->inbox)) >= 0)
		keep(actor, fd);
}

/* --- one after the other ----------------------------------------------------------------------------------
 */

static const struct {
	unsigned weight;
	void (*body)(struct actor *actor);
} acts[] = {
	{8, do_bind},	  {8, do_listen},      {2, do_listen_later}, {24, do_connect}, {20, do_accept},
	{4, do_udp_send}, {4, do_dup},	       {30, do_close},	     {4, do_abort},    {4, do_shutdown},
	{2, do_fork},	  {2, do_exec},	       {2, do_kill},	     {8, do_pass},     {2, do_stash},
	{2, do_unstash},  {4, do_udp_connect}, {3, do_disconnect},
};
#define N_ACTS	   (sizeof(acts) / sizeof(acts[0]))
#define DIE_ONE_IN 1500

void actor_begin(struct actor *actor)
{
	memset(actor->sockets, 0xff, sizeof(actor->sockets));
}

void actor_act(struct actor *actor)
{
	unsigned sum = 0, drawn;

	atomic_fetch_add(&actor->board->acts, 1);
	if (!chance(actor, DIE_ONE_IN))
		do_die(actor);
	for (size_t i = 0; i < N_ACTS; i++)
		sum += acts[i].weight;
	drawn = chance(actor, sum);
	for (size_t i = 0; i < N_ACTS; i++) {
		if (drawn < acts[i].weight) {
			acts[i].body(actor);
			return;
		}
		drawn -= acts[i].weight;
	}
}
