/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 32-bit program of the live scenario calls_32bit: each kind of call once, with the truth of it on standard
 * output; an accept that asks for no address is marked with #unasked. It is built of the scenarios' own act,
 * truth and scene.
 */
#include "../live/act.h"
#include "../live/truth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(void *) == 4, "this is no 32-bit program");

#define PORT 8710

static void binds(struct scene *scene)
{
	union address fixed = address_of("127.0.0.1", PORT), any = address_of("::1", 0);
	int first = act_socket(scene, AF_INET, SOCK_STREAM), second = act_socket(scene, AF_INET, SOCK_STREAM);
	int third = act_socket(scene, AF_INET6, SOCK_STREAM);

	act_bind(scene, first, &fixed);
	if (act_bind(scene, second, &fixed) != EADDRINUSE)
		scene_fail(scene, "the address is not in use");
	act_bind(scene, third, &any);
	close(second);
	act_close(scene, first, NULL, "reason=local direction=-");
	act_close(scene, third, NULL, "reason=local direction=-");
}

/* What a socket's peer is called is known from the other end: asking the kernel would be one more call. */
static struct held other_end(const struct scene *scene, int fd, const struct held *of)
{
	struct held held = {.cookie = cookie_of(scene, fd)};

	strcpy(held.proto, of->proto);
	strcpy(held.local, of->peer);
	strcpy(held.peer, of->local);
	return held;
}

static void accept_one(struct scene *scene, int listener, int client, enum accept_variant variant)
{
	struct held there = held_of(scene, client), here;
	int fd = (int)scene_must(scene, accept_by(listener, variant), "accept");

	here = other_end(scene, fd, &there);
	truth_log(scene, "accept cookie=%llu proto=%s pid=%d tid=%d local=%s peer=%s listener=%llu%s",
		  (unsigned long long)here.cookie, here.proto, getpid(), thread_id(), here.local, here.peer,
		  (unsigned long long)cookie_of(scene, listener),
		  variant == ACCEPT_ADDRESS || variant == ACCEPT4_ADDRESS ? "" : " #unasked");
	act_close(scene, client, &there, "reason=local direction=out sent=0 received=0");
	receive_end(scene, fd);
	act_close(scene, fd, &here, "reason=peer direction=in sent=0 received=0");
}

static void connections(struct scene *scene)
{
	union address address = address_of("127.0.0.1", PORT + 1);
	int listener = act_listener(scene, &address, 8);

	for (int i = 0; i < ACCEPT_VARIANTS; i++) {
		int fd = act_socket(scene, AF_INET, SOCK_STREAM);

		act_connect(scene, fd, &address);
		accept_one(scene, listener, fd, i);
	}
	act_close(scene, listener, NULL, "reason=local direction=- state=listen accepts=%d", ACCEPT_VARIANTS);
}

static void failing_connects(struct scene *scene)
{
	union address nobody = address_of("127.0.0.1", PORT + 2), nowhere = address_of("192.0.2.1", PORT);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	if (act_connect(scene, fd, &nobody) != ECONNREFUSED)
		scene_fail(scene, "not refused");
	close(fd);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	if (act_connect(scene, fd, &nowhere) != ENETUNREACH)
		scene_fail(scene, "not unreachable");
	close(fd);
}

static void datagrams(struct scene *scene)
{
	union address nobody = address_of("127.0.0.1", 9), fixed = address_of("127.0.0.1", PORT + 3);
	int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

	act_bind(scene, fd, &fixed);
	act_close(scene, fd, NULL, "reason=local direction=-");
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_sendto(scene, fd, &nobody, "x", 1);
	act_close(scene, fd, NULL, "reason=local direction=-");
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_connect(scene, fd, &nobody);
	act_close(scene, fd, NULL, "reason=local direction=-");
}

int main(int argc, char **argv)
{
	struct scene scene = {.name = argv[0], .reason_fd = STDERR_FILENO};
	size_t position = 0, length;
	const char *line;

	scene.truth = truth_new(&scene);
	binds(&scene);
	connections(&scene);
	failing_connects(&scene);
	datagrams(&scene);
	while ((line = truth_next(scene.truth, &position, &length)))
		fwrite(line, 1, length, stdout);
	return fflush(stdout) ? 1 : 0;
}
