/* SPDX-License-Identifier: GPL-2.0-only */
/* A portsnoop that runs answers others: many at once, whoever may ask, and whatever else comes to its door.
 */
#include "act.h"
#include "asker.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CROWD	 2000 /* sockets: an answer does not fit into a socket's buffer */
#define CLIENTS	 20
#define TRAFFIC	 20000 /* connections */
#define PATIENCE 10    /* seconds: of the instance with those who say nothing */

struct keeper {
	int ready;
};

static void crowd(struct scene *scene, void *context)
{
	const struct keeper *keeper = context;
	const struct rlimit room = {2 * CROWD, 2 * CROWD};
	union address any = address_of("127.0.0.1", 0);

	scene_must(scene, setrlimit(RLIMIT_NOFILE, &room), "setrlimit");
	for (int i = 0; i < CROWD; i++) {
		int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

		scene_must(scene, bind(fd, &any.any, address_length(&any)), "bind");
	}
	gate_post(scene, keeper->ready);
	for (;;)
		pause();
}

static pid_t start_crowd(struct scene *scene)
{
	struct keeper keeper = {gate_new(scene)};
	pid_t pid = actor_start(scene, crowd, &keeper);

	gate_wait(scene, keeper.ready);
	return pid;
}

/* --- clients of all kinds ---------------------------------------------------------------------------------
 */

/* Connections while all this goes on: each of their events must come. */
static void traffic(struct scene *scene, void *context)
{
	atomic_bool *over = context;
	union address address = address_of("127.0.0.1", 8500);
	int listener = act_listener(scene, &address, 5);
	unsigned n = 0, enough = scene_count(scene, TRAFFIC);

	/* Where there is no room for TIME_WAIT, on a small machine, the kernel resets instead. */
	scene_must_set(scene, "net/ipv4/tcp_max_tw_buckets", "65536");
	for (; n < enough && !atomic_load(over); n++) {
		int fd = act_socket(scene, AF_INET, SOCK_STREAM);

		if (act_connect(scene, fd, &address))
			scene_fail(scene, "connect failed");
		act_close_pair(scene, fd, act_accept(scene, listener, n % ACCEPT_VARIANTS));
	}
	act_close(scene, listener, NULL, "reason=local state=listen accepts=%u", n);
	scene_note(scene, "%u connections meanwhile", n);
}

