/* SPDX-License-Identifier: GPL-2.0-only */
/* top and its terminal: of any size, taken away, given back on every way out; and recordings on it. */
#include "act.h"
#include "scenarios.h"
#include "top_desk.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- sizes ------------------------------------------------------------------------------------------------
 */

static void check_size(const struct screen *screen, unsigned columns, unsigned rows)
{
	screen_resize(screen, columns, rows);
	if (columns < 12 || rows < 5)
		return; /* there is nothing to see, but nothing to break, too */
	screen_await(screen, "8630");
	screen_await(screen, columns >= 160 ? "HOLDERS" : "PORT");
	if (columns < 100)
		screen_await_none(screen, "HOLDERS"); /* dropped, not cut */
	screen_await(screen, columns >= 80 ? "5 events" : " 5 ");
}

void top_sizes(struct scene *scene)
{
	static const unsigned sizes[][2] = {{40, 10}, {41, 11},	 {60, 15},  {80, 24},  {10, 3},
					    {1, 1},   {120, 40}, {199, 59}, {200, 60}, {40, 10}};
	union address address = address_of("127.0.0.1", 8630);
	struct screen screen;
	char arguments[128];

	act_listener(scene, &address, 5);
	screen_open(&screen, scene, 40, 10);
	snprintf(arguments, sizeof(arguments), "--view ports netns %u", scene->netns);
	screen_top(&screen, arguments);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		check_size(&screen, sizes[i][0], sizes[i][1]);
	screen_key(&screen, "q");
	screen_await(&screen, "over=0");
	snprintf(arguments, sizeof(arguments), "--ascii --view ports --sort PORT netns %u", scene->netns);
	screen_top(&screen, arguments);
	screen_await(&screen, "PORT^");
	top_leave(&screen);
}

/* --- ways out ---------------------------------------------------------------------------------------------
 */

/* The shell's own screen, with the modes of a terminal that somebody types on. */
static void check_restored(const struct screen *screen)
{
	char *alternate;

	screen_await(screen, "ready>");
	alternate = screen_ask(screen, "#{alternate_on} #{cursor_flag}");
	if (strcmp(alternate, "0 1"))
		scene_fail(screen->scene, "alternate screen and cursor: %s, expected 0 1", alternate);
	free(alternate);
	screen_command(
		screen,
		"clear; stty -a | grep -ow -e '-\\?icanon' -e '-\\?echo' -e '-\\?icrnl' | xargs echo modes");
	screen_await(screen, "modes icrnl icanon echo");
}

static void end_by(const struct screen *screen, int signal, const char *said)
{
	pid_t pid;

	screen_top(screen, "");
	pid = screen_tool(screen);
	scene_must(screen->scene, kill(pid, signal), "kill");
	screen_await(screen, said);
	check_restored(screen);
}

void top_ways_out(struct scene *scene)
{
	struct screen screen;

	screen_open(&screen, scene, 100, 30);
	screen_command(&screen, "ulimit -c 0");
	end_by(&screen, SIGTERM, "over=0");
	end_by(&screen, SIGINT, "over=0");
	end_by(&screen, SIGSEGV, "over=139");
	end_by(&screen, SIGABRT, "over=134");
	/* Without a command, a filter alone is one for top on a terminal. */
	screen_command(&screen, "clear; %s port 1; echo over=$?", scene->tool);
	screen_await(&screen, "filter port 1");
	screen_key(&screen, "C-c");
	screen_await(&screen, "over=0");
	check_restored(&screen);
	screen_close(&screen);
}

void top_suspended(struct scene *scene)
{
	struct screen screen;

	screen_open(&screen, scene, 100, 30);
	screen_command(&screen, "%s top --backend %s", scene->tool, scene->backend);
	screen_await(&screen, "portsnoop  ");
	screen_await(&screen, "5 events");
	screen_key(&screen, "C-z");
	screen_await(&screen, "Stopped");
	check_restored(&screen);
	screen_resize(&screen, 120, 35); /* meanwhile */
	screen_command(&screen, "clear; fg");
	screen_await(&screen, "5 events");
	screen_key(&screen, "2");
	screen_await(&screen, "CONN/S");
	screen_key(&screen, "q");
	check_restored(&screen);
	screen_close(&screen);
}

