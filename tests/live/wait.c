/* SPDX-License-Identifier: GPL-2.0-only */
/* `wait`: it returns when it is so, and not before; what it waits for happens when it sleeps in its loop. */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT	  7960
#define PORT_TEXT "7960"

static void expect(const struct scene *scene, const struct tool_result *result, int status, const char *out)
{
	if (result->status != status)
		scene_fail(scene, "exit code %d instead of %d: %s%s", result->status, status, result->out,
			   result->err);
	if (!strstr(result->out, out))
		scene_fail(scene, "'%s' is not in: %s", out, result->out);
}

/* Until the tool sleeps in epoll_wait(2), as /proc says: it has decided that it must wait. */
static void await_sleep(struct scene *scene, struct tool_result *result, pid_t pid)
{
	uint64_t until_ns = scene_clock_ns() + scene->patience_s * UINT64_C(1000000000);
	siginfo_t ended = {0};
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (scene_clock_ns() < until_ns) {
		FILE *file = fopen(path, "re");
		int number = file && fgets(text, sizeof(text), file) && strncmp(text, "running", 7)
				     ? atoi(text)
				     : -1;

		if (file)
			fclose(file);
#ifdef SYS_epoll_wait
		if (number == SYS_epoll_wait)
			return;
#endif
		if (number == SYS_epoll_pwait)
			return;
		if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid) {
			tool_reap(scene, result, pid); /* it may have a good reason */
			scene_fail(scene, "it did not wait: exit code %d, %s", result->status, result->err);
		}
		usleep(1000); /* an emulated machine that is asked without a pause does nothing else */
	}
	scene_fail(scene, "the tool does not wait");
}

static int quiet_bind(const struct scene *scene, const char *address)
{
	union address at = address_of(address, PORT);
	int yes = 1, fd = act_socket(scene, at.any.sa_family, SOCK_STREAM);

	scene_must(scene, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), "setsockopt");
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	return fd;
}

struct server {
	int ready;
};

static void serve(struct scene *scene, void *context)
{
	const struct server *server = context;
	int fd = quiet_bind(scene, "127.0.0.1");

	scene_must(scene, listen(fd, 8), "listen");
	gate_post(scene, server->ready);
	for (;;)
		pause();
}

static pid_t start_server(struct scene *scene)
{
	struct server server = {gate_new(scene)};
	pid_t pid = actor_start(scene, serve, &server);

	gate_wait(scene, server.ready);
	close(server.ready);
	return pid;
}

/* --- somebody listens -------------------------------------------------------------------------------------
 */

static void check_row(struct scene *scene, const json_t *row, void *context)
{
	const pid_t *pid = context;
	const json_t *holder = json_array_get(event_at(row, "portsnoop.holders"), 0);

	if (strcmp(event_string(row, "row"), "port") ||
	    strcmp(event_string(row, "network.connection.state"), "listen") ||
	    (pid_t)event_number(holder, "process.pid") != *pid)
		scene_fail(scene, "it is not the listener of %d", *pid);
}

void wait_listening(struct scene *scene)
{
	struct tool_result result;
	char path[600], server_text[64];
	pid_t tool, server;
	int fd = quiet_bind(scene, "127.0.0.2"); /* has the port, and does not listen */

	tool = tool_launch(scene, &result, "wait", "--json", PORT_TEXT, "--listening", NULL);
	await_sleep(scene, &result, tool);
	server = start_server(scene);
	tool_reap(scene, &result, tool);
	expect(scene, &result, 0, "\"row\":\"port\"");
	tool_each_line(scene, result.out_path, check_row, &server);
	snprintf(path, sizeof(path), "%s.json", result.out_path);
	scene_must(scene, rename(result.out_path, path), "rename");
	tool_result_free(&result);
	/* It is so already. */
	snprintf(server_text, sizeof(server_text), "tcp 127.0.0.1:7960 listen: live(%d)", server);
	tool_run(scene, &result, NULL, "wait", "127.0.0.1:" PORT_TEXT "/tcp", "--listening", NULL);
	expect(scene, &result, 0, server_text);
	tool_result_free(&result);
	actor_kill(scene, server);
	close(fd);
}

/* --- it is free -------------------------------------------------------------------------------------------
 */

/* The kernel agrees. */
static void must_be_free(const struct scene *scene)
{
	union address at = address_of("0.0.0.0", PORT);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind to the free port");
	close(fd);
}

void wait_free(struct scene *scene)
{
	struct tool_result result;
	char had[64];
	pid_t tool, server = start_server(scene);

	tool = tool_launch(scene, &result, "wait", "0.0.0.0:" PORT_TEXT "/tcp", "--free", NULL);
	await_sleep(scene, &result, tool);
	actor_kill(scene, server);
	tool_reap(scene, &result, tool);
	snprintf(had, sizeof(had), "tcp port 0.0.0.0:7960 is free; live(%d) had it until", server);
	expect(scene, &result, 0, had);
	tool_result_free(&result);
	must_be_free(scene);
}

