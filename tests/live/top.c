/* SPDX-License-Identifier: GPL-2.0-only */
/* top on a terminal: every view and key, and the numbers that ls has at the same moment. */
#include "act.h"
#include "scenarios.h"
#include "screen.h"
#include "top_desk.h"
#include "truth.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the numbers ------------------------------------------------------------------------------------------
 */

/* The word of a line that stands below the end (or, to the left, the beginning) of a title. */
static char *word_below(const struct screen *screen, const char *line, const char *title, bool right)
{
	char *titles = screen_await_line(screen, title, "");
	size_t begin = 0, end;

	/* Rows are ASCII, but titles have an arrow: characters are counted. */
	for (const char *at = titles; at < strstr(titles, title) + (right ? strlen(title) : 0); at++)
		begin += (*at & 0xc0) != 0x80;
	if (begin > strlen(line))
		scene_fail(screen->scene, "the line ends before %s: %s", title, line);
	if (right) {
		end = begin;
		while (begin && line[begin - 1] != ' ')
			begin--;
	} else {
		end = begin + strcspn(line + begin, " ");
	}
	free(titles);
	return strndup(line + begin, end - begin);
}

static void expect_word(const struct screen *screen, const char *line, const char *title, bool right,
			const char *expected)
{
	char *word = word_below(screen, line, title, right);

	if (strcmp(word, expected))
		scene_fail(screen->scene, "%s is %s, and ls says %s: %s", title, word, expected, line);
	free(word);
}

/* Rows of ls, asked while top runs and shows the same. */
struct asked {
	json_t *row; /* the one that was looked for */
	const char *kind;
	uint64_t number; /* local port, or pid */
};

static void find_row(struct scene *scene, const json_t *row, void *context)
{
	struct asked *asked = context;
	const char *kind = event_string(row, "row");

	if (strcmp(kind, asked->kind))
		return;
	if (event_number(row, !strcmp(kind, "process") ? "process.pid" : "network.local.port") ==
		    asked->number &&
	    (strcmp(kind, "port") || event_number(row, "portsnoop.netns") == scene->netns))
		asked->row = json_deep_copy(row);
}

static struct asked ask_ls(struct scene *scene, const char *table, const char *kind, uint64_t number)
{
	struct asked asked = {.kind = kind, .number = number};
	struct tool_result result;
	char netns[32];

	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, "ls", table, "--json", "--sync", "netns", netns, NULL);
	if (result.status)
		scene_fail(scene, "ls: exit code %d: %s", result.status, result.err);
	tool_each_line(scene, result.out_path, find_row, &asked);
	tool_result_free(&result);
	if (!asked.row)
		scene_fail(scene, "ls %s does not show %llu", table, (unsigned long long)number);
	return asked;
}

static void compare_port(const struct screen *screen)
{
	struct asked asked = ask_ls(screen->scene, "ports", "port", TOP_PORT);
	char queue[32], active[32], *line;

	snprintf(queue, sizeof(queue), "%llu/%llu",
		 (unsigned long long)event_number(asked.row, "portsnoop.accept_queue.length"),
		 (unsigned long long)event_number(asked.row, "portsnoop.accept_queue.limit"));
	snprintf(active, sizeof(active), "%llu",
		 (unsigned long long)event_number(asked.row, "portsnoop.connections.active"));
	line = screen_await_line(screen, " 8620  ", queue);
	expect_word(screen, line, "QUEUE", true, queue);
	expect_word(screen, line, "ACTIVE", true, active);
	expect_word(screen, line, "STATE", false, "listen");
	free(line);
	json_decref(asked.row);
}

static void compare_process(const struct screen *screen, const struct top_load *load)
{
	struct asked asked = ask_ls(screen->scene, "processes", "process", (uint64_t)load->pid);
	char in[32], out[32], pid[32], *line;

	snprintf(pid, sizeof(pid), "%d", load->pid);
	snprintf(in, sizeof(in), "%llu",
		 (unsigned long long)event_number(asked.row, "portsnoop.connections.in"));
	snprintf(out, sizeof(out), "%llu",
		 (unsigned long long)event_number(asked.row, "portsnoop.connections.out"));
	line = screen_await_line(screen, pid, load->comm);
	expect_word(screen, line, " IN", true, in);
	expect_word(screen, line, " OUT", true, out);
	expect_word(screen, line, "PORTS", false, "8620");
	free(line);
	json_decref(asked.row);
}

