/* SPDX-License-Identifier: GPL-2.0-only */
/* The six ways to a port that the kernel chooses, in both families. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <string.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

struct family {
	int family;
	const char *loopback;
	int server; /* a listener to connect to */
	union address server_address;
	union address any_port; /* of the loopback */
};

static void by_bind(struct scene *scene, const struct family *family, int type)
{
	int fd = act_socket(scene, family->family, type);

	if (act_bind(scene, fd, &family->any_port) || !held_of(scene, fd).port)
		scene_fail(scene, "bind(0) gave no port");
	act_close(scene, fd, NULL, "reason=local");
}

/* Deferred: the address now, the port when it is known where to. */
static void by_connect(struct scene *scene, const struct family *family, bool deferred)
{
	int fd = act_socket(scene, family->family, SOCK_STREAM), accepted;

	if (deferred) {
		act_option(scene, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		if (act_bind(scene, fd, &family->any_port) || held_of(scene, fd).port)
			scene_fail(scene, "the bind was not deferred");
	}
	if (act_connect(scene, fd, &family->server_address))
		scene_fail(scene, "connect failed");
	accepted = act_accept(scene, family->server, deferred ? ACCEPT4_NULL : ACCEPT_ADDRESS);
	act_close_pair(scene, fd, accepted);
}

static void by_listen(struct scene *scene, const struct family *family)
{
	int fd = act_socket(scene, family->family, SOCK_STREAM);

	if (act_listen(scene, fd, 5) || !held_of(scene, fd).port)
		scene_fail(scene, "listen gave no port");
	act_close(scene, fd, NULL, "reason=local accepts=0");
}

static void by_send(struct scene *scene, const struct family *family)
{
	union address discard = address_of(family->loopback, 9);
	int fd = act_socket(scene, family->family, SOCK_DGRAM);

	for (int i = 0; i < 3; i++) /* only the first assigns */
		act_sendto(scene, fd, &discard, "x", 1);
	if (!held_of(scene, fd).port)
		scene_fail(scene, "sendto gave no port");
	act_close(scene, fd, NULL, "reason=local");
}

static void by_udp_connect(struct scene *scene, const struct family *family, bool deferred)
{
	union address discard = address_of(family->loopback, 9);
	int fd = act_socket(scene, family->family, SOCK_DGRAM);

	if (deferred) {
		act_option(scene, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		act_bind(scene, fd, &family->any_port);
	}
	if (act_connect(scene, fd, &discard) || !held_of(scene, fd).port)
		scene_fail(scene, "connect of UDP gave no port");
	act_close(scene, fd, NULL, "reason=local");
}

static void ephemeral(struct scene *scene, int family_number, const char *loopback)
{
	struct family family = {.family = family_number, .loopback = loopback};
	struct tool tool;

	family.any_port = address_of(loopback, 0);
	family.server_address = address_of(loopback, 7300);
	tool_start(&tool, scene, NULL);
	family.server = act_listener(scene, &family.server_address, 16);
	by_bind(scene, &family, SOCK_STREAM);
	by_bind(scene, &family, SOCK_DGRAM);
	by_connect(scene, &family, false);
	by_connect(scene, &family, true);
	by_listen(scene, &family);
	by_send(scene, &family);
	by_udp_connect(scene, &family, false);
	by_udp_connect(scene, &family, true);
	act_close(scene, family.server, NULL, "reason=local accepts=2");
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}

void ephemeral_ipv4(struct scene *scene)
{
	ephemeral(scene, AF_INET, "127.0.0.1");
}

void ephemeral_ipv6(struct scene *scene)
{
	scene_need_ipv6(scene);
	ephemeral(scene, AF_INET6, "::1");
}
