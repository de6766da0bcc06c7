/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A socket whose connection is in TIME_WAIT and that goes on as a listener: both have one cookie in the
 * kernel, and both are there, each on its port, the one with its holder and the other without.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVER 7960

struct reused {
	int fd, listener;
	uint64_t cookie;
	uint16_t was, is; /* its ports */
};

static void await_end(const struct scene *scene, int fd)
{
	uint64_t deadline_ns = scene_clock_ns() + scene->patience_s * 1000000000ull;
	struct tcp_info info;
	socklen_t length = sizeof(info);

	do {
		if (scene_clock_ns() > deadline_ns)
			scene_fail(scene, "the connection does not end");
		usleep(1000);
		scene_must(scene, getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), "TCP_INFO");
	} while (info.tcpi_state != TCP_CLOSE);
}

static struct reused reuse(const struct scene *scene, uint16_t server_port)
{
	union address at = address_of("127.0.0.1", server_port);
	struct reused reused = {.fd = act_socket(scene, AF_INET, SOCK_STREAM),
				.listener = act_listener(scene, &at, 1)};
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC}; /* a connected socket cannot listen */
	int server;

	act_connect(scene, reused.fd, &at);
	server = act_accept(scene, reused.listener, ACCEPT_NULL);
	reused.was = held_of(scene, reused.fd).port;
	scene_must(scene, shutdown(reused.fd, SHUT_RDWR), "shutdown");
	receive_end(scene, server);
	close(server);
	await_end(scene, reused.fd);
	scene_must(scene, connect(reused.fd, &nobody, sizeof(nobody)), "connect(AF_UNSPEC)");
	scene_must(scene, listen(reused.fd, 1), "listen");
	reused.is = held_of(scene, reused.fd).port;
	reused.cookie = cookie_of(scene, reused.fd);
	return reused;
}

struct answer {
	char text[256];
};

static void take_row(struct scene *scene, const json_t *row, void *context)
{
	const json_t *holders = event_at(row, "portsnoop.holders");
	struct answer *answer = context;
	size_t used = strlen(answer->text);

	(void)scene;
	snprintf(answer->text + used, sizeof(answer->text) - used, "%s %llu",
		 event_string(row, "network.connection.state"),
		 (unsigned long long)event_number(row, "portsnoop.cookie"));
	for (size_t i = 0; i < json_array_size(holders); i++) {
		used = strlen(answer->text);
		snprintf(answer->text + used, sizeof(answer->text) - used, " %d",
			 (int)event_number(json_array_get(holders, i), "process.pid"));
	}
	strncat(answer->text, ";", sizeof(answer->text) - strlen(answer->text) - 1);
}

static void compare(struct scene *scene, struct tool_result *result, const char *asked, const char *wanted)
{
	struct answer answer = {""};

	tool_each_line(scene, result->out_path, take_row, &answer);
	if (strcmp(answer.text, wanted))
		scene_fail(scene, "%s: '%s' instead of '%s'", asked, answer.text, wanted);
	tool_keep_for_schema(scene, result);
	tool_result_free(result);
}

static void who(struct scene *scene, uint16_t port, const char *wanted)
{
	struct tool_result result;
	char text[8], netns[16];

	snprintf(text, sizeof(text), "%u", port);
	snprintf(netns, sizeof(netns), "%u", scene->netns); /* others may have the port, too */
	tool_run(scene, &result, NULL, "who", "--json", text, "netns", netns, NULL);
	compare(scene, &result, text, wanted);
}

static void ls(struct scene *scene, const char *what, uint16_t port, const char *wanted)
{
	struct tool_result result;
	char filter[64];

	snprintf(filter, sizeof(filter), "lport %u and netns %u", port, scene->netns);
	tool_run(scene, &result, NULL, "ls", what, "--json", filter, NULL);
	compare(scene, &result, filter, wanted);
}

/* Twice: to have looked at the one must not change what is said of the other. */
static void check(struct scene *scene, const struct reused *reused)
{
	char listens[64], waits[64];

	snprintf(listens, sizeof(listens), "listen %llu %d;", (unsigned long long)reused->cookie, getpid());
	snprintf(waits, sizeof(waits), "time_wait %llu;", (unsigned long long)reused->cookie);
	for (int i = 0; i < 2; i++) {
		who(scene, reused->is, listens);
		who(scene, reused->was, waits);
		ls(scene, "ports", reused->is, listens);
		ls(scene, "connections", reused->was, waits);
	}
	close(reused->fd);
	close(reused->listener);
}

void who_reused(struct scene *scene)
{
	struct reused reused = reuse(scene, SERVER);
	struct tool tool;

	check(scene, &reused); /* nobody was watching */
	tool_start(&tool, scene, NULL);
	reused = reuse(scene, SERVER + 1);
	tool_await_count(&tool, EVENT_LISTEN, 2);
	check(scene, &reused);
	tool_end(&tool);
}
