/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How soon portsnoop answers, and how often it wakes up when there is nothing to answer to.
 *
 * usage: response TOOL STARTS IDLE_SECONDS EVENTS
 *
 * {"start_ns":[…],"idle":{"wakeups":…,"seconds":…,"lines":…},"latency_ns":[…]}
 * start: from fork to the `ready` line. idle: voluntary context switches of all threads; lines: what the
 * trace printed meanwhile, 0 on a host that is idle. latency: from bind(2) to the line, each time after
 * PAUSE_MS without an act of ours; every address is used once, so that the line is known.
 */
#include "bench.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#define LINE_ROOM  65536
#define PATIENCE_S 30 /* for a line that must come */
#define PAUSE_MS   110
#define SETTLE_MS  1500
#define EVENT_PORT 702

struct tool {
	pid_t pid;
	int out;
	size_t length, taken; /* bytes in text; of them, the line that was handed out last */
	char text[LINE_ROOM];
};

/* --- the tool ---------------------------------------------------------------------------------------------
 */

static void tool_start(struct tool *tool, const char *path)
{
	int ends[2];

	must(pipe2(ends, O_CLOEXEC), "pipe");
	tool->pid = must(fork(), "fork");
	if (!tool->pid) {
		dup2(ends[1], STDOUT_FILENO);
		execl(path, path, "trace", "--json", (char *)NULL);
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		_exit(127);
	}
	close(ends[1]);
	tool->out = ends[0];
	tool->length = tool->taken = 0;
}

static void tool_end(struct tool *tool)
{
	kill(tool->pid, SIGTERM);
	close(tool->out);
	waitpid(tool->pid, NULL, 0);
}

__attribute__((noreturn)) static void tool_is_silent(const struct tool *tool)
{
	char path[64], where[128] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/wchan", tool->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, where, sizeof(where) - 1);
	where[n > 0 ? n : 0] = '\0';
	die("a line that must come did not come for %d s; portsnoop is in %s", PATIENCE_S, where);
}

/* The next whole line; it is kept until the next call. */
static const char *tool_line(struct tool *tool)
{
	struct pollfd out = {.fd = tool->out, .events = POLLIN};
	char *end;
	ssize_t n;

	tool->length -= tool->taken;
	memmove(tool->text, tool->text + tool->taken, tool->length);
	tool->taken = 0;
	while (!(end = memchr(tool->text, '\n', tool->length))) {
		if (poll(&out, 1, PATIENCE_S * 1000) == 0)
			tool_is_silent(tool);
		n = read(tool->out, tool->text + tool->length, LINE_ROOM - tool->length);
		if (n <= 0)
			die("portsnoop ended, or a line of it has no end");
		tool->length += (size_t)n;
	}
	*end = '\0';
	tool->taken = (size_t)(end - tool->text) + 1;
	return tool->text;
}

static void tool_await(struct tool *tool, const char *words)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + PATIENCE_S * UINT64_C(1000000000);

	while (!strstr(tool_line(tool), words))
		if (clock_ns(CLOCK_MONOTONIC) > end)
			tool_is_silent(tool);
}

static bool tool_has_more(const struct tool *tool)
{
	struct pollfd out = {.fd = tool->out, .events = POLLIN};

	return memchr(tool->text + tool->taken, '\n', tool->length - tool->taken) || poll(&out, 1, 0) > 0;
}

static unsigned tool_take_lines(struct tool *tool)
{
	unsigned lines = 0;

	for (; tool_has_more(tool); lines++)
		tool_line(tool);
	return lines;
}

/* --- wake-ups ---------------------------------------------------------------------------------------------
 */

static unsigned long switches_of(const char *path)
{
	static const char key[] = "voluntary_ctxt_switches:";
	FILE *file = fopen(path, "re");
	unsigned long count = 0;
	char line[256];

	if (!file)
		return 0; /* the thread has ended */
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, sizeof(key) - 1))
			count = strtoul(line + sizeof(key) - 1, NULL, 10);
	fclose(file);
	return count;
}

static unsigned long switches(pid_t pid)
{
	char path[384], directory[64];
	unsigned long count = 0;
	struct dirent *entry;
	DIR *tasks;

	snprintf(directory, sizeof(directory), "/proc/%d/task", pid);
	tasks = opendir(directory);
	if (!tasks)
		die("%s: %s", directory, strerror(errno));
	while ((entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "%s/%s/status", directory, entry->d_name);
		count += entry->d_name[0] == '.' ? 0 : switches_of(path);
	}
	closedir(tasks);
	return count;
}

/* --- the three figures ------------------------------------------------------------------------------------
 */

static void measure_start(const char *path, unsigned starts)
{
	static struct tool tool;

	printf("{\"start_ns\":[");
	for (unsigned i = 0; i < starts; i++) {
		uint64_t began = clock_ns(CLOCK_MONOTONIC);

		tool_start(&tool, path);
		tool_await(&tool, "\"event_name\":\"ready\"");
		printf("%s%llu", i ? "," : "", (unsigned long long)(clock_ns(CLOCK_MONOTONIC) - began));
		tool_end(&tool);
	}
	printf("],");
}

/* The tool ticks once a second: half-way between two ticks, a window of whole seconds holds as many of them.
 */
static void await_middle_of_ticks(pid_t pid)
{
	unsigned long before = switches(pid);

	for (unsigned waited_ms = 0; switches(pid) == before && waited_ms < 2000; waited_ms += 5)
		pause_ms(5);
	pause_ms(500);
}

static void measure_idle(struct tool *tool, unsigned seconds)
{
	uint64_t end;
	unsigned long before;
	unsigned lines = 0;

	pause_ms(SETTLE_MS);
	await_middle_of_ticks(tool->pid);
	tool_take_lines(tool);
	before = switches(tool->pid);
	end = clock_ns(CLOCK_MONOTONIC) + seconds * UINT64_C(1000000000);
	while (clock_ns(CLOCK_MONOTONIC) < end) {
		pause_ms(50);
		lines += tool_take_lines(tool); /* a full pipe would put the tool to sleep */
	}
	printf("\"idle\":{\"wakeups\":%lu,\"seconds\":%u,\"lines\":%u},", switches(tool->pid) - before,
	       seconds, lines);
}

static uint64_t latency_of(struct tool *tool, unsigned number)
{
	struct sockaddr_in address = loopback(EVENT_PORT);
	int fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	uint64_t began;
	char words[64];

	address.sin_addr.s_addr = htonl(0x7f4d0001 + number);
	snprintf(words, sizeof(words), "\"%s\"", inet_ntoa(address.sin_addr));
	began = clock_ns(CLOCK_MONOTONIC);
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	tool_await(tool, words);
	began = clock_ns(CLOCK_MONOTONIC) - began;
	close(fd);
	return began;
}

static void measure_latency(struct tool *tool, unsigned events)
{
	printf("\"latency_ns\":[");
	for (unsigned i = 0; i < events; i++) {
		pause_ms(PAUSE_MS);
		printf("%s%llu", i ? "," : "", (unsigned long long)latency_of(tool, i));
	}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	static struct tool tool;

	if (argc != 5)
		die("usage: response TOOL STARTS IDLE_SECONDS EVENTS");
	private_network();
	measure_start(argv[1], count_of(argv[2]));
	tool_start(&tool, argv[1]);
	tool_await(&tool, "\"event_name\":\"ready\"");
	measure_idle(&tool, count_of(argv[3]));
	measure_latency(&tool, count_of(argv[4]));
	tool_end(&tool);
	return 0;
}
