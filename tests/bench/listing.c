/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long it takes to list what is there: commands take turns among many connections and processes, all of
 * them on loopback in a namespace of their own, or, without any, on the machine as it is.
 *
 * usage: listing ROUNDS CONNECTIONS PROCESSES COMMAND...   each command one argument, split at blanks
 *        {"command":…,"wall_ns":[…],"cpu_ns":[…],"bytes":…} for each
 */
#include "bench.h"

#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define COMMANDS_MAX   8
#define WORDS_MAX      16
#define PROCESSES_MAX  4096
#define CONNECTION_MAX 100000

extern char **environ;

struct load {
	pid_t *pids;
	unsigned processes, connections;
};

static struct load load;

/* --- the load ---------------------------------------------------------------------------------------------
 */

/* On any port: 0. */
static int listen_on(uint16_t port, struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = loopback(port);
	socklen_t length = sizeof(address);
	int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(listen(fd, 16), "listen");
	must(getsockname(fd, (struct sockaddr *)&address, &length), "getsockname");
	*ret_address = address;
	return fd;
}

#define KNOWN_PORT 8080 /* of the first process */
#define LISTENS_OF 8	/* without connections: one of so many processes has a port, the others have none */

/* Both ends of its connections are the child's; it ends with its parent. */
__attribute__((noreturn)) static void hold(unsigned count, bool listens, uint16_t port, pid_t parent,
					   int ready_fd)
{
	struct sockaddr_in address;
	int listener = -1;

	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	if (getppid() != parent)
		_exit(1);
	if (listens)
		listener = listen_on(port, &address);
	for (unsigned i = 0; i < count; i++) {
		int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

		must(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
		must(accept(listener, NULL, NULL), "accept");
	}
	must((int)write(ready_fd, "", 1), "write");
	for (;;)
		pause();
}

static void end_load(void)
{
	for (unsigned i = 0; i < load.processes; i++)
		kill(load.pids[i], SIGKILL);
	for (unsigned i = 0; i < load.processes; i++)
		while (waitpid(load.pids[i], NULL, 0) < 0 && errno == EINTR)
			;
}

static void begin_load(unsigned connections, unsigned processes)
{
	struct rlimit files = {65536, 65536};
	pid_t parent = getpid();
	int ready[2];
	char byte;

	private_network();
	setrlimit(RLIMIT_NOFILE, &files);
	must(pipe2(ready, O_CLOEXEC), "pipe");
	load.pids = calloc(processes, sizeof(*load.pids));
	if (!load.pids)
		die("no memory");
	atexit(end_load);
	for (unsigned i = 0; i < processes; i++) {
		pid_t pid = must(fork(), "fork");

		if (pid == 0) {
			load.processes = 0; /* of the parent */
			close(ready[0]);
			hold(connections / processes + (i < connections % processes),
			     connections || i % LISTENS_OF == 0, i ? 0 : KNOWN_PORT, parent, ready[1]);
		}
		load.pids[load.processes++] = pid;
	}
	close(ready[1]);
	for (unsigned i = 0; i < processes; i++)
		if (must((int)read(ready[0], &byte, 1), "read") != 1)
			die("a process of the load ended");
	close(ready[0]);
}

/* --- the commands -----------------------------------------------------------------------------------------
 */

struct command {
	const char *text;
	char *words[WORDS_MAX + 1];
	uint64_t *wall_ns, *cpu_ns;
	uint64_t bytes; /* of its output */
};

static void command_parse(struct command *command, const char *text, unsigned rounds)
{
	char *copy = strdup(text), *rest = NULL;
	unsigned n = 0;

	command->text = text;
	command->wall_ns = calloc(rounds, sizeof(uint64_t));
	command->cpu_ns = calloc(rounds, sizeof(uint64_t));
	if (!copy || !command->wall_ns || !command->cpu_ns)
		die("no memory");
	for (char *word = strtok_r(copy, " ", &rest); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " ", &rest))
		command->words[n++] = word;
	if (!n)
		die("an empty command");
}

static uint64_t drain(int fd)
{
	static char room[1 << 20];
	uint64_t bytes = 0;
	ssize_t n;

	while ((n = read(fd, room, sizeof(room))) > 0)
		bytes += (uint64_t)n;
	return bytes;
}

static uint64_t cpu_of(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000u +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000u;
}

/* Until it has ended: what it prints is read, as a terminal or a pipe would. */
static void run(struct command *command, unsigned round)
{
	uint64_t begun = clock_ns(CLOCK_MONOTONIC);
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int out[2], status, error;
	pid_t pid;

	must(pipe2(out, O_CLOEXEC), "pipe");
	fcntl(out[1], F_SETPIPE_SZ, 1 << 20);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	/* fuser complains of each descriptor that it may not look at. */
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawnp(&pid, command->words[0], &actions, NULL, command->words, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		die("%s: %s", command->words[0], strerror(error));
	close(out[1]);
	command->bytes = drain(out[0]);
	close(out[0]);
	must(wait4(pid, &status, 0, &usage), "wait");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("'%s' ended with status %#x", command->text, (unsigned)status);
	command->wall_ns[round] = clock_ns(CLOCK_MONOTONIC) - begun;
	command->cpu_ns[round] = cpu_of(&usage);
}

static void print_times(const char *name, const uint64_t *ns, unsigned rounds)
{
	printf(",\"%s\":[", name);
	for (unsigned i = 0; i < rounds; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)ns[i]);
	printf("]");
}

static void print_command(const struct command *command, unsigned rounds)
{
	printf("{\"command\":\"%s\"", command->text);
	print_times("wall_ns", command->wall_ns, rounds);
	print_times("cpu_ns", command->cpu_ns, rounds);
	printf(",\"bytes\":%llu}\n", (unsigned long long)command->bytes);
}

int main(int argc, char **argv)
{
	struct command commands[COMMANDS_MAX] = {0};
	unsigned n = argc > 4 ? (unsigned)argc - 4 : 0, rounds, connections, processes;

	if (!n || n > COMMANDS_MAX)
		die("usage: listing ROUNDS CONNECTIONS PROCESSES COMMAND...");
	rounds = count_of(argv[1]);
	connections = (unsigned)strtoul(argv[2], NULL, 10);
	processes = (unsigned)strtoul(argv[3], NULL, 10);
	if (connections > CONNECTION_MAX || processes > PROCESSES_MAX)
		die("more than %d connections or %d processes", CONNECTION_MAX, PROCESSES_MAX);
	for (unsigned i = 0; i < n; i++)
		command_parse(&commands[i], argv[4 + i], rounds);
	if (processes)
		begin_load(connections, processes);
	for (unsigned i = 0; i < n; i++)
		run(&commands[i], 0); /* files and libraries into memory */
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < n; i++)
			run(&commands[i], round);
	for (unsigned i = 0; i < n; i++)
		print_command(&commands[i], rounds);
	return 0;
}
