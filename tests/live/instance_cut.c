/* SPDX-License-Identifier: GPL-2.0-only */
/* An answer that breaks off: what came of it is forgotten, and whoever asked looks for himself. */
#include "act.h"
#include "asker.h"
#include "scenarios.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_PORT 7300
#define PORTS	   50
#define ANSWER_MAX (4u << 20)

struct cut {
	int held, let_go, gone; /* gates: of the holder of the ports */
	int ready;		/* of the relay */
};

/* What the answer tells, and is no longer there when it breaks off. */
static void hold_ports(struct scene *scene, void *context)
{
	const struct cut *cut = context;
	int fds[PORTS];

	for (int i = 0; i < PORTS; i++) {
		union address address = address_of("127.0.0.1", (uint16_t)(FIRST_PORT + i));

		fds[i] = act_socket(scene, AF_INET, SOCK_STREAM);
		scene_must(scene, bind(fds[i], &address.any, address_length(&address)), "bind");
		scene_must(scene, listen(fds[i], 1), "listen");
	}
	gate_post(scene, cut->held);
	gate_wait(scene, cut->let_go);
	for (int i = 0; i < PORTS; i++)
		close(fds[i]);
	gate_post(scene, cut->gone);
}

static int listen_in_its_place(struct scene *scene, char path_of_tool[108])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)scene_must(scene, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	asker_path(address.sun_path);
	snprintf(path_of_tool, 108, "%.100s.tool", address.sun_path);
	scene_must(scene, rename(address.sun_path, path_of_tool), "rename");
	scene_must(scene, bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	scene_must(scene, listen(fd, 8), "listen");
	return fd;
}

static int connect_to(struct scene *scene, const char path[108])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)scene_must(scene, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	memcpy(address.sun_path, path, sizeof(address.sun_path));
	scene_must(scene, connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	return fd;
}

/* Its question goes to the tool, and all of the answer but its end comes back. */
static void pass_on(struct scene *scene, int client, int tool)
{
	char *answer = malloc(ANSWER_MAX);
	struct rec_ask ask;
	size_t length = 0;
	ssize_t n;

	scene_must(scene, recv(client, &ask, sizeof(ask), MSG_WAITALL) == sizeof(ask) ? 0 : -1,
		   "the question");
	asker_say(scene, tool, &ask, sizeof(ask));
	while (answer && (n = read(tool, answer + length, ANSWER_MAX - length)) > 0)
		length += (size_t)n;
	if (length < sizeof(struct rec_walk) || length == ANSWER_MAX)
		scene_fail(scene, "%zu bytes of answer", length);
	asker_say(scene, client, answer, length - sizeof(struct rec_walk));
	free(answer);
}

static void relay(struct scene *scene, void *context)
{
	const struct cut *cut = context;
	char path[108];
	int fd = listen_in_its_place(scene, path), client;

	gate_post(scene, cut->ready);
	client = (int)scene_must(scene, accept(fd, NULL, NULL), "accept");
	pass_on(scene, client, connect_to(scene, path));
	gate_post(scene, cut->let_go);
	gate_wait(scene, cut->gone);
	close(client);
}

void instance_cut(struct scene *scene)
{
	struct cut cut = {gate_new(scene), gate_new(scene), gate_new(scene), gate_new(scene)};
	pid_t holder = actor_start(scene, hold_ports, &cut), between;
	struct tool_result result;
	struct tool tool;

	gate_wait(scene, cut.held);
	tool_start(&tool, scene, NULL);
	asker_expect_answer(scene, PORTS);
	between = actor_start(scene, relay, &cut);
	gate_wait(scene, cut.ready);
	tool_run(scene, &result, NULL, "ls", "ports", "--json", NULL);
	asker_expect_rows(scene, &result, 0);
	actor_join(scene, between);
	actor_join(scene, holder);
	tool_end(&tool);
}
