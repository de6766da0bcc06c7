/* SPDX-License-Identifier: GPL-2.0-only */
/* A socket whose only descriptor is under way in a message, and whose connection ends there. */
#include "act.h"
#include "offer.h"
#include "scenarios.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool kernel_lists(struct scene *scene, unsigned port)
{
	char *text = file_read(scene, "/proc/thread-self/net/tcp", NULL), end[16];
	bool there;

	snprintf(end, sizeof(end), "0100007F:%04X ", port);
	there = strstr(text, end);
	free(text);
	return there;
}

/* How many rows say so, of this namespace. */
static unsigned count_rows(struct scene *scene, const char *table, unsigned port, const char *sign)
{
	char netns[32], local[32], *rest, *line;
	struct tool_result result;
	unsigned n = 0;

	snprintf(netns, sizeof(netns), "\"netns\":%u,", scene->netns);
	snprintf(local, sizeof(local), "\"port\":%u}", port);
	tool_run(scene, &result, NULL, "ls", table, "--json", "--no-instance", NULL);
	if (result.status)
		scene_fail(scene, "exit code %d: %s", result.status, result.err);
	rest = result.out;
	while ((line = strsep(&rest, "\n")))
		n += strstr(line, netns) && strstr(line, local) && strstr(line, sign);
	tool_result_free(&result);
	return n;
}

/* It is listed as long as it has a port; the kernel takes that back when the connection is reset. */
void in_flight_ended(struct scene *scene)
{
	union address address = address_of("127.0.0.1", 7540);
	int listener = act_socket(scene, AF_INET, SOCK_STREAM), client, accepted, ways[2];
	unsigned port;

	if (!offer_in_flight())
		scene_skip(scene, "no descriptors under way: the kernel is older than 5.17");
	scene_must(scene, bind(listener, &address.any, address_length(&address)), "bind");
	scene_must(scene, listen(listener, 5), "listen");
	client = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, connect(client, &address.any, address_length(&address)), "connect");
	accepted = (int)scene_must(scene, accept(listener, NULL, NULL), "accept");
	port = held_of(scene, client).port;
	scene_must(scene, socketpair(AF_UNIX, SOCK_STREAM, 0, ways), "socketpair");
	act_send_descriptor(scene, ways[0], client);
	close(client);
	if (count_rows(scene, "connections", port, "\"in_flight\":true") != 1)
		scene_fail(scene, "the connection is not listed as under way");
	reset_on_close(scene, accepted);
	close(accepted);
	while (kernel_lists(scene, port))
		usleep(1000);
	if (count_rows(scene, "ports", port, "") || count_rows(scene, "connections", port, ""))
		scene_fail(scene, "what has given its port back is listed with it");
}
