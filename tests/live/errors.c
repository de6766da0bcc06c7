/* SPDX-License-Identifier: GPL-2.0-only */
/* What can go wrong for a user ends with the right exit code and a message to act on. */
#include "act.h"
#include "offer.h"
#include "scenarios.h"
#include "tool.h"
#include "truth.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static void expect_message(struct scene *scene, const struct tool_result *result, int status,
			   const char *what)
{
	if (result->status != status)
		scene_fail(scene, "%s: exit code %d instead of %d, stderr: %s", what, result->status, status,
			   result->err);
	if (result->err_length < 12 || result->err[result->err_length - 1] != '\n')
		scene_fail(scene, "%s: no clear message: %s", what, result->err);
	scene_note(scene, "%s: %.*s", what, (int)strcspn(result->err, "\n"), result->err);
}

/* A process of somebody else's, which is not asking for the wrong thing. */
static void expect_not_permitted(struct scene *scene, const char *command, const char *option)
{
	const struct tool_run options = {.uid = NOBODY};
	struct tool_result result;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	tool_run(scene, &result, &options, command, strcmp(command, "why") ? "ports" : "80", option, pid,
		 NULL);
	expect_message(scene, &result, 3, option);
	if (!strstr(result.err, "CAP_SYS_PTRACE"))
		scene_fail(scene, "%s: the message does not say what is missing: %s", option, result.err);
	tool_result_free(&result);
}

void error_unprivileged(struct scene *scene)
{
	const struct tool_run options = {.uid = NOBODY};
	struct tool_result result;

	tool_run(scene, &result, &options, "trace", "--json", NULL);
	expect_message(scene, &result, 3, "an ordinary user");
	if (!strstr(result.err, "CAP_") && !strstr(result.err, "root") && !strstr(result.err, "sudo"))
		scene_fail(scene, "the message does not say what is missing: %s", result.err);
	if (result.out_length)
		scene_fail(scene, "and yet there is output: %s", result.out);
	tool_result_free(&result);
	expect_not_permitted(scene, "ls", "--netns");
	expect_not_permitted(scene, "why", "--pid");
}

/* --- usage ------------------------------------------------------------------------------------------------
 */

void error_usage(struct scene *scene)
{
	static const char *const wrong[][5] = {
		{"trace", "port", "65536"},
		{"trace", "lport", "80x"},
		{"trace", "lport", "90-80"},
		{"trace", "user", "no-such-user-here"},
		{"trace", "port"},
		{"trace", "port", "80", "and"},
		{"trace", "(", "port", "80"},
		{"trace", "colour", "red"},
		{"trace", "event", "dance"},
		{"trace", "addr", "10.0.0.0/33"},
		{"trace", "--ring-size", "5"},
		{"trace", "--ring-size", "many"},
		{"trace", "--count", "-1"},
		{"trace", "--count", "0"},
		{"trace", "--duration", "5parsecs"},
		{"trace", "--duration", "0"},
		{"trace", "--duration", "0.0000000001"},
		{"trace", "--ring-size", "0"},
		{"trace", "--no-such-option"},
		{"trace", "--output", "xml"},
		{"trace", "--backend", "magic"},
		{"ls", "--count", "3"},
		{"doctor", "--count", "3"},
		{"doctor", "--quiet"},
		{"ls", "port", "65536"},
		{"export", "--once", "--json"},
		{"export", "--series", "0", "--once"},
		{"export", "--textfile", "/tmp", "--once"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const *words = wrong[i];
		struct tool_result result;
		char what[128];

		snprintf(what, sizeof(what), "%s %s %s %s", words[0], words[1], words[2] ? words[2] : "",
			 words[2] && words[3] ? words[3] : "");
		tool_run(scene, &result, NULL, words[0], words[1], words[2], words[3], words[4], NULL);
		expect_message(scene, &result, 2, what);
		if (result.out_length)
			scene_fail(scene, "%s: output nevertheless", what);
		if (words[1][0] != '-' && !strchr(result.err, '^'))
			scene_fail(scene, "%s: nothing points at the place: %s", what, result.err);
		tool_result_free(&result);
	}
}

/* What stands where a command's name could. */
static void expect_bare(struct scene *scene, const char *word, int status, const char *part)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, word, NULL);
	if (result.status != status || !strstr(status ? result.err : result.out, part))
		scene_fail(scene, "portsnoop %s: exit code %d, %s%s", word, result.status, result.out,
			   result.err);
	tool_result_free(&result);
}

static void expect_titles(struct scene *scene, const char *view, const char *part)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "top", "--batch", "1", "--view", view, "--sort", "NOPE", NULL);
	if (result.status != 2 || !strstr(result.err, part))
		scene_fail(scene, "top --view %s --sort NOPE: exit code %d, %s", view, result.status,
			   result.err);
	tool_result_free(&result);
}

