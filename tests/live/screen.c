/* SPDX-License-Identifier: GPL-2.0-only */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX	16
#define PATIENCE_FACTOR 3 /* of the scene's: shells and tmux start besides */
#define POLL_MS		20
#define PROMPT		"ready>"

/* --- tmux -------------------------------------------------------------------------------------------------
 */

/*
 * What a client of tmux prints; NULL when it fails. To be freed. It must not start a server (-N): that would
 * be a daemon, which a scenario that fails leaves behind.
 */
static char *ask_tmux(const struct screen *screen, const char *const *words)
{
	const char *argv[WORDS_MAX + 5] = {"tmux", "-N", "-S", screen->socket};
	size_t size = 0, n = 4;
	char *text = NULL;
	FILE *from, *to;
	int fds[2], status, byte;
	pid_t pid;

	while (*words && n < WORDS_MAX + 4)
		argv[n++] = *words++;
	scene_must(screen->scene, pipe(fds), "pipe");
	fflush(stdout);
	pid = fork();
	scene_must(screen->scene, pid, "fork");
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execvp(argv[0], (char **)argv);
		_exit(127);
	}
	close(fds[1]);
	from = fdopen(fds[0], "r");
	to = open_memstream(&text, &size);
	if (!from || !to)
		scene_fail(screen->scene, "out of memory");
	while ((byte = fgetc(from)) != EOF)
		fputc(byte, to);
	fclose(from);
	fclose(to);
	scene_must(screen->scene, waitpid(pid, &status, 0), "waitpid");
	if (!status)
		return text;
	free(text);
	return NULL;
}

#define TMUX(screen, ...) ask_tmux(screen, (const char *const[]){__VA_ARGS__, NULL})

static void must_tmux(const struct screen *screen, const char *const *words)
{
	char *text = ask_tmux(screen, words);

	if (!text)
		scene_fail(screen->scene, "tmux %s failed", words[0]);
	free(text);
}

#define MUST_TMUX(screen, ...) must_tmux(screen, (const char *const[]){__VA_ARGS__, NULL})

/* --- waiting ----------------------------------------------------------------------------------------------
 */

static uint64_t deadline_ns(const struct scene *scene)
{
	return scene_clock_ns() + (uint64_t)scene->patience_s * PATIENCE_FACTOR * 1000000000;
}

static void wait_a_moment(void)
{
	poll(NULL, 0, POLL_MS);
}

_Noreturn static void give_up(const struct screen *screen, const char *what, const char *text)
{
	char *shown = screen_text(screen), path[600];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.screen", screen->scene->out_dir, screen->scene->name);
	file = fopen(path, "we");
	if (file) {
		fputs(shown, file);
		fclose(file);
	}
	scene_fail(screen->scene, "%s \"%s\", the screen is in %s", what, text, path);
}

static void await(const struct screen *screen, const char *text, bool there)
{
	uint64_t until_ns = deadline_ns(screen->scene);

	while (screen_has(screen, text) != there) {
		if (scene_clock_ns() > until_ns)
			give_up(screen, there ? "the screen never shows" : "the screen always shows", text);
		wait_a_moment();
	}
}

void screen_await(const struct screen *screen, const char *text)
{
	await(screen, text, true);
}

void screen_await_none(const struct screen *screen, const char *text)
{
	await(screen, text, false);
}

static char *find_line(const struct screen *screen, const char *text, const char *other)
{
	char *all = screen_text(screen), *found = NULL, *rest = all, *line;

	while (!found && (line = strsep(&rest, "\n")))
		if (strstr(line, text) && strstr(line, other))
			found = strdup(line);
	free(all);
	return found;
}

char *screen_await_line(const struct screen *screen, const char *text, const char *other)
{
	uint64_t until_ns = deadline_ns(screen->scene);
	char *line;

	while (!(line = find_line(screen, text, other))) {
		if (scene_clock_ns() > until_ns)
			give_up(screen, "no line shows", text);
		wait_a_moment();
	}
	return line;
}

void screen_await_end(const struct screen *screen, pid_t pid)
{
	uint64_t until_ns = deadline_ns(screen->scene);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	while (!access(path, F_OK)) {
		if (scene_clock_ns() > until_ns)
			scene_fail(screen->scene, "process %d does not end", pid);
		wait_a_moment();
	}
}

/* --- the window -------------------------------------------------------------------------------------------
 */