/* One of the connections that were accepted, by its client's end. */
static void compare_connection(const struct screen *screen)
{
	char *line = screen_await_line(screen, "700B", " out ");
	unsigned port = 0;
	char *local = strstr(line, "127.0.0.1:"), sent[32];
	struct asked asked;

	if (!local || sscanf(local, "127.0.0.1:%u", &port) != 1)
		scene_fail(screen->scene, "no address: %s", line);
	asked = ask_ls(screen->scene, "connections", "connection", port);
	snprintf(sent, sizeof(sent), "%lluB",
		 (unsigned long long)event_number(asked.row, "portsnoop.bytes.sent"));
	expect_word(screen, line, "SENT", true, sent);
	expect_word(screen, line, "STATE", false, event_string(asked.row, "network.connection.state"));
	free(line);
	json_decref(asked.row);
}

void top_numbers(struct scene *scene)
{
	struct screen screen;
	struct top_load load;

	top_load_start(&load, scene, "top-load", false);
	top_open(&screen, scene, 160, 40, "--view ports");
	screen_await(&screen, "2/16");
	compare_port(&screen);
	screen_key(&screen, "2");
	compare_process(&screen, &load);
	screen_key(&screen, "3");
	compare_connection(&screen);
	screen_key(&screen, "4");
	screen_await(&screen, "127.0.0.1:8620");
	screen_await(&screen, "28232 ports");
	screen_key(&screen, "5");
	screen_await(&screen, "tracing: ");
	top_leave(&screen);
	actor_kill(scene, load.pid);
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

static void try_filter(const struct screen *screen)
{
	screen_key(screen, "/");
	screen_key(screen, "C-u");
	screen_type(screen, "port x");
	screen_await(screen, "'x' is neither a port nor a known service");
	screen_key(screen, "Enter"); /* what is wrong does not go away */
	screen_await(screen, "'x' is neither a port nor a known service");
	screen_key(screen, "BSpace");
	screen_type(screen, "8620");
	screen_await(screen, " 8620  ");
	screen_await_none(screen, "neither");
	screen_key(screen, "Enter");
	screen_await(screen, "filter port 8620");
	screen_key(screen, "/");
	screen_key(screen, "C-u");
	screen_type(screen, "port 1");
	screen_await(screen, "nothing matches the filter"); /* while it is typed */
	screen_key(screen, "Escape");
	screen_await(screen, "filter port 8620");
}

static void try_details(const struct screen *screen, const struct top_load *load)
{
	char holder[64];

	snprintf(holder, sizeof(holder), "%s(%d)", load->comm, load->pid);
	screen_key(screen, "Enter");
	screen_await(screen, holder);
	screen_await(screen, "2 of 16 waiting to be accepted");
	screen_key(screen, "Escape");
	screen_await(screen, "PORT");
	screen_key(screen, "?");
	screen_await(screen, "this help");
	screen_key(screen, "q");
	screen_await(screen, "PORT");
}

static void try_order(const struct screen *screen)
{
	screen_await(screen, "PORT▲");
	screen_key(screen, "S");
	screen_await(screen, "PORT▼");
	screen_key(screen, "s");
	screen_await(screen, "sorted by PROTO");
	screen_await(screen, "PROTO▲");
	screen_key(screen, "s");
	screen_await(screen, "ADDRESS▲");
}

/* A refresh later: the header's clock goes on. */
static void await_refresh(const struct screen *screen)
{
	for (unsigned i = 0; i < 2; i++) {
		char *line = screen_await_line(screen, "portsnoop  ", "events"), clock[32];

		/* At the end of its line; when the view was frozen may be the same time. */
		snprintf(clock, sizeof(clock), "%s\n", strrchr(line, ' '));
		screen_await_none(screen, clock);
		free(line);
	}
}

static void try_freeze(const struct screen *screen, struct top_load *load)
{
	screen_key(screen, "/");
	screen_key(screen, "C-u");
	screen_type(screen, "port 8620-8621");
	screen_key(screen, "Enter");
	screen_await(screen, "filter port 8620-8621");
	screen_key(screen, "Space");
	screen_await(screen, "FROZEN");
	top_load_go_on(load); /* a port more */
	screen_key(screen, "C-l");
	await_refresh(screen);
	if (screen_has(screen, " 8621  "))
		scene_fail(screen->scene, "a frozen view has changed");
	screen_key(screen, "Space");
	screen_await(screen, " 8621  ");
	screen_await_none(screen, "FROZEN");
}

/* How the port came is told, and so is what was seen of the one that was there before. */
static void try_history(const struct screen *screen)
{
	screen_key(screen, "G");
	screen_key(screen, "Enter");
	screen_await(screen, "history of the port");
	free(screen_await_line(screen, " bind ", "127.0.0.1:8621"));
	free(screen_await_line(screen, " listen ", "127.0.0.1:8621"));
	screen_key(screen, "Escape");
	screen_key(screen, "g");
	screen_key(screen, "Enter");
	screen_await(screen, "it was there before anybody watched");
	screen_key(screen, "Escape");
	screen_await(screen, "ADDRESS");
}

/* Ports that are closed stay as long as they are told to. */
static void try_closed(const struct screen *screen, struct top_load *load)
{
	screen_key(screen, "c");
	screen_await(screen, "what was closed or has ended stays");
	top_load_go_on(load);
	screen_await(screen, "closed");
	screen_await_none(screen, " 8621  ");
	screen_key(screen, "c");
	screen_await(screen, "goes at once");
}

static void try_rest(const struct screen *screen)
{
	screen_key(screen, "n");
	screen_await(screen, "numbers");
	screen_key(screen, "n");
	screen_await(screen, "names");
	screen_key(screen, "d");
	screen_await(screen, "seconds between refreshes: 0.5");
	screen_key(screen, "C-u");
	screen_type(screen, "0.25");
	screen_key(screen, "Enter");
	screen_await(screen, "refreshed every 0.25 s");
	screen_key(screen, "Tab");
	screen_key(screen, "t");
	screen_await(screen, "processes below their parents");
	screen_key(screen, "f");
	screen_await(screen, "following the selected row");
	screen_key(screen, "BTab");
	screen_await(screen, "ADDRESS");
	for (unsigned i = 0; i < 3; i++) {
		static const char *const keys[] = {"j", "Down", "PPage", "NPage", "g",
						   "G", "k",	"Up",	 "Home",  "End"};

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			screen_key(screen, keys[k]);
	}
	screen_await(screen, " 8620  ");
}

static void try_signal(const struct screen *screen, const struct top_load *load)
{
	char question[128];
	int status;

	snprintf(question, sizeof(question), "y/N: send USR2 (12) to %d %s?", load->pid, load->comm);
	for (unsigned yes = 0; yes <= 1; yes++) {
		screen_key(screen, "K");
		screen_await(screen, "signal: TERM");
		screen_key(screen, "C-u");
		screen_type(screen, "usr2");
		screen_key(screen, "Enter");
		screen_await(screen, question);
		screen_key(screen, yes ? "y" : "n");
		screen_await(screen, yes ? "USR2 (12) was sent" : "no signal was sent");
		if (!yes && kill(load->pid, 0))
			scene_fail(screen->scene, "the process is gone");
	}
	scene_must(screen->scene, waitpid(load->pid, &status, 0), "waitpid");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGUSR2)
		scene_fail(screen->scene, "the process ended with 0x%x", status);
}