void error_words(struct scene *scene)
{
	expect_titles(scene, "ports", "--sort NOPE: ports can be sorted by PORT, PROTO, ADDRESS,");
	expect_titles(scene, "events", "events cannot be sorted");
	expect_bare(scene, "8080", 2, "portsnoop who 8080");
	expect_bare(scene, "frobnicate", 2, "portsnoop --help");
	expect_bare(scene, "frobnicate", 2, "^");
	expect_bare(scene, "help", 0, "Usage: portsnoop");
}

/* --- output -----------------------------------------------------------------------------------------------
 */

/* As `| head -1` does: one line, and gone. */
static void read_one_line(struct scene *scene, void *context)
{
	FILE *file = fopen(context, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file || getline(&line, &size, file) < 0 || !strstr(line, "ready"))
		scene_fail(scene, "the reader got no line");
}

static void closed_pipe(struct scene *scene)
{
	char path[512];
	const struct tool_run options = {.stdout_path = path};
	struct tool_result result;
	pid_t reader;

	snprintf(path, sizeof(path), "%s/%s.fifo", scene->out_dir, scene->name);
	unlink(path);
	scene_must(scene, mkfifo(path, 0600), "mkfifo");
	reader = actor_start(scene, read_one_line, path);
	tool_run(scene, &result, &options, "trace", "--json", NULL);
	actor_join(scene, reader);
	unlink(path);
	if (result.status || *offer_complaints(&result))
		scene_fail(scene, "a closed pipe: exit code %d, stderr: %s", result.status, result.err);
	tool_result_free(&result);
}

/* What it writes to; prepare(), which is told nothing else, says who writes. */
static struct stalled {
	int ends[2];
	_Atomic pid_t tool;
} * stalled;

static int say_who(void)
{
	atomic_store(&stalled->tool, getpid());
	return 0;
}

static void await_ready(struct scene *scene)
{
	char line[4096];
	ssize_t n = scene_must(scene, read(stalled->ends[0], line, sizeof(line)), "read");

	if (!memmem(line, (size_t)n, "\"ready\"", strlen("\"ready\"")))
		scene_fail(scene, "the first line is not `ready`");
}

/* `ready` fills it: the program waits for events when the signal comes, and has only its last lines to write.
 */
static void end_idle(struct scene *scene, void *context)
{
	struct pollfd item = {.fd = stalled->ends[0], .events = POLLIN};

	scene_must(scene, poll(&item, 1, -1), "poll");
	scene_must(scene, kill(atomic_load(&stalled->tool), SIGTERM), "kill");
}

/* Full, and there is still more that has to go through it. */
static void bind_until_stalled(struct scene *scene, void *context)
{
	struct pollfd item = {.fd = stalled->ends[1], .events = POLLOUT};
	unsigned after = 0;

	await_ready(scene);
	for (unsigned i = 0; after < 64; i++) {
		union address address = address_of("127.0.0.1", (uint16_t)(10000 + i % 50000));
		int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

		scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
		close(fd);
		after += poll(&item, 1, 0) == 0;
	}
	scene_must(scene, kill(atomic_load(&stalled->tool), SIGTERM), "kill");
}

static void open_stalled(struct scene *scene)
{
	stalled = shared_new(scene, sizeof(*stalled));
	scene_must(scene, pipe2(stalled->ends, O_CLOEXEC), "pipe");
	scene_must(scene, fcntl(stalled->ends[1], F_SETPIPE_SZ, 4096), "F_SETPIPE_SZ");
}

/* As in `| less` when nobody scrolls: SIGTERM ends it all the same, and it says that something is missing. */
static void stalled_pipe(struct scene *scene, actor_body *end)
{
	struct tool_run options = {.prepare = say_who};
	struct tool_result result;
	pid_t actor;

	open_stalled(scene);
	options.stdout_fd = stalled->ends[1];
	actor = actor_start(scene, end, NULL);
	tool_run(scene, &result, &options, "trace", "--json", NULL);
	actor_join(scene, actor);
	close(stalled->ends[0]);
	close(stalled->ends[1]);
	if (result.status != 74 || !strstr(result.err, "nobody reads it"))
		scene_fail(scene, "a pipe that nobody reads: exit code %d, stderr: %s", result.status,
			   result.err);
	tool_result_free(&result);
}