/* The server is there when a client finds it. */
static void open_window(struct screen *screen, unsigned columns, unsigned rows)
{
	uint64_t until_ns = deadline_ns(screen->scene);
	char width[16], height[16], shell[2048], *text;

	snprintf(width, sizeof(width), "%u", columns);
	snprintf(height, sizeof(height), "%u", rows);
	snprintf(shell, sizeof(shell),
		 "cd %s && exec env -i PATH=\"$PATH\" TERM=screen-256color LC_ALL=C.UTF-8 HOME=%s "
		 "XDG_STATE_HOME=%s/state PORTSNOOP_RUNDIR=%s PS1='" PROMPT " ' bash --norc --noprofile",
		 screen->directory, screen->directory, screen->directory, getenv("PORTSNOOP_RUNDIR"));
	while (!(text = TMUX(screen, "new-session", "-d", "-x", width, "-y", height, "-s", "s", shell))) {
		if (scene_clock_ns() > until_ns)
			scene_fail(screen->scene, "tmux does not start, see %s", screen->server.out_path);
		wait_a_moment();
	}
	free(text);
	MUST_TMUX(screen, "set-option", "-g", "window-size", "manual");
	MUST_TMUX(screen, "resize-window", "-t", "s", "-x", width, "-y", height);
}

void screen_open(struct screen *screen, struct scene *scene, unsigned columns, unsigned rows)
{
	const char *const argv[] = {"tmux", "-S", screen->socket, "-f", "/dev/null", "-D", NULL};

	scene_need_program(scene, "tmux");
	scene_need_program(scene, "bash");
	*screen = (struct screen){.scene = scene};
	program_directory(scene, screen->directory);
	snprintf(screen->socket, sizeof(screen->socket), "/tmp/portsnoop-test-%d.tmux", getpid());
	unlink(screen->socket);
	unsetenv("TMUX");
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("TERM", "screen-256color", 1);
	program_start(scene, &screen->server, argv);
	open_window(screen, columns, rows);
	screen_await(screen, PROMPT);
}

void screen_close(struct screen *screen)
{
	free(TMUX(screen, "kill-server"));
	if (waitpid(screen->server.pid, NULL, 0) < 0)
		scene_fail(screen->scene, "waitpid: %s", strerror(errno));
	unlink(screen->socket);
}

void screen_type(const struct screen *screen, const char *text)
{
	MUST_TMUX(screen, "send-keys", "-t", "s", "-l", "--", text);
}

void screen_key(const struct screen *screen, const char *key)
{
	MUST_TMUX(screen, "send-keys", "-t", "s", "--", key);
}

void screen_command(const struct screen *screen, const char *format, ...)
{
	va_list arguments;
	char line[2048];

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	screen_type(screen, line);
	screen_key(screen, "Enter");
}

/* The prompt goes and the tabs come. */
void screen_top(const struct screen *screen, const char *arguments)
{
	screen_command(screen, "clear; %s top --backend %s %s; echo over=$?", screen->scene->tool,
		       screen->scene->backend, arguments);
	screen_await(screen, "portsnoop  ");
	screen_await_none(screen, PROMPT);
}

void screen_resize(const struct screen *screen, unsigned columns, unsigned rows)
{
	char width[16], height[16];

	snprintf(width, sizeof(width), "%u", columns);
	snprintf(height, sizeof(height), "%u", rows);
	MUST_TMUX(screen, "resize-window", "-t", "s", "-x", width, "-y", height);
}

char *screen_text(const struct screen *screen)
{
	char *text = TMUX(screen, "capture-pane", "-p", "-t", "s");

	return text ? text : strdup("");
}

char *screen_ask(const struct screen *screen, const char *format)
{
	char *text = TMUX(screen, "display-message", "-p", "-t", "s", format);

	if (!text)
		scene_fail(screen->scene, "tmux display-message failed");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

bool screen_has(const struct screen *screen, const char *text)
{
	char *all = screen_text(screen);
	bool has = strstr(all, text);

	free(all);
	return has;
}

pid_t screen_tool(const struct screen *screen)
{
	char *shell = screen_ask(screen, "#{pane_pid}"), path[128], children[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/children", shell, shell);
	free(shell);
	file = fopen(path, "re");
	if (!file || !fgets(children, sizeof(children), file))
		scene_fail(screen->scene, "the shell has no child: %s", path);
	fclose(file);
	return atoi(children);
}
