/* SPDX-License-Identifier: GPL-2.0-only */
/* `who`: everything on a port and everybody who holds it, as the processes themselves and the kernel say. */
#include "act.h"
#include "scenarios.h"
#include "tool.h"
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void expect_status(const struct scene *scene, const struct tool_result *result, int status)
{
	if (result->status != status)
		scene_fail(scene, "exit code %d instead of %d: %s; see %s", result->status, status,
			   result->err, result->out_path);
}

static void expect_text(const struct scene *scene, const char *where, const char *text)
{
	if (!strstr(where, text))
		scene_fail(scene, "'%s' is not in: %s", text, where);
}

/* --- what rows say ----------------------------------------------------------------------------------------
 */

#define PIECES_MAX 64
#define ROW_END	   "|" /* a failure is told in one line */

/* Rows as words, "port 12 listen 3,4", sorted by cookie as the processes are that hold it. */
struct rows {
	char text[4096];
};

static int compare_numbers(const void *left, const void *right)
{
	long a = *(const long *)left, b = *(const long *)right;

	return (a > b) - (a < b);
}

static void add_numbers(char *text, size_t size, long *numbers, size_t n)
{
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), size - strlen(text), "%c%ld", i ? ',' : ' ', numbers[i]);
}

static void take_row(struct scene *scene, const json_t *row, void *context)
{
	const json_t *holders = event_at(row, "portsnoop.holders");
	struct rows *rows = context;
	size_t used = strlen(rows->text), n = json_array_size(holders);
	long pids[PIECES_MAX];

	if (n > PIECES_MAX)
		scene_fail(scene, "%zu holders", n);
	for (size_t i = 0; i < n; i++)
		pids[i] = (long)event_number(json_array_get(holders, i), "process.pid");
	snprintf(rows->text + used, sizeof(rows->text) - used, "%s %s %llu %s", event_string(row, "row"),
		 event_string(row, "network.transport"),
		 (unsigned long long)event_number(row, "portsnoop.cookie"),
		 event_string(row, "network.connection.state"));
	add_numbers(rows->text, sizeof(rows->text), pids, n);
	strcat(rows->text, ROW_END);
}

/* One line of that sort; pids end with 0. */
static void add_expected(struct rows *rows, const char *row, const char *transport, uint64_t cookie,
			 const char *state, const pid_t *pids)
{
	size_t used = strlen(rows->text), n = 0;
	long numbers[PIECES_MAX];

	for (; pids && pids[n]; n++)
		numbers[n] = pids[n];
	snprintf(rows->text + used, sizeof(rows->text) - used, "%s %s %llu %s", row, transport,
		 (unsigned long long)cookie, state);
	add_numbers(rows->text, sizeof(rows->text), numbers, n);
	strcat(rows->text, ROW_END);
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void sort_lines(struct rows *rows)
{
	char copy[sizeof(rows->text)], *line[PIECES_MAX], *rest = copy;
	size_t n = 0;

	strcpy(copy, rows->text);
	while (n < PIECES_MAX && (line[n] = strsep(&rest, ROW_END)) && *line[n])
		n++;
	qsort(line, n, sizeof(*line), compare_lines);
	rows->text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		strcat(rows->text, line[i]);
		strcat(rows->text, ROW_END);
	}
}

/* Asks for the rows on a port; they must be the expected ones and no others. */
static void expect_rows(struct scene *scene, const char *port, const struct rows *expected)
{
	struct rows rows = {{0}}, wanted = *expected;
	struct tool_result result;
	char netns[16];

	/* The port may be in use in other namespaces, too. */
	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, "who", "--json", port, "netns", netns, NULL);
	expect_status(scene, &result, *expected->text ? 0 : 1);
	tool_each_line(scene, result.out_path, take_row, &rows);
	sort_lines(&rows);
	sort_lines(&wanted);
	if (strcmp(rows.text, wanted.text))
		scene_fail(scene, "who %s: '%s' instead of '%s'", port, rows.text, wanted.text);
	tool_keep_for_schema(scene, &result);
	tool_result_free(&result);
}

static void expect_free(struct scene *scene, const char *port)
{
	const struct rows none = {{0}};

	expect_rows(scene, port, &none);
}

/* --- processes that hold ----------------------------------------------------------------------------------
 */