/* --- nobody has it, and it is not free --------------------------------------------------------------------
 */

/* Listens and accepts one connection. */
static void accept_one(struct scene *scene, void *context)
{
	const struct server *server = context;
	int fd = quiet_bind(scene, "127.0.0.1");

	scene_must(scene, listen(fd, 8), "listen");
	gate_post(scene, server->ready);
	scene_must(scene, accept(fd, NULL, NULL), "accept");
	gate_post(scene, server->ready);
	for (;;)
		pause();
}

/* A server is killed while the tool waits for its port; the client still has its end of a connection. */
static pid_t kill_server(struct scene *scene, struct tool_result *result, const char *timeout,
			 int *ret_client)
{
	struct server server = {gate_new(scene)};
	union address at = address_of("127.0.0.1", PORT);
	pid_t tool, pid = actor_start(scene, accept_one, &server);

	gate_wait(scene, server.ready);
	*ret_client = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, connect(*ret_client, &at.any, address_length(&at)), "connect");
	gate_wait(scene, server.ready);
	tool = tool_launch(scene, result, "wait", PORT_TEXT, "--free", "--timeout", timeout, NULL);
	await_sleep(scene, result, tool);
	actor_kill(scene, pid);
	receive_end(scene, *ret_client);
	return tool;
}

/* What is left begins and ends without an event: FIN_WAIT2 for a second, TIME_WAIT for a minute. */
void wait_remains(struct scene *scene)
{
	struct tool_result result;
	char timeout[16];
	pid_t tool;
	int client;

	scene_must_set(scene, "net/ipv4/tcp_fin_timeout", "1");
	snprintf(timeout, sizeof(timeout), "%us", 2 * scene->patience_s);
	tool = kill_server(scene, &result, timeout, &client);
	tool_reap(scene, &result, tool);
	expect(scene, &result, 0, "port 7960 is free; live(");
	tool_result_free(&result);
	must_be_free(scene);
	close(client);
	snprintf(timeout, sizeof(timeout), "%us", 1 + scene->patience_s / 5);
	tool = kill_server(scene, &result, timeout, &client);
	close(client);
	tool_reap(scene, &result, tool);
	expect(scene, &result, 1, "time_wait: no process, 60 s at most");
	tool_result_free(&result);
}

/* --- it is not, and does not become so --------------------------------------------------------------------
 */

/* A connection that was closed from the port's side, without a process: TIME_WAIT. */
static void leave_time_wait(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT);
	int listener = quiet_bind(scene, "127.0.0.1"), client = act_socket(scene, AF_INET, SOCK_STREAM);
	int server;

	scene_must(scene, listen(listener, 1), "listen");
	scene_must(scene, connect(client, &at.any, address_length(&at)), "connect");
	server = (int)scene_must(scene, accept(listener, NULL, NULL), "accept");
	close(server);
	receive_end(scene, client);
	close(client);
	close(listener);
}

static void refused(struct scene *scene, const char *port, const char *first, const char *second)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "wait", port, first, second, NULL);
	expect(scene, &result, 2, "");
	tool_result_free(&result);
}

void wait_timeout(struct scene *scene)
{
	struct tool_result result;
	int fd = quiet_bind(scene, "127.0.0.1");
	pid_t tool;

	tool_run(scene, &result, NULL, "wait", PORT_TEXT, "--listening", "--timeout", "10ms", NULL);
	expect(scene, &result, 1, "tcp 127.0.0.1:7960 bound: live(");
	if (!strstr(result.err, "timed out: nobody listens on port 7960"))
		scene_fail(scene, "no reason: %s", result.err);
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "wait", PORT_TEXT, "--free", "--timeout", "10ms", NULL);
	expect(scene, &result, 1, "tcp 127.0.0.1:7960 bound: live(");
	tool_result_free(&result);
	/* Not in the way of this one. */
	tool_run(scene, &result, NULL, "wait", "127.0.0.2:" PORT_TEXT, "--free", NULL);
	expect(scene, &result, 0, "port 127.0.0.2:7960 is free");
	tool_result_free(&result);
	close(fd);
	leave_time_wait(scene);
	tool = tool_launch(scene, &result, "wait", PORT_TEXT, "--free", NULL);
	await_sleep(scene, &result, tool);
	scene_must(scene, kill(tool, SIGINT), "kill");
	tool_reap(scene, &result, tool);
	expect(scene, &result, 1, "time_wait: no process, 60 s at most");
	tool_result_free(&result);
	refused(scene, PORT_TEXT, NULL, NULL);
	refused(scene, PORT_TEXT, "--free", "--listening");
	refused(scene, PORT_TEXT, "--free", "port");
	refused(scene, "localhost", "--free", NULL);
}