void top_unplugged(struct scene *scene)
{
	struct screen screen;
	pid_t pid;

	screen_open(&screen, scene, 100, 30);
	screen_top(&screen, "");
	pid = screen_tool(&screen);
	screen_close(&screen); /* the terminal goes, and nobody else says anything */
	screen_await_end(&screen, pid);
}

/* --- recordings -------------------------------------------------------------------------------------------
 */

static void record(struct scene *scene, const char *path)
{
	union address first = address_of("127.0.0.1", 8640), second = address_of("127.0.0.1", 8641);
	struct tool tool;
	int fd;

	tool_start(&tool, scene, "--save", path, NULL);
	act_listener(scene, &first, 5);
	fd = act_listener(scene, &second, 5);
	act_close(scene, fd, NULL, "accepts=0");
	tool_settle(&tool);
	tool_end(&tool);
}

static void check_batch(struct scene *scene, const char *path)
{
	struct tool_result result;
	char *at, *last, netns[32];

	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, "top", "--batch", "3", "--view", "ports", "--from", path, "netns",
		 netns, NULL);
	if (result.status)
		scene_fail(scene, "exit code %d: %s", result.status, result.err);
	last = result.out;
	for (unsigned i = 0; i < 3; i++, last = at + 1)
		if (!(at = strstr(last, "\nPORT ")))
			scene_fail(scene, "%u frames, expected 3: %s", i, result.out_path);
	if (!strstr(last, "\n8640 ") || strstr(last, "\n8641 "))
		scene_fail(scene, "the last frame is not how it was at the end: %s", result.out_path);
	tool_result_free(&result);
}

/* Ten seconds each: longer than a busy machine records here. */
static void seek_far(const struct screen *screen, const char *key)
{
	for (unsigned i = 0; i < 12; i++)
		screen_key(screen, key);
}

static void check_full_disk(struct scene *scene, const char *path)
{
	const struct tool_run options = {.stdout_path = "/dev/full"};
	struct tool_result result;

	tool_run(scene, &result, &options, "top", "--batch", "2", "--from", path, NULL);
	if (result.status != 74 || !strstr(result.err, "No space left"))
		scene_fail(scene, "a full disk: exit code %d: %s", result.status, result.err);
	tool_result_free(&result);
}

void top_plays(struct scene *scene)
{
	char path[600], arguments[700];
	struct screen screen;

	scene_need_program(scene, "tmux");
	snprintf(path, sizeof(path), "%s/%s.recording", scene->out_dir, scene->name);
	record(scene, path);
	check_batch(scene, path);
	check_full_disk(scene, path);
	screen_open(&screen, scene, 120, 30);
	snprintf(arguments, sizeof(arguments), "--view ports --from %s netns %u", path, scene->netns);
	screen_command(&screen, "clear; %s top %s; echo over=$?", scene->tool, arguments);
	screen_await(&screen, "x1 at ");
	screen_key(&screen, "p");
	screen_await(&screen, "PAUSED at ");
	seek_far(&screen, "Right"); /* beyond its end */
	screen_await(&screen, " 8640  ");
	screen_await_none(&screen, " 8641  ");
	seek_far(&screen, "Left");
	screen_await(&screen, "PAUSED at 0s");
	screen_await_none(&screen, " 8640  ");
	screen_key(&screen, "p");
	screen_key(&screen, ">");
	screen_await(&screen, "x2 at ");
	screen_key(&screen, "<");
	screen_key(&screen, "<");
	screen_await(&screen, "x0.5 at ");
	seek_far(&screen, "Right");
	screen_await(&screen, " 8640  ");
	screen_key(&screen, "K");
	screen_await(&screen, "this is a recording");
	top_leave(&screen);
	unlink(path);
}