#define PORT_TEXT "7950"
#define PORT	  7950
/* Two threads look at once, and which of them is ahead is chance: most of all where the caller may not enter
 * the other namespaces. */
#define ASKED_AGAIN 20

static int quiet_socket(const struct scene *scene, const char *address, int type, int reuse)
{
	union address at = address_of(address, PORT);
	int yes = 1, fd = act_socket(scene, at.any.sa_family, type);

	scene_must(scene, setsockopt(fd, SOL_SOCKET, reuse, &yes, sizeof(yes)), "setsockopt");
	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	if (type == SOCK_STREAM)
		scene_must(scene, listen(fd, 8), "listen");
	return fd;
}

struct worker {
	int ready;
	uint64_t *cookie; /* not NULL: makes a socket of its own, of a SO_REUSEPORT group */
};

static void work(struct scene *scene, void *context)
{
	const struct worker *worker = context;

	if (worker->cookie)
		*worker->cookie =
			cookie_of(scene, quiet_socket(scene, "127.0.0.2", SOCK_STREAM, SO_REUSEPORT));
	gate_post(scene, worker->ready);
	for (;;)
		pause();
}

static pid_t start_worker(struct scene *scene, uint64_t *cookie)
{
	struct worker worker = {gate_new(scene), cookie};
	pid_t pid = actor_start(scene, work, &worker);

	gate_wait(scene, worker.ready);
	return pid;
}

/* A listener, its maker, and a child that was forked with it. */
static void check_children(struct scene *scene)
{
	struct rows expected = {{0}};
	struct tool_result result;
	char chain[64];
	int fd = quiet_socket(scene, "127.0.0.1", SOCK_STREAM, SO_REUSEADDR);
	pid_t pids[] = {getpid(), start_worker(scene, NULL), 0};

	add_expected(&expected, "port", "tcp", cookie_of(scene, fd), "listen", pids);
	for (int i = 0; i < ASKED_AGAIN; i++)
		expect_rows(scene, PORT_TEXT, &expected);
	tool_run(scene, &result, NULL, "who", PORT_TEXT, NULL);
	expect_status(scene, &result, 0);
	expect_text(scene, result.out,
		    "tcp 127.0.0.1:7950  listen, 0 of 8 waiting to be accepted, reuseaddr");
	snprintf(chain, sizeof(chain), "(%d) \xe2\x86\x90 live(%d) \xe2\x86\x90 live(%d)", pids[1], pids[0],
		 getppid());
	expect_text(scene, result.out, chain);
	tool_result_free(&result);
	actor_kill(scene, pids[1]);
	close(fd);
}

/* Three processes, each with a socket of its own. */
static void check_group(struct scene *scene)
{
	uint64_t *cookies = shared_new(scene, 3 * sizeof(*cookies));
	struct rows expected = {{0}};
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		pids[i] = start_worker(scene, &cookies[i]);
		add_expected(&expected, "port", "tcp", cookies[i], "listen", (pid_t[]){pids[i], 0});
	}
	expect_rows(scene, PORT_TEXT "/tcp", &expected);
	for (int i = 0; i < 3; i++)
		actor_kill(scene, pids[i]);
}

void who_holders(struct scene *scene)
{
	check_children(scene);
	check_group(scene);
	expect_free(scene, PORT_TEXT);
}

/* --- address forms ----------------------------------------------------------------------------------------
 */

