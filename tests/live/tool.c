/* SPDX-License-Identifier: GPL-2.0-only */
#include "tool.h"

#include "offer.h"

#include "truth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MARKS_MAX	 50
#define MARK_PATIENCE_MS 300
#define MARK_PREFIX	 "\"address\":\"127.77."

/* --- reading ----------------------------------------------------------------------------------------------
 */

static enum event_kind kind_of_line(const char *line)
{
	static const char key[] = "\"event_name\":\"";
	const char *name = strstr(line, key);

	if (!name)
		return EVENT_OTHER;
	name += sizeof(key) - 1;
	return event_kind_of(name, strcspn(name, "\""));
}

static bool is_in_netns(const char *line, uint32_t netns)
{
	static const char key[] = "\"netns\":";
	const char *number = strstr(line, key);

	return number && strtoul(number + sizeof(key) - 1, NULL, 10) == netns;
}

static void take_line(struct tool *tool, const char *line)
{
	enum event_kind kind = kind_of_line(line);
	bool ours = is_in_netns(line, tool->scene->netns) && !strstr(line, MARK_PREFIX);

	pthread_mutex_lock(&tool->lock);
	tool->lines++;
	if (kind == EVENT_READY)
		snprintf(tool->ready, sizeof(tool->ready), "%s", line);
	tool->all[kind]++;
	tool->counts[kind] += ours;
	if (tool->awaited[0] && !tool->came && strstr(line, tool->awaited)) {
		tool->came = true;
		tool->awaited_ns = scene_clock_ns();
	}
	pthread_cond_signal(&tool->news);
	pthread_mutex_unlock(&tool->lock);
}

static void *read_all(void *context)
{
	struct tool *tool = context;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&line, &size, tool->from)) > 0) {
		fwrite(line, 1, (size_t)length, tool->copy);
		take_line(tool, line);
	}
	free(line);
	fflush(tool->copy);
	pthread_mutex_lock(&tool->lock);
	tool->ended = true;
	pthread_cond_signal(&tool->news);
	pthread_mutex_unlock(&tool->lock);
	return NULL;
}

/* With the lock held: sleeps until something came; false when nothing did for as long as our patience. */
static bool wait_for_news(struct tool *tool)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += tool->scene->patience_s;
	return pthread_cond_timedwait(&tool->news, &tool->lock, &until) != ETIMEDOUT;
}

/* Whether what is awaited comes soon. */
static bool came_within(struct tool *tool, unsigned ms)
{
	struct timespec until;
	bool came;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&tool->lock);
	while (!tool->came && !tool->ended &&
	       pthread_cond_timedwait(&tool->news, &tool->lock, &until) != ETIMEDOUT)
		continue;
	came = tool->came;
	pthread_mutex_unlock(&tool->lock);
	return came;
}

void tool_expect(struct tool *tool, const char *text)
{
	pthread_mutex_lock(&tool->lock);
	snprintf(tool->awaited, sizeof(tool->awaited), "%s", text);
	tool->came = false;
	pthread_mutex_unlock(&tool->lock);
}

/* Its last words on stderr are its own; before them libraries may have had their say. */
_Noreturn static void fail_with_stderr(const struct tool *tool, const char *what)
{
	size_t length;
	char *error = file_read(tool->scene, tool->err_path, &length), *line;

	offer_kernel(tool->scene, error);
	while (length && error[length - 1] == '\n')
		error[--length] = '\0';
	line = strrchr(error, '\n');
	scene_fail(tool->scene, "%s (after %u lines; stderr: %s; output: %s)", what, tool->lines,
		   line ? line + 1 : error, tool->out_path);
}

uint64_t tool_await(struct tool *tool)
{
	uint64_t when;
	char what[128];

	pthread_mutex_lock(&tool->lock);
	while (!tool->came) {
		snprintf(what, sizeof(what), "the tool %s and never said %s",
			 tool->ended ? "ended" : "went quiet", tool->awaited);
		if (tool->ended || !wait_for_news(tool))
			fail_with_stderr(tool, what);
	}
	when = tool->awaited_ns;
	tool->awaited[0] = '\0';
	pthread_mutex_unlock(&tool->lock);
	return when;
}

bool tool_await_count(struct tool *tool, enum event_kind kind, unsigned count)
{
	bool reached;

	pthread_mutex_lock(&tool->lock);
	while (tool->counts[kind] < count && !tool->ended && wait_for_news(tool))
		continue;
	reached = tool->counts[kind] >= count;
	pthread_mutex_unlock(&tool->lock);
	return reached;
}

