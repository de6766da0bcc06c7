/* SPDX-License-Identifier: GPL-2.0-only */
/* 20,000 connections for each way to end one: every event with its process, ports, bytes and reason. */
#include "books.h"
#include "exec_actor.h"
#include "ledger.h"
#include "load.h"
#include "scenarios.h"
#include "truth.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* watcher: another portsnoop that looks at all other namespaces, NULL when nothing was lost. */
static void check_books(const struct tool *tool, unsigned count, unsigned listeners,
			const struct tool *watcher)
{
	struct books books;
	uint64_t others[EVENT_KIND_COUNT] = {0};

	books_read(tool, &books);
	for (unsigned kind = 0; watcher && kind < EVENT_READY; kind++)
		others[kind] = watcher->all[kind];
	books_check(tool, &books, EVENT_CONNECT, count, others[EVENT_CONNECT]);
	books_check(tool, &books, EVENT_ACCEPT, count, others[EVENT_ACCEPT]);
	books_check(tool, &books, EVENT_CLOSE, 2ull * count + listeners, others[EVENT_CLOSE]);
}

static void connections(struct scene *scene, enum load_ending ending, const char *server)
{
	struct load load = {.ending = ending, .count = scene_count(scene, 20000), .server = server};
	struct books books;
	struct tool tool;
	uint64_t begun;

	tool_start(&tool, scene, NULL);
	begun = scene_clock_ns();
	load_run(scene, &load);
	scene_note(scene, "%u connections in %.2f s", load.count, (double)(scene_clock_ns() - begun) / 1e9);
	tool_settle(&tool);
	tool_end(&tool);
	books_read(&tool, &books);
	check_books(&tool, load.count, 1, NULL);
	/* What was lost is in the books, and cannot be in the ledger. */
	if (books.lost)
		scene_note(scene, "%" PRIu64 " lost: only the books are compared", books.lost);
	else
		ledger_check(&tool, NULL);
}

void connections_client_first(struct scene *scene)
{
	connections(scene, CLIENT_FIRST, "127.0.0.1");
}

void connections_server_first(struct scene *scene)
{
	connections(scene, SERVER_FIRST, "127.0.0.1");
}

void connections_reset(struct scene *scene)
{
	connections(scene, CLIENT_RESETS, "127.0.0.1");
}

void connections_ipv6(struct scene *scene)
{
	scene_need_ipv6(scene);
	connections(scene, CLIENT_FIRST, "::1");
}

/* --- loss -------------------------------------------------------------------------------------------------
 */

/* What goes on in other namespaces meanwhile, by a portsnoop that loses nothing. */
static void watch_others(struct tool *watcher, struct scene *scene)
{
	char filter[64];

	snprintf(filter, sizeof(filter), "not netns %u", scene->netns);
	tool_start(watcher, scene, "--ring-size", "64M", filter, NULL);
}

static bool lost_any(const struct tool *tool)
{
	json_t *summary = tool_summary(tool);
	bool lost = json_object_size(event_at(summary, "portsnoop.lost")) > 0;

	json_decref(summary);
	return lost;
}

/* Resets leave no TIME_WAIT, which so many connections would run out of ports for. */
static void load_silently(struct scene *scene, unsigned count)
{
	const struct load load = {
		.ending = CLIENT_RESETS, .count = count, .server = "127.0.0.1", .silent = true};

	load_run(scene, &load);
}

/* Stopped, the tool takes nothing out: a ring that cannot hold it all loses some. Then it goes on. */
static void load_with_a_stop(struct scene *scene, const struct tool *tool, unsigned stopped, unsigned running)
{
	scene_must(scene, kill(tool->pid, SIGSTOP), "SIGSTOP");
	load_silently(scene, stopped);
	scene_must(scene, kill(tool->pid, SIGCONT), "SIGCONT");
	if (running)
		load_silently(scene, running);
}

/*
 * Ten times the load on a ring that cannot hold it: what is lost is told, and the books close to the event.
 * Where everything takes longer a quarter of that will do: all that is lost is repaired, again and again.
 */
static void overload(struct scene *scene, const char *ring_size, bool stopped)
{
	unsigned count = scene_count(scene, scene->scale < 1 ? 50000 : 200000);
	struct books books;
	struct tool tool, watcher;

	watch_others(&watcher, scene);
	tool_start(&tool, scene, "--ring-size", ring_size, NULL);
	load_with_a_stop(scene, &tool, stopped ? count : count / 10, stopped ? 0 : count - count / 10);
	truth_clear(scene->truth);
	tool_settle(&tool);
	tool_end(&tool);
	tool_end(&watcher);
	if (lost_any(&watcher))
		scene_skip(scene, "the machine is too busy: what others do was lost too");
	books_read(&tool, &books);
	if (!books.ring && !stopped && sysconf(_SC_PAGESIZE) > 4096)
		scene_skip(scene, "a ring of %s bytes loses nothing here", ring_size);
	if (!books.ring)
		scene_fail(scene, "nothing was lost: the test has tested nothing");
	check_books(&tool, count, stopped ? 1 : 2, &watcher);
}

/* Stopped for as long as the load lasts. */
void books_small_ring(struct scene *scene)
{
	overload(scene, "64K", true);
}

void books_smallest_ring(struct scene *scene)
{
	char size[24];

	overload(scene, scene_smallest_ring(size), false);
}

/* --- short lives ------------------------------------------------------------------------------------------
 */

#define SHORT_PORT 7100

struct short_lives {
	int listener;
	unsigned count;
};

static void short_server(struct scene *scene, void *context)
{
	const struct short_lives *lives = context;

	for (unsigned i = 0; i < lives->count; i++) {
		int fd = act_accept(scene, lives->listener, i % ACCEPT_VARIANTS);
		struct held held = held_of(scene, fd);

		receive_end(scene, fd);
		act_close(scene, fd, &held, "reason=peer direction=in sent=0 received=0");
	}
}

static pid_t short_client(struct scene *scene, unsigned number)
{
	char name[32], file[512], token[32];
	const char *const argv[] = {name,	  EXEC_ACTOR_FLAG, exec_actor_file(scene, file),
				    "connect",	  "127.0.0.1",	   "7100",
				    "5" /* ms */, token,	   NULL};

	snprintf(name, sizeof(name), "short-lived-%u", number);
	snprintf(token, sizeof(token), "--token=%u", number * 7919);
	return exec_actor_start(scene, argv);
}

/* A process that lives 5 ms is gone before anybody could look it up in /proc. */
void short_lived(struct scene *scene)
{
	struct short_lives lives = {.count = scene_count(scene, 300)};
	union address address = address_of("127.0.0.1", SHORT_PORT);
	struct timespec ten_ms = {.tv_nsec = 10000000};
	struct tool tool;
	pid_t server;

	tool_start(&tool, scene, NULL);
	lives.listener = act_listener(scene, &address, 128);
	server = actor_start(scene, short_server, &lives);
	for (unsigned i = 0; i < lives.count; i++) {
		pid_t client = short_client(scene, i);

		nanosleep(&ten_ms, NULL); /* a hundred a second */
		actor_join(scene, client);
	}
	actor_join(scene, server);
	act_close(scene, lives.listener, NULL, "reason=local accepts=%u", lives.count);
	exec_actor_collect(scene);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}
