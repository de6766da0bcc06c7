/* SPDX-License-Identifier: GPL-2.0-only */
#include "asker.h"

#include "inventory.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

const char *asker_path(char path[108])
{
	snprintf(path, 108, "%s/instance.sock", getenv("PORTSNOOP_RUNDIR"));
	return path;
}

/* --- the tool ---------------------------------------------------------------------------------------------
 */

static void count_row(struct scene *scene, const json_t *row, void *context)
{
	unsigned *rows = context;

	*rows += event_number(row, "portsnoop.netns") == scene->netns;
}

void asker_expect_rows(struct scene *scene, struct tool_result *result, unsigned rows)
{
	unsigned seen = 0;

	if (result->status || result->err_length)
		scene_fail(scene, "exit code %d, %s", result->status, result->err);
	tool_each_line(scene, result->out_path, count_row, &seen);
	/* Somebody may be at work here, too. */
	if (seen < rows || seen > rows + 16)
		scene_fail(scene, "%u rows, and %u sockets are there", seen, rows);
	unlink(result->out_path);
	unlink(result->err_path);
	tool_result_free(result);
}

static void ask(struct scene *scene, struct tool_result *result)
{
	const struct tool_run unable = {.prepare = without_capabilities};

	tool_run(scene, result, &unable, "ls", "ports", "--json", NULL);
}

void asker_expect_answer(struct scene *scene, unsigned rows)
{
	struct tool_result result;

	ask(scene, &result);
	asker_expect_rows(scene, &result, rows);
}

void asker_expect_refusal(struct scene *scene)
{
	struct tool_result result;

	ask(scene, &result);
	if (result.status != 3 || result.out_length)
		scene_fail(scene, "exit code %d, %s%s", result.status, result.err, result.out);
	tool_result_free(&result);
}

/* --- others -----------------------------------------------------------------------------------------------
 */

int asker_try_to_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	asker_path(address.sun_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

int asker_connect(struct scene *scene)
{
	return (int)scene_must(scene, asker_try_to_connect(), "to be let in");
}

/* It may hang up before all is said. */
void asker_say(struct scene *scene, int fd, const void *data, size_t size)
{
	if (send(fd, data, size, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		scene_fail(scene, "send: %s", strerror(errno));
}

static struct rec_ask question(unsigned schema)
{
	return (struct rec_ask){.header = {.size = sizeof(struct rec_ask), .kind = REC_ASK},
				.schema = schema,
				.flags = ASK_CONNECTIONS | ASK_SYNC};
}

void asker_ask(struct scene *scene, int fd, unsigned schema)
{
	const struct rec_ask ask = question(schema);

	asker_say(scene, fd, &ask, sizeof(ask));
}

void asker_ask_of_ports(struct scene *scene, int fd)
{
	struct rec_ask ask = question(PORTSNOOP_SCHEMA);

	ask.flags = 0;
	asker_say(scene, fd, &ask, sizeof(ask));
}

/* The whole of it. To be freed. */
static char *read_answer(struct scene *scene, int fd, size_t *ret_length)
{
	size_t room = 65536, length = 0;
	char *answer = NULL;
	ssize_t n;

	do {
		room *= 2;
		answer = realloc(answer, room);
		if (!answer)
			scene_fail(scene, "out of memory");
		do {
			n = recv(fd, answer + length, room - length, 0);
			length += n > 0 ? (size_t)n : 0;
		} while (n > 0 && length < room);
	} while (n > 0);
	scene_must(scene, n, "the answer");
	*ret_length = length;
	return answer;
}

bool asker_hears_of_port(struct scene *scene, int fd, uint16_t port)
{
	size_t length;
	char *answer = read_answer(scene, fd, &length);
	bool found = false;

	for (size_t at = 0; at < length && !found;) {
		const struct rec_header *header = (const void *)(answer + at);
		const struct rec_socket *socket = &((const struct rec_fact *)header)->socket;

		found = header->kind == REC_SOCKET && socket->local_port == port &&
			socket->protocol == IPPROTO_TCP && socket->netns == scene->netns;
		at += header->size;
	}
	free(answer);
	close(fd);
	return found;
}

void asker_try_to_ask(int fd)
{
	const struct rec_ask ask = question(PORTSNOOP_SCHEMA);

	if (send(fd, &ask, sizeof(ask), MSG_NOSIGNAL) < 0)
		return; /* it is not */
}

void asker_await_end(struct scene *scene, int fd)
{
	struct pollfd end = {.fd = fd, .events = POLLIN};
	char byte;

	if (poll(&end, 1, (int)scene->patience_s * 1000) != 1)
		scene_fail(scene, "it does not hang up");
	if (recv(fd, &byte, 1, 0) > 0)
		scene_fail(scene, "it answers");
	close(fd);
}

struct dying {
	size_t read;
	int ready;
};

static void die(struct scene *scene, void *context)
{
	const struct dying *dying = context;
	const struct rec_ask ask = question(PORTSNOOP_SCHEMA);
	int fd = asker_connect(scene);
	char byte;

	asker_say(scene, fd, &ask, dying->read ? sizeof(ask) : sizeof(ask) / 2);
	for (size_t i = 0; i < dying->read; i++)
		if (recv(fd, &byte, 1, 0) != 1)
			scene_fail(scene, "the answer is too short");
	gate_post(scene, dying->ready);
	for (;;)
		pause();
}

void asker_die_in_the_middle(struct scene *scene, size_t read)
{
	struct dying dying = {read, gate_new(scene)};
	pid_t pid = actor_start(scene, die, &dying);

	gate_wait(scene, dying.ready);
	actor_kill(scene, pid);
	close(dying.ready);
}

/* --- another account --------------------------------------------------------------------------------------
 */

void asker_become_nobody(struct scene *scene)
{
	scene_must(scene, setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
	scene_must(scene, setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
}

struct impostor {
	int ready;
	struct asked *asked;
};

/* Takes who comes. */
static void deceive(struct scene *scene, void *context)
{
	const struct impostor *impostor = context;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)scene_must(scene, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	char byte;

	asker_become_nobody(scene);
	asker_path(address.sun_path);
	scene_must(scene, bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	scene_must(scene, chmod(address.sun_path, 0666), "chmod");
	scene_must(scene, listen(fd, 8), "listen");
	gate_post(scene, impostor->ready);
	for (;;) {
		int client = (int)scene_must(scene, accept(fd, NULL, NULL), "accept");

		atomic_fetch_add(&impostor->asked->came, 1);
		if (recv(client, &byte, 1, 0) > 0)
			atomic_fetch_add(&impostor->asked->questions, 1);
		close(client);
	}
}

pid_t asker_start_impostor(struct scene *scene, struct asked *asked)
{
	struct impostor impostor = {gate_new(scene), asked};
	pid_t pid;

	scene_must(scene, chmod(getenv("PORTSNOOP_RUNDIR"), 0777), "chmod");
	pid = actor_start(scene, deceive, &impostor);
	gate_wait(scene, impostor.ready);
	return pid;
}
