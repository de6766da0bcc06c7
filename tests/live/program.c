/* SPDX-License-Identifier: GPL-2.0-only */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct start {
	const char *const *argv;
	const char *out_path;
};

static void become(struct scene *scene, void *context)
{
	const struct start *start = context;
	const char *path = getenv("PATH");
	char search[4200];
	int out = open(start->out_path, O_WRONLY | O_CREAT | O_TRUNC, 0644), in = open("/dev/null", O_RDONLY);

	snprintf(search, sizeof(search), "%.4000s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	setenv("PATH", search, 1);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		scene_fail(scene, "%s: %s", start->out_path, strerror(errno));
	execvp(start->argv[0], (char **)start->argv);
	scene_fail(scene, "%s: %s", start->argv[0], strerror(errno));
}

void program_start(struct scene *scene, struct program *program, const char *const *argv)
{
	struct start start = {.argv = argv, .out_path = program->out_path};

	scene->runs++;
	snprintf(program->out_path, sizeof(program->out_path), "%s/%s.%u.program", scene->out_dir,
		 scene->name, scene->runs);
	program->pid = actor_start(scene, become, &start);
}

char *program_finish(struct scene *scene, struct program *program)
{
	char *text;
	int status;

	scene_must(scene, waitpid(program->pid, &status, 0), "waitpid");
	text = file_read(scene, program->out_path, NULL);
	if (status)
		scene_fail(scene, "a client failed with status 0x%x: %.300s", status, text);
	return text;
}

void program_stop(struct scene *scene, struct program *program)
{
	scene_must(scene, kill(program->pid, SIGTERM), "kill");
	scene_must(scene, waitpid(program->pid, NULL, 0), "waitpid");
}

static pid_t parent_of(const struct scene *scene, pid_t pid)
{
	char path[64], *text, *at;
	pid_t parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (access(path, R_OK))
		return 0;
	text = file_read(scene, path, NULL);
	at = strstr(text, "\nPPid:");
	if (at)
		parent = atoi(at + 6);
	free(text);
	return parent;
}

bool program_is(const struct scene *scene, const struct program *program, pid_t pid)
{
	for (int i = 0; i < 4 && pid > 1; i++) {
		if (pid == program->pid)
			return true;
		pid = parent_of(scene, pid);
	}
	return false;
}

void program_directory(const struct scene *scene, char path[512])
{
	snprintf(path, 512, "%s/%s.directory", scene->out_dir, scene->name);
	if (mkdir(path, 0755) && errno != EEXIST)
		scene_fail(scene, "%s: %s", path, strerror(errno));
}

/* --- what was said between a client and a server ----------------------------------------------------------
 */

struct side {
	unsigned connects, accepts, closes_out, closes_in;
	uint64_t connecter, accepter;
	uint64_t client_sent, client_received, server_sent, server_received;
};

struct search {
	struct exchange *exchange;
	struct side found;
};

static uint64_t local_port(const json_t *event)
{
	return event_number(event, "network.local.port");
}

static uint64_t peer_port(const json_t *event)
{
	return event_number(event, "network.peer.port");
}

static void look_for_port(struct scene *scene, const json_t *event, void *context)
{
	struct exchange *exchange = context;

	if (!exchange->client_port && event_number(event, "portsnoop.netns") == scene->netns &&
	    !strcmp(event_string(event, "event_name"), "connect") &&
	    !strcmp(event_string(event, "network.transport"), "tcp") &&
	    peer_port(event) == exchange->server_port &&
	    event_number(event, "process.pid") == (uint64_t)exchange->client)
		exchange->client_port = (uint16_t)local_port(event);
}

static void take_close(const json_t *event, struct side *side, bool out)
{
	uint64_t sent = event_number(event, "portsnoop.bytes.sent");
	uint64_t received = event_number(event, "portsnoop.bytes.received");

	if (out) {
		side->closes_out++;
		side->client_sent = sent;
		side->client_received = received;
	} else {
		side->closes_in++;
		side->server_sent = sent;
		side->server_received = received;
	}
}

static void look(struct scene *scene, const json_t *event, void *context)
{
	struct search *search = context;
	const struct exchange *exchange = search->exchange;
	struct side *side = &search->found;
	const char *name = event_string(event, "event_name");
	bool out = local_port(event) == exchange->client_port && peer_port(event) == exchange->server_port;
	bool in = local_port(event) == exchange->server_port && peer_port(event) == exchange->client_port;

	if (event_number(event, "portsnoop.netns") != scene->netns || (!out && !in) ||
	    strcmp(event_string(event, "network.transport"), "tcp"))
		return;
	if (!strcmp(name, "close")) {
		take_close(event, side, out);
	} else if (!strcmp(name, "connect") && out) {
		side->connects++;
		side->connecter = event_number(event, "process.pid");
	} else if (!strcmp(name, "accept") && in) {
		side->accepts++;
		side->accepter = event_number(event, "process.pid");
	}
}

void exchange_check(const struct tool *tool, struct exchange *exchange)
{
	struct search search = {.exchange = exchange};
	const struct side *side = &search.found;

	tool_each_line(tool->scene, tool->out_path, look_for_port, exchange);
	if (!exchange->client_port)
		scene_fail(tool->scene, "no connect of process %d", exchange->client);
	tool_each_line(tool->scene, tool->out_path, look, &search);
	if (side->connects != 1 || side->accepts != 1 || side->closes_out != 1 || side->closes_in != 1)
		scene_fail(tool->scene, "port %u: %u connects, %u accepts, %u and %u closes",
			   exchange->client_port, side->connects, side->accepts, side->closes_out,
			   side->closes_in);
	if (side->connecter != (uint64_t)exchange->client)
		scene_fail(tool->scene, "port %u: connected by %llu, not by %d", exchange->client_port,
			   (unsigned long long)side->connecter, exchange->client);
	if (side->client_sent != side->server_received || side->client_received != side->server_sent ||
	    (exchange->sent >= 0 && side->client_sent != (uint64_t)exchange->sent) ||
	    (exchange->received >= 0 && side->client_received != (uint64_t)exchange->received))
		scene_fail(tool->scene,
			   "port %u: client %llu/%llu, server %llu/%llu, truth %lld/%lld (sent/received)",
			   exchange->client_port, (unsigned long long)side->client_sent,
			   (unsigned long long)side->client_received, (unsigned long long)side->server_sent,
			   (unsigned long long)side->server_received, (long long)exchange->sent,
			   (long long)exchange->received);
	exchange->accepter = (pid_t)side->accepter;
}