/* Binds an address that nobody else binds and keeps it: a close would be an event more. */
static void mark(struct scene *scene, unsigned number)
{
	struct sockaddr_in address = {.sin_family = AF_INET}; /* any port: --ephemeral shows it too */
	int fd = (int)scene_must(scene, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket of the mark");

	address.sin_addr.s_addr = htonl(0x7f4d0000 + (scene->marks << 8) + number);
	scene_must(scene, bind(fd, (struct sockaddr *)&address, sizeof(address)), "mark");
}

void tool_settle(struct tool *tool)
{
	struct scene *scene = tool->scene;
	char text[64];

	/* An event that is missing is for the comparison to tell. */
	for (unsigned kind = 0; kind < EVENT_READY; kind++)
		if (!tool_await_count(tool, kind, truth_count(scene->truth, event_kind_name(kind))))
			break;
	snprintf(text, sizeof(text), MARK_PREFIX "%u.", ++scene->marks);
	tool_expect(tool, text);
	/* Where events are lost a mark can be lost too. */
	for (unsigned i = 0; i < MARKS_MAX; i++) {
		mark(scene, i + 1);
		if (came_within(tool, MARK_PATIENCE_MS))
			break;
	}
	tool_await(tool);
}

/* --- starting and ending ----------------------------------------------------------------------------------
 */

static void collect(const char **argv, const char *const *first, va_list rest)
{
	size_t n = 0;
	const char *argument;

	while (*first)
		argv[n++] = *first++;
	while ((argument = va_arg(rest, const char *)) && n < TOOL_MAX_ARGUMENTS)
		argv[n++] = argument;
	argv[n] = NULL;
}

static void open_files(struct scene *scene, char *out_path, char *err_path, size_t size, const char *suffix)
{
	scene->runs++;
	snprintf(out_path, size, "%s/%s.%u.%s", scene->out_dir, scene->name, scene->runs, suffix);
	snprintf(err_path, size, "%s/%s.%u.stderr", scene->out_dir, scene->name, scene->runs);
}

_Noreturn static void become_tool(const struct scene *scene, const char **argv, int out, const char *err_path,
				  bool inside)
{
	int err = open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int in = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!inside && setns(scene->home_netns, CLONE_NEWNET))
		_exit(127);
	if (err < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(127);
	close(scene->reason_fd);
	execv(scene->tool, (char **)argv);
	fprintf(stderr, "%s: %s\n", scene->tool, strerror(errno));
	_exit(127);
}

static void start(struct tool *tool, struct scene *scene, const char **argv, bool inside)
{
	int pipe_fds[2];

	*tool = (struct tool){.scene = scene};
	open_files(scene, tool->out_path, tool->err_path, sizeof(tool->out_path), "json");
	pthread_mutex_init(&tool->lock, NULL);
	pthread_cond_init(&tool->news, NULL);
	scene_must(scene, pipe2(pipe_fds, O_CLOEXEC), "pipe");
	fflush(stdout);
	tool->pid = fork();
	scene_must(scene, tool->pid, "fork");
	if (tool->pid == 0)
		become_tool(scene, argv, pipe_fds[1], tool->err_path, inside);
	close(pipe_fds[1]);
	tool->from = fdopen(pipe_fds[0], "r");
	tool->copy = fopen(tool->out_path, "we");
	if (!tool->from || !tool->copy)
		scene_fail(scene, "%s: %s", tool->out_path, strerror(errno));
	tool_expect(tool, "\"event_name\":\"ready\"");
	if (pthread_create(&tool->reader, NULL, read_all, tool))
		scene_fail(scene, "no thread");
	scene->threaded = true;
	tool_await(tool);
}

void tool_start(struct tool *tool, struct scene *scene, ...)
{
	const char *argv[TOOL_MAX_ARGUMENTS + 8], *const first[] = {scene->tool, "trace",	 "--json",
								    "--backend", scene->backend, NULL};
	va_list rest;

	va_start(rest, scene);
	collect(argv, first, rest);
	va_end(rest);
	start(tool, scene, argv, false);
}

void tool_start_inside(struct tool *tool, struct scene *scene, ...)
{
	const char *argv[TOOL_MAX_ARGUMENTS + 8], *const first[] = {scene->tool, "trace",	 "--json",
								    "--backend", scene->backend, NULL};
	va_list rest;

	va_start(rest, scene);
	collect(argv, first, rest);
	va_end(rest);
	start(tool, scene, argv, true);
}

void tool_expect_told_by(const struct tool *tool, const char *fact, const char *hook)
{
	json_t *ready = json_loads(tool->ready, 0, NULL);
	char path[64];

	snprintf(path, sizeof(path), "portsnoop.backends.%s", fact);
	if (strcmp(event_string(ready, path), hook))
		scene_fail(tool->scene, "%s is told by '%s', not '%s'", fact, event_string(ready, path),
			   hook);
	json_decref(ready);
}

int tool_join(struct tool *tool)
{
	int status;

	pthread_mutex_lock(&tool->lock);
	while (!tool->ended)
		if (!wait_for_news(tool) && !tool->ended)
			fail_with_stderr(tool, "the tool does not end");
	pthread_mutex_unlock(&tool->lock);
	pthread_join(tool->reader, NULL);
	tool->scene->threaded = false;
	fclose(tool->from);
	fclose(tool->copy);
	scene_must(tool->scene, waitpid(tool->pid, &status, 0), "waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void tool_end(struct tool *tool)
{
	json_t *summary;
	int status;

	scene_must(tool->scene, kill(tool->pid, SIGTERM), "kill");
	status = tool_join(tool);
	if (status) {
		char what[64];

		snprintf(what, sizeof(what), "after SIGTERM the exit code is %d", status);
		fail_with_stderr(tool, what);
	}
	summary = tool_summary(tool);
	if (!summary || strcmp(event_string(summary, "event_name"), "summary"))
		fail_with_stderr(tool, "the last line is no summary");
	json_decref(summary);
}

/* --- what it printed --------------------------------------------------------------------------------------
 */

void tool_each_line(const struct scene *scene, const char *path, tool_line *body, void *context)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned number = 0;
	json_error_t error;

	if (!file)
		scene_fail(scene, "%s: %s", path, strerror(errno));
	while (getline(&line, &size, file) > 0) {
		json_t *event = event_parse(line, &error);

		number++;
		if (!json_is_object(event))
			scene_fail(scene, "%s:%u is no JSON object: %s", path, number, error.text);
		body((struct scene *)scene, event, context);
		json_decref(event);
	}
	free(line);
	fclose(file);
}

static void keep_last(struct scene *scene, const json_t *event, void *context)
{
	json_t **last = context;

	json_decref(*last);
	*last = json_incref((json_t *)event);
}

json_t *tool_summary(const struct tool *tool)
{
	json_t *last = NULL;

	tool_each_line(tool->scene, tool->out_path, keep_last, &last);
	return last;
}

char *file_read(const struct scene *scene, const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0, length = 0, n;

	if (!file)
		scene_fail(scene, "%s: %s", path, strerror(errno));
	do {
		if (size - length < 2) {
			size = size ? 2 * size : 65536;
			text = realloc(text, size);
			if (!text)
				scene_fail(scene, "out of memory");
		}
		n = fread(text + length, 1, size - length - 1, file);
		length += n;
	} while (n);
	fclose(file);
	text[length] = '\0';
	if (ret_length)
		*ret_length = length;
	return text;
}

/* --- one run from beginning to end ------------------------------------------------------------------------
 */

_Noreturn static void become_run(const struct scene *scene, const char **argv, const struct tool_run *options,
				 const struct tool_result *result)
{
	const char *path = options->stdout_path ? options->stdout_path : result->out_path;
	int out = options->stdout_fd;

	if (!out)
		out = open(path, options->stdout_path ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (out < 0)
		_exit(127);
	if (options->uid && (setresgid(options->uid, options->uid, options->uid) ||
			     setresuid(options->uid, options->uid, options->uid)))
		_exit(127);
	if (options->prepare && options->prepare())
		_exit(127);
	become_tool(scene, argv, out, result->err_path, true);
}

static pid_t launch(struct scene *scene, struct tool_result *result, const struct tool_run *options,
		    va_list rest)
{
	static const struct tool_run plain;
	const char *argv[TOOL_MAX_ARGUMENTS + 8], *const first[] = {scene->tool, NULL};
	pid_t pid;
	int file;

	collect(argv, first, rest);
	*result = (struct tool_result){0};
	open_files(scene, result->out_path, result->err_path, sizeof(result->out_path), "out");
	/* Made here, so that an ordinary user finds them writable. */
	file = (int)scene_must(scene, open(result->err_path, O_WRONLY | O_CREAT | O_TRUNC, 0666), "stderr");
	fchmod(file, 0666);
	close(file);
	fflush(stdout);
	pid = fork();
	scene_must(scene, pid, "fork");
	if (pid == 0)
		become_run(scene, argv, options ? options : &plain, result);
	return pid;
}

static void reap(struct scene *scene, struct tool_result *result, const struct tool_run *options, pid_t pid)
{
	int status;

	scene_must(scene, waitpid(pid, &status, 0), "waitpid");
	result->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (!options || (!options->stdout_path && !options->stdout_fd))
		result->out = file_read(scene, result->out_path, &result->out_length);
	result->err = file_read(scene, result->err_path, &result->err_length);
	offer_kernel(scene, result->err);
}

void tool_run(struct scene *scene, struct tool_result *result, const struct tool_run *options, ...)
{
	va_list rest;
	pid_t pid;

	va_start(rest, options);
	pid = launch(scene, result, options, rest);
	va_end(rest);
	reap(scene, result, options, pid);
}

pid_t tool_launch(struct scene *scene, struct tool_result *result, ...)
{
	va_list rest;
	pid_t pid;

	va_start(rest, result);
	pid = launch(scene, result, NULL, rest);
	va_end(rest);
	return pid;
}

void tool_reap(struct scene *scene, struct tool_result *result, pid_t pid)
{
	reap(scene, result, NULL, pid);
}

void tool_keep_for_schema(const struct scene *scene, const struct tool_result *result)
{
	char path[600];

	snprintf(path, sizeof(path), "%s.json", result->out_path);
	scene_must(scene, rename(result->out_path, path), "rename");
}

void tool_result_free(struct tool_result *result)
{
	free(result->out);
	free(result->err);
	result->out = result->err = NULL;
}