/* What was chosen is there the next time. */
static void try_settings(const struct screen *screen)
{
	screen_key(screen, "q");
	screen_await(screen, "over=0");
	screen_top(screen, "");
	screen_await(screen, "ADDRESS▲");
	screen_key(screen, "d");
	screen_await(screen, "seconds between refreshes: 0.25");
	screen_key(screen, "Escape");
	screen_key(screen, "q");
	screen_await(screen, "over=0");
}

void top_keys_live(struct scene *scene)
{
	struct screen screen;
	struct top_load load;

	top_load_start(&load, scene, "top-load", true);
	top_open(&screen, scene, 160, 40, "--view ports --delay 500ms");
	screen_await(&screen, "2/16");
	try_order(&screen);
	try_filter(&screen);
	try_details(&screen, &load);
	try_freeze(&screen, &load);
	try_history(&screen);
	try_closed(&screen, &load);
	try_rest(&screen);
	try_signal(&screen, &load);
	try_settings(&screen);
	screen_close(&screen);
}

/* --- names ------------------------------------------------------------------------------------------------
 */

void top_hostile(struct scene *scene)
{
	struct screen screen;
	struct top_load load;
	char *title;

	top_load_start(&load, scene, "\x1b]0;owned\x07\x1b[2J", false);
	top_open(&screen, scene, 120, 30, "--view ports");
	for (char view[2] = "1"; *view <= '5'; ++*view) {
		screen_key(&screen, view);
		if (*view != '5')
			screen_await(&screen, "\\x1b]0;owned");
	}
	screen_key(&screen, "1");
	screen_key(&screen, "Enter");
	screen_await(&screen, "\\x1b]0;owned");
	title = screen_ask(&screen, "#{pane_title}");
	if (strstr(title, "owned"))
		scene_fail(scene, "a process has set the title of the terminal: %s", title);
	free(title);
	screen_key(&screen, "q");
	top_leave(&screen);
	actor_kill(scene, load.pid);
}