/* At once, by those who can walk when there is no room for them: there are more than it takes. */
static void many_at_once(struct scene *scene)
{
	struct tool_result results[CLIENTS];
	pid_t pids[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		pids[i] = tool_launch(scene, &results[i], "ls", "ports", "--json", NULL);
	for (int i = 0; i < CLIENTS; i++) {
		tool_reap(scene, &results[i], pids[i]);
		asker_expect_rows(scene, &results[i], CROWD);
	}
}

/* Each is told apart by what it does, and none of them is answered for ever. */
static void bad_clients(struct scene *scene)
{
	int silent = asker_connect(scene), deaf = asker_connect(scene), half = asker_connect(scene);
	int wrong = asker_connect(scene), chatty = asker_connect(scene), old = asker_connect(scene);
	char garbage[4096];

	memset(garbage, 0xa5, sizeof(garbage));
	asker_say(scene, wrong, garbage, sizeof(garbage));
	asker_say(scene, half, garbage, 10);
	asker_ask(scene, deaf, PORTSNOOP_SCHEMA);
	asker_ask(scene, chatty, PORTSNOOP_SCHEMA);
	asker_say(scene, chatty, garbage, sizeof(garbage));
	asker_ask(scene, old, PORTSNOOP_SCHEMA + 1);
	asker_die_in_the_middle(scene, 0);
	asker_die_in_the_middle(scene, 100000);
	asker_await_end(scene, wrong);
	asker_await_end(scene, old);
	asker_await_end(scene, chatty);
	for (int i = 0; i < 3; i++)
		asker_expect_answer(scene, CROWD);
	many_at_once(scene);
	close(silent);
	close(half);
	close(deaf);
}

/* All places are taken by those who say nothing: they lose them. */
static void silent_crowd(struct scene *scene)
{
	uint64_t begun = scene_clock_ns();
	struct tool_result result;
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = asker_connect(scene);
	tool_run(scene, &result, NULL, "ls", "ports", "--json", NULL); /* by itself */
	asker_expect_rows(scene, &result, CROWD);
	for (int i = 0; i < CLIENTS; i++)
		asker_await_end(scene, fds[i]);
	scene_note(scene, "who says nothing is dropped after %.1f s", (scene_clock_ns() - begun) / 1e9);
	asker_expect_answer(scene, CROWD);
}

static void check_nothing_lost(struct scene *scene, const struct tool *tool)
{
	json_t *summary = tool_summary(tool), *lost = event_at(summary, "portsnoop.lost");

	if (!json_is_object(lost) || json_object_size(lost))
		scene_fail(scene, "something was lost: %s", json_dumps(lost, 0));
	json_decref(summary);
}

void instance_clients(struct scene *scene)
{
	atomic_bool *over = shared_new(scene, sizeof(*over));
	pid_t keeper = start_crowd(scene), actor;
	struct tool tool;

	if (scene->patience_s < PATIENCE + 5)
		scene->patience_s = PATIENCE + 5;
	tool_start(&tool, scene, NULL);
	scene->looked_at = true; /* by the instance, and by those who are not answered */
	actor = actor_start(scene, traffic, over);
	bad_clients(scene);
	silent_crowd(scene);
	atomic_store(over, true);
	actor_join(scene, actor);
	tool_settle(&tool);
	tool_end(&tool);
	check_nothing_lost(scene, &tool);
	ledger_check(&tool, NULL);
	actor_kill(scene, keeper);
}

/* --- what has just happened -------------------------------------------------------------------------------
 */

#define PROMPT_PORT 8600
#define PROMPTS	    60

/* Who asks is let in before, so that nothing is between the act and the question. */
static void expect_port(struct scene *scene, int fd, uint16_t port, bool there)
{
	asker_ask_of_ports(scene, fd);
	if (asker_hears_of_port(scene, fd, port) != there)
		scene_fail(scene, "port %u %s", port, there ? "is missing" : "is still there");
}

/* It listens before it is ready, and answers when it is. */
static void await_instance(struct scene *scene)
{
	uint64_t deadline_ns = scene_clock_ns() + scene->patience_s * 1000000000ull;
	int fd;

	while ((fd = asker_try_to_connect()) < 0)
		if (scene_clock_ns() > deadline_ns)
			scene_fail(scene, "nobody serves");
	asker_ask(scene, fd, PORTSNOOP_SCHEMA);
	asker_hears_of_port(scene, fd, 0);
}

/* While records flow, an instance that shows none of them takes them late; what it says is never late. */
void instance_prompt(struct scene *scene)
{
	atomic_bool *over = shared_new(scene, sizeof(*over));
	struct tool_result result;
	pid_t instance = tool_launch(scene, &result, "ephemeral", "--watch", "--json", NULL), actor;
	int fd, asker;

	await_instance(scene);
	actor = actor_start(scene, traffic, over);
	for (uint16_t i = 0; i < PROMPTS; i++) {
		union address address = address_of("127.0.0.1", PROMPT_PORT + i);

		asker = asker_connect(scene);
		fd = act_listener(scene, &address, 1);
		expect_port(scene, asker, PROMPT_PORT + i, true);
		asker = asker_connect(scene);
		close(fd);
		expect_port(scene, asker, PROMPT_PORT + i, false);
	}
	atomic_store(over, true);
	actor_join(scene, actor);
	kill(instance, SIGTERM);
	tool_reap(scene, &result, instance);
	if (result.status)
		scene_fail(scene, "exit code %d: %s", result.status, result.err);
	tool_result_free(&result);
}

/* --- one that hangs or ends -------------------------------------------------------------------------------
 */

/* Nobody waits for it for long, not even to be let in. */
void instance_stopped(struct scene *scene)
{
	struct tool_result results[2 * CLIENTS];
	pid_t pids[2 * CLIENTS], keeper = start_crowd(scene);
	uint64_t begun;
	struct tool tool;

	tool_start(&tool, scene, NULL);
	scene_must(scene, kill(tool.pid, SIGSTOP), "SIGSTOP");
	begun = scene_clock_ns();
	for (int i = 0; i < 2 * CLIENTS; i++)
		pids[i] = tool_launch(scene, &results[i], "ls", "ports", "--json", NULL);
	for (int i = 0; i < 2 * CLIENTS; i++) {
		tool_reap(scene, &results[i], pids[i]);
		asker_expect_rows(scene, &results[i], CROWD);
	}
	scene_note(scene, "%d looked for themselves within %.1f s", 2 * CLIENTS,
		   (scene_clock_ns() - begun) / 1e9);
	scene_must(scene, kill(tool.pid, SIGCONT), "SIGCONT");
	asker_expect_answer(scene, CROWD);
	tool_end(&tool);
	actor_kill(scene, keeper);
}

#define ENDINGS 8

/* They fall back, wherever it is with them. */
void instance_ends(struct scene *scene)
{
	int endings = 2 + (int)scene_count(scene, ENDINGS - 2);
	pid_t keeper = start_crowd(scene);

	for (int i = 0; i < endings; i++) {
		struct tool_result results[CLIENTS / 2];
		pid_t pids[CLIENTS / 2];
		struct tool tool;

		tool_start(&tool, scene, NULL);
		for (int j = 0; j < CLIENTS / 2; j++) {
			pids[j] = tool_launch(scene, &results[j], "ls", "ports", "--json",
					      j % 2 ? "--sync" : "--json", NULL);
			if (j == i)
				scene_must(scene, kill(tool.pid, SIGTERM), "kill");
		}
		for (int j = 0; j < CLIENTS / 2; j++) {
			tool_reap(scene, &results[j], pids[j]);
			asker_expect_rows(scene, &results[j], CROWD);
		}
		if (tool_join(&tool))
			scene_fail(scene, "it did not end well, see %s", tool.err_path);
		asker_expect_refusal(scene);
	}
	actor_kill(scene, keeper);
}

/* --- who may ask ------------------------------------------------------------------------------------------
 */

/* Even where the file lets it in, another account is told nothing. */
static void nobody_asks(struct scene *scene, void *context)
{
	int fd;

	asker_become_nobody(scene);
	fd = asker_connect(scene);
	asker_try_to_ask(fd);
	asker_await_end(scene, fd);
}

void instance_accounts(struct scene *scene)
{
	const struct tool_run nobody = {.uid = NOBODY};
	struct tool_result result;
	char path[108];
	struct tool tool;

	tool_start(&tool, scene, NULL);
	asker_expect_answer(scene, 0);
	tool_run(scene, &result, &nobody, "ls", NULL);
	if (result.status != 3 || !strstr(result.err, "CAP_BPF") || result.out_length)
		scene_fail(scene, "nobody got exit code %d, %s%s", result.status, result.err, result.out);
	tool_result_free(&result);
	scene_must(scene, chmod(asker_path(path), 0666), "chmod");
	tool_run(scene, &result, &nobody, "ls", NULL);
	if (result.status != 3 || result.out_length)
		scene_fail(scene, "nobody was answered: %s", result.out);
	tool_result_free(&result);
	actor_join(scene, actor_start(scene, nobody_asks, NULL));
	asker_expect_answer(scene, 0);
	tool_end(&tool);
}

/* What another account serves, nobody believes: it walks. */
void instance_impostor(struct scene *scene)
{
	struct asked *asked = shared_new(scene, sizeof(*asked));
	pid_t impostor = asker_start_impostor(scene, asked);
	struct tool_result result;

	asker_expect_refusal(scene);
	tool_run(scene, &result, NULL, "ls", "ports", "--json", NULL);
	asker_expect_rows(scene, &result, 0);
	close(asker_connect(scene)); /* it takes one after the other: these two were taken */
	while (atomic_load(&asked->came) < 3)
		sched_yield();
	if (atomic_load(&asked->questions))
		scene_fail(scene, "another account was asked");
	actor_kill(scene, impostor);
}

/* --- one after the other ----------------------------------------------------------------------------------
 */

void instance_succession(struct scene *scene)
{
	struct tool first, second, third;
	char path[108];

	tool_start(&first, scene, NULL);
	asker_expect_answer(scene, 0);
	tool_start(&second, scene, NULL);
	asker_expect_answer(scene, 0);
	tool_end(&second);
	asker_expect_answer(scene, 0); /* it took nothing away */
	tool_start(&second, scene, NULL);
	scene_must(scene, kill(first.pid, SIGKILL), "kill");
	if (tool_join(&first) != 128 + SIGKILL)
		scene_fail(scene, "it was not killed");
	if (access(asker_path(path), F_OK))
		scene_fail(scene, "nothing was left behind");
	asker_expect_refusal(scene); /* the second one takes over nothing */
	tool_start(&third, scene, NULL);
	asker_expect_answer(scene, 0);
	tool_end(&second);
	asker_expect_answer(scene, 0);
	tool_end(&third);
	asker_expect_refusal(scene);
	if (!access(asker_path(path), F_OK))
		scene_fail(scene, "the socket was left behind");
}

/* --- what only who watched can know -----------------------------------------------------------------------
 */

static void had_port(struct scene *scene, void *context)
{
	union address address = address_of("127.0.0.1", 8510);
	int listener = act_socket(scene, AF_INET, SOCK_STREAM), client, server;

	act_option(scene, listener, SOL_SOCKET, SO_REUSEADDR, 1);
	scene_must(scene, bind(listener, &address.any, address_length(&address)), "bind");
	scene_must(scene, listen(listener, 5), "listen");
	if (!context)
		return;
	client = act_socket(scene, AF_INET, SOCK_STREAM);
	scene_must(scene, connect(client, &address.any, address_length(&address)), "connect");
	server = (int)scene_must(scene, accept(listener, NULL, NULL), "accept");
	close(server);
	receive_end(scene, client);
}

static void expect_words_of(struct scene *scene, pid_t of, const char *option, int status, const char *words)
{
	struct tool_result result;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", of);
	tool_run(scene, &result, NULL, "who", "8510/tcp", option, of ? "--netns" : NULL, pid, NULL);
	if (result.status != status || !strstr(result.out, words))
		scene_fail(scene, "'%s' is not said: %s%s", words, result.out, result.err);
	if (of && of != getpid() && strstr(result.out, "had it"))
		scene_fail(scene, "somebody had it elsewhere: %s", result.out);
	tool_result_free(&result);
}

static void expect_words(struct scene *scene, const char *option, int status, const char *words)
{
	expect_words_of(scene, 0, option, status, words);
}

void instance_remembers(struct scene *scene)
{
	struct tool tool;
	char words[64];
	pid_t pid;

	tool_start(&tool, scene, NULL);
	pid = actor_start(scene, had_port, NULL);
	actor_join(scene, pid);
	tool_await_count(&tool, EVENT_CLOSE, 1);
	snprintf(words, sizeof(words), "; live(%d) had it until ", pid);
	expect_words(scene, "--sync", 1, words);
	expect_words_of(scene, getpid(), "--sync", 1, words);
	expect_words_of(scene, tool.pid, "--sync", 1, "nobody has tcp port 8510 in network namespace ");
	expect_words(scene, "--no-instance", 1, "nobody has tcp port 8510\n");
	pid = actor_start(scene, had_port, scene);
	actor_join(scene, pid);
	tool_await_count(&tool, EVENT_CLOSE, 4);
	snprintf(words, sizeof(words), "; was live(%d) until ", pid);
	expect_words(scene, "--sync", 0, words);
	expect_words(scene, "--no-instance", 0, "; nobody was watching when it closed");
	tool_end(&tool);
	expect_words(scene, "--numeric", 0, "; nobody was watching when it closed");
}