void who_addresses(struct scene *scene)
{
	const pid_t self[] = {getpid(), 0};
	struct rows tcp = {{0}}, udp = {{0}}, both = {{0}}, all = {{0}};
	int dual, local, one = 1;
	union address at = address_of("::", PORT);

	scene_need_ipv6(scene);
	local = quiet_socket(scene, "127.0.0.2", SOCK_DGRAM, SO_REUSEADDR);
	dual = act_socket(scene, AF_INET6, SOCK_STREAM);
	scene_must(scene, setsockopt(dual, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "setsockopt");
	scene_must(scene, bind(dual, &at.any, address_length(&at)), "bind");
	add_expected(&tcp, "port", "tcp", cookie_of(scene, dual), "bound", self);
	add_expected(&udp, "port", "udp", cookie_of(scene, local), "unconnected", self);
	add_expected(&all, "port", "tcp", cookie_of(scene, dual), "bound", self);
	add_expected(&all, "port", "udp", cookie_of(scene, local), "unconnected", self);
	both = all;
	expect_rows(scene, PORT_TEXT, &all);
	expect_rows(scene, "*:" PORT_TEXT, &all);
	expect_rows(scene, ":" PORT_TEXT, &all);
	expect_rows(scene, "127.0.0.2:" PORT_TEXT, &both);
	expect_rows(scene, PORT_TEXT "/udp", &udp);
	expect_rows(scene, "127.0.0.2:" PORT_TEXT "/udp", &udp);
	expect_rows(scene, "127.0.0.1:" PORT_TEXT, &tcp);
	expect_rows(scene, "[::1]:" PORT_TEXT, &tcp);
	expect_rows(scene, "[::]:" PORT_TEXT "/tcp", &tcp);
	expect_free(scene, "127.0.0.1:" PORT_TEXT "/udp");
	expect_free(scene, "17951");
}

/* --- what is left of connections --------------------------------------------------------------------------
 */

struct remains {
	uint64_t time_wait; /* cookie of the server's end */
};

/* A server that closes first and ends; nobody holds what is left. */
static void serve_and_end(struct scene *scene, void *context)
{
	struct remains *remains = context;
	union address at = address_of("127.0.0.1", PORT);
	int listener = quiet_socket(scene, "127.0.0.1", SOCK_STREAM, SO_REUSEADDR);
	int client = act_socket(scene, AF_INET, SOCK_STREAM), server;

	scene_must(scene, connect(client, &at.any, address_length(&at)), "connect");
	server = (int)scene_must(scene, accept(listener, NULL, NULL), "accept");
	remains->time_wait = cookie_of(scene, server);
	close(server);
	receive_end(scene, client);
	close(client);
}

static void check_last_holder(struct scene *scene, const json_t *row, void *context)
{
	const pid_t *pid = context;

	if (event_at(row, "portsnoop.holders"))
		scene_fail(scene, "TIME_WAIT has holders");
	if ((pid_t)event_number(row, "portsnoop.last_holder.process.pid") != *pid)
		scene_fail(scene, "it was %d, not %d", *pid,
			   (int)event_number(row, "portsnoop.last_holder.process.pid"));
	if (strcmp(event_string(row, "portsnoop.last_holder.process.executable.name"), "live"))
		scene_fail(scene, "the last holder has no name");
}

/* Nobody was watching. */
static void check_unwatched(struct scene *scene, struct remains *remains)
{
	struct rows expected = {{0}};
	struct tool_result result;

	actor_join(scene, actor_start(scene, serve_and_end, remains));
	add_expected(&expected, "connection", "tcp", remains->time_wait, "time_wait", NULL);
	expect_rows(scene, PORT_TEXT, &expected);
	tool_run(scene, &result, NULL, "who", PORT_TEXT "/tcp", NULL);
	expect_text(scene, result.out, "60 s at most; nobody was watching when it closed");
	tool_result_free(&result);
}

/* Somebody is, and answers who asks. */
static pid_t check_watched(struct scene *scene, struct remains *remains, const char *recording)
{
	struct tool_result result;
	struct tool tool;
	char netns[16];
	pid_t pid;

	tool_start(&tool, scene, "--save", recording, NULL);
	pid = actor_start(scene, serve_and_end, remains);
	actor_join(scene, pid);
	tool_await_count(&tool, EVENT_CLOSE, 3);
	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, "who", "--json", "127.0.0.1:" PORT_TEXT, "netns", netns, "has",
		 "last_holder", NULL);
	expect_status(scene, &result, 0);
	tool_each_line(scene, result.out_path, check_last_holder, &pid);
	tool_keep_for_schema(scene, &result);
	tool_result_free(&result);
	tool_end(&tool);
	return pid;
}

/* The question made the tracer look, and what it found is in its recording. */
static void check_recording(struct scene *scene, const char *recording, pid_t pid)
{
	struct tool_result result;
	char was[64];

	tool_run(scene, &result, NULL, "who", "--from", recording, PORT_TEXT "/tcp", "has", "last_holder",
		 NULL);
	expect_status(scene, &result, 0);
	snprintf(was, sizeof(was), "60 s at most; was live(%d) until ", pid);
	expect_text(scene, result.out, was);
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "who", "--from", recording, "17951", NULL);
	expect_status(scene, &result, 1);
	tool_result_free(&result);
}