/* A command that is to be watched does not run unwatched. */
static void expect_not_run(struct scene *scene)
{
	struct tool_run options = {0};
	struct tool_result result;

	open_stalled(scene);
	close(stalled->ends[0]);
	options.stdout_fd = stalled->ends[1];
	tool_run(scene, &result, &options, "trace", "--json", "--", "true", NULL);
	close(stalled->ends[1]);
	if (result.status != 74 || !strstr(result.err, "true was not run"))
		scene_fail(scene, "a command for nobody: exit code %d, stderr: %s", result.status,
			   result.err);
	tool_result_free(&result);
}

static int limit_files(void)
{
	const struct rlimit few_bytes = {100, 100};

	return setrlimit(RLIMIT_FSIZE, &few_bytes);
}

/* An error like another, not a signal that kills. */
static void expect_file_limit(struct scene *scene)
{
	const struct tool_run limited = {.prepare = limit_files};
	struct tool_result result;

	tool_run(scene, &result, &limited, "trace", "--json", "--duration", "200ms", NULL);
	if (result.status != 74)
		scene_fail(scene, "a limit for files: exit code %d, stderr: %s", result.status, result.err);
	tool_result_free(&result);
}

void error_output(struct scene *scene)
{
	const struct tool_run full = {.stdout_path = "/dev/full"};
	union address address = address_of("127.0.0.1", 8550);
	struct tool_result result;

	act_listener(scene, &address, 1); /* for ls to show */
	tool_run(scene, &result, &full, "trace", "--json", NULL);
	if (!result.status || result.status > 100 || !strstr(result.err, "No space left"))
		scene_fail(scene, "a full disk: exit code %d, stderr: %s", result.status, result.err);
	scene_note(scene, "a full disk: exit code %d, %.*s", result.status, (int)strcspn(result.err, "\n"),
		   result.err);
	tool_result_free(&result);
	closed_pipe(scene);
	stalled_pipe(scene, bind_until_stalled);
	stalled_pipe(scene, end_idle);
	expect_not_run(scene);
	expect_file_limit(scene);
	tool_run(scene, &result, &full, "ls", "--json", NULL);
	if (!result.status || result.status > 100 || !strstr(result.err, "No space left"))
		scene_fail(scene, "ls on a full disk: exit code %d, stderr: %s", result.status, result.err);
	tool_result_free(&result);
	tool_run(scene, &result, &full, "--help", NULL);
	if (result.status != 74 || !strstr(result.err, "No space left"))
		scene_fail(scene, "--help on a full disk: exit code %d, stderr: %s", result.status,
			   result.err);
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "trace", "--json", "--duration", "200ms", "--save", "/dev/full", NULL);
	if (!result.status || result.status > 100 || !result.err_length)
		scene_fail(scene, "a recording on a full disk: exit code %d, stderr: %s", result.status,
			   result.err);
	tool_result_free(&result);
}

/* --- SIGTERM in the middle --------------------------------------------------------------------------------
 */

struct binder {
	_Atomic unsigned done;
	atomic_bool over;
};

/* One bind after the other, each to a port of its own; `done` counts those that have returned. */
static void bind_on_and_on(struct scene *scene, void *context)
{
	struct binder *binder = context;

	for (unsigned i = 0; i < 50000 && !atomic_load(&binder->over); i++) {
		union address address = address_of("127.0.0.1", (uint16_t)(10000 + i));
		int fd = act_socket(scene, AF_INET, SOCK_DGRAM);

		scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
		atomic_store(&binder->done, i + 1);
		close(fd);
	}
}

struct seen {
	bool ports[65536];
};

static void see(struct scene *scene, const json_t *event, void *context)
{
	struct seen *seen = context;

	if (event_number(event, "portsnoop.netns") == scene->netns &&
	    !strcmp(event_string(event, "event_name"), "bind"))
		seen->ports[event_number(event, "network.local.port") & 0xffff] = true;
}

/* Every bind that had returned before the signal was sent is in the output. */
void sigterm_flushes(struct scene *scene)
{
	struct binder *binder = shared_new(scene, sizeof(*binder));
	static struct seen seen;
	struct tool tool;
	unsigned done, enough = 500 + scene_count(scene, 4500);
	pid_t pid;

	tool_start(&tool, scene, NULL);
	pid = actor_start(scene, bind_on_and_on, binder);
	while ((done = atomic_load(&binder->done)) < enough)
		usleep(100);
	tool_end(&tool);
	atomic_store(&binder->over, true);
	actor_join(scene, pid);
	tool_each_line(scene, tool.out_path, see, &seen);
	scene_note(scene, "%u binds before the signal", done);
	for (unsigned i = 0; i < done; i++)
		if (!seen.ports[10000 + i])
			scene_fail(scene, "the bind to port %u, before the signal, is not in the output",
				   10000 + i);
}
