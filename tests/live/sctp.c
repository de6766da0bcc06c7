/* SPDX-License-Identifier: GPL-2.0-only */
/* SCTP has ports of its own, which are not seen: what is on the same port by TCP is told as if there were
 * none. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORT 8940

/* An association keeps its port until its end is shaken hands on, after close(): so the next may share it. */
static int sctp_socket(const struct scene *scene, int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, IPPROTO_SCTP), one = 1;

	if (fd < 0)
		scene_skip(scene, "this kernel has no SCTP: %s", strerror(errno));
	scene_must(scene, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	return fd;
}

/* All that is told of TCP: bind, listen, connect, accept with and without an address, data, closes. */
static void talk(struct scene *scene, const union address *at, enum accept_variant variant)
{
	int listener = sctp_socket(scene, SOCK_STREAM), client = sctp_socket(scene, SOCK_STREAM), server;
	char byte;

	scene_must(scene, bind(listener, &at->any, sizeof(at->v4)), "bind");
	scene_must(scene, listen(listener, 5), "listen");
	scene_must(scene, connect(client, &at->any, sizeof(at->v4)), "connect");
	server = (int)scene_must(scene, accept_by(listener, variant), "accept");
	send_all(scene, client, 1);
	scene_must(scene, recv(server, &byte, 1, 0), "recv");
	close(client);
	close(server);
	close(listener);
}

/* Of packets, with one socket for many; a bind and a connect that fail. */
static void talk_otherwise(struct scene *scene, const union address *at)
{
	union address nobody = address_of("127.0.0.1", PORT + 1);
	int many = sctp_socket(scene, SOCK_SEQPACKET), other = sctp_socket(scene, SOCK_STREAM);

	scene_must(scene, bind(many, &at->any, sizeof(at->v4)), "bind");
	scene_must(scene, listen(many, 5), "listen");
	if (bind(other, &at->any, sizeof(at->v4)) == 0 || connect(other, &nobody.any, sizeof(nobody.v4)) == 0)
		scene_fail(scene, "what has to fail did not");
	close(other);
	close(many);
}

static void count_rows(struct scene *scene, const json_t *row, void *context)
{
	unsigned *count = context;

	if (strcmp(event_string(row, "network.transport"), "tcp"))
		scene_fail(scene, "a row of %s", event_string(row, "network.transport"));
	++*count;
}

/* While SCTP has the port as well. */
static void list(struct scene *scene, const union address *at)
{
	int fd = sctp_socket(scene, SOCK_STREAM);
	struct tool_result result;
	unsigned count = 0;
	char netns[16];

	scene_must(scene, bind(fd, &at->any, sizeof(at->v4)), "bind");
	scene_must(scene, listen(fd, 5), "listen");
	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, "ls", "ports", "--no-instance", "--json", "netns", netns, NULL);
	tool_each_line(scene, result.out_path, count_rows, &count);
	if (result.status || count != 1)
		scene_fail(scene, "ls: exit code %d, %u rows", result.status, count);
	tool_result_free(&result);
	close(fd);
}

/* Nobody looked, so nobody may be told that it is free. */
static void ask(struct scene *scene)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "who", "8940/sctp", NULL);
	if (result.status != 3 || !strstr(result.err, "sockets of SCTP are not seen"))
		scene_fail(scene, "who: exit code %d, %s", result.status, result.err);
	tool_result_free(&result);
}

void sctp(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT);
	struct tool tool;
	int fd;

	ask(scene);
	close(sctp_socket(scene, SOCK_STREAM));
	tool_start(&tool, scene, NULL);
	fd = act_listener(scene, &at, 5);
	list(scene, &at);
	for (unsigned variant = 0; variant < ACCEPT_VARIANTS; variant++)
		talk(scene, &at, variant);
	talk_otherwise(scene, &at);
	act_close(scene, fd, NULL, "reason=local state=listen accepts=0");
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}