void who_remains(struct scene *scene)
{
	struct remains *remains = shared_new(scene, sizeof(*remains));
	char recording[512];

	snprintf(recording, sizeof(recording), "%s/%s.recording", scene->out_dir, scene->name);
	check_unwatched(scene, remains);
	check_recording(scene, recording, check_watched(scene, remains, recording));
	unlink(recording);
}

/* --- services, mistakes, nobody ---------------------------------------------------------------------------
 */

static void expect_refused(struct scene *scene, const char *port, const char *message)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "who", port, NULL);
	expect_status(scene, &result, 2);
	expect_text(scene, result.err, message);
	tool_result_free(&result);
}

void who_words(struct scene *scene)
{
	struct tool_result result;
	union address at = address_of("127.0.0.1", 80);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	scene_must(scene, bind(fd, &at.any, address_length(&at)), "bind");
	tool_run(scene, &result, NULL, "who", "http/tcp", NULL);
	expect_status(scene, &result, 0);
	expect_text(scene, result.out, "tcp 127.0.0.1:80  bound, http\n");
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "who", "http", "pid", "1", NULL);
	expect_status(scene, &result, 1);
	expect_text(scene, result.out, "nothing on port 80 matches the filter\n");
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "who", "17951/tcp", NULL);
	expect_status(scene, &result, 1);
	if (strcmp(result.out, "nobody has tcp port 17951\n"))
		scene_fail(scene, "a free port: %s", result.out);
	tool_result_free(&result);
	expect_refused(scene, "localhost:80", "host names are not looked up\n  localhost:80\n  ^");
	expect_refused(scene, "80/tpc", "'tpc' is not a known protocol");
	expect_refused(scene, "127.0.0.1:99999", "'99999' is above 65535");
	tool_run(scene, &result, NULL, "who", NULL);
	expect_status(scene, &result, 2);
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "who", "80", "prot", "tcp", NULL);
	expect_status(scene, &result, 2);
	expect_text(scene, result.err, "unknown key 'prot'");
	tool_result_free(&result);
	close(fd);
}

/* --- on a terminal ----------------------------------------------------------------------------------------
 */

/* A terminal of so many rows; what comes out of it stays in it. Returns its path. */
static const char *new_terminal(struct scene *scene, unsigned short rows)
{
	const struct winsize size = {.ws_row = rows, .ws_col = 200};
	int fd = (int)scene_must(scene, posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "terminal");

	scene_must(scene, grantpt(fd), "terminal");
	scene_must(scene, unlockpt(fd), "terminal");
	scene_must(scene, ioctl(fd, TIOCSWINSZ, &size), "terminal");
	return ptsname(fd);
}

/* Whether that many rows make the text go through the pager; the exit code is the same either way. */
static bool is_paged(struct scene *scene, unsigned short rows, const char *option)
{
	struct tool_run options = {.stdout_path = new_terminal(scene, rows)};
	struct tool_result result;
	char path[512], command[544];
	struct stat paged;

	snprintf(path, sizeof(path), "%s/%s.paged", scene->out_dir, scene->name);
	close((int)scene_must(scene, open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), "paged"));
	snprintf(command, sizeof(command), "cat >'%s'; false", path);
	setenv("PAGER", command, 1);
	tool_run(scene, &result, &options, "who", PORT_TEXT, option, NULL);
	expect_status(scene, &result, 0);
	tool_result_free(&result);
	scene_must(scene, stat(path, &paged), "paged");
	unlink(path);
	return paged.st_size;
}

void who_paged(struct scene *scene)
{
	int fd;

	fd = quiet_socket(scene, "127.0.0.1", SOCK_STREAM, SO_REUSEADDR);
	if (!is_paged(scene, 2, NULL))
		scene_fail(scene, "not paged on 2 rows");
	if (is_paged(scene, 40, NULL))
		scene_fail(scene, "paged on 40 rows");
	if (is_paged(scene, 2, "--no-pager"))
		scene_fail(scene, "paged with --no-pager");
	if (is_paged(scene, 2, "--json"))
		scene_fail(scene, "paged with --json");
	close(fd);
}
