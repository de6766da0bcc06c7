/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A loop of connections, timed; or, for counting rows, one between two processes.
 *
 * usage: connections COUNT          {"wall_ns":…,"cpu_ns":…} of the whole loop
 *        connections COUNT pair     {"client":PID,"server":PID,"port":…}; odd connections are closed by the
 *                                   server first, even ones by the client
 */
#include "connect_loop.h"

#include <sys/wait.h>

#define WARM_UP 200

static void timed(int listener, unsigned count)
{
	uint64_t wall, cpu;

	loop_run(listener, WARM_UP);
	wall = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	loop_run(listener, count);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = clock_ns(CLOCK_MONOTONIC) - wall;
	printf("{\"wall_ns\":%llu,\"cpu_ns\":%llu}\n", (unsigned long long)wall, (unsigned long long)cpu);
}

static void await_end(int fd)
{
	char byte;

	if (must((int)read(fd, &byte, 1), "read") > 0)
		die("nobody was to send anything");
}

static void serve(int listener, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int fd = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");

		if (i % 2 == 0)
			await_end(fd);
		close(fd);
	}
}

static void call(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int fd = loop_connect();

		if (i % 2)
			await_end(fd);
		close(fd);
	}
}

static void pair(int listener, unsigned count)
{
	pid_t server = must(fork(), "fork");
	int status;

	if (!server) {
		serve(listener, count);
		_exit(0);
	}
	close(listener);
	call(count);
	if (waitpid(server, &status, 0) < 0 || status)
		die("the server failed");
	printf("{\"client\":%d,\"server\":%d,\"port\":%d}\n", getpid(), server, LOOP_PORT);
}

int main(int argc, char **argv)
{
	int listener;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "pair")))
		die("usage: connections COUNT [pair]");
	private_network();
	listener = loop_listen();
	if (argc == 3)
		pair(listener, count_of(argv[1]));
	else
		timed(listener, count_of(argv[1]));
	return 0;
}
