/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many connections that stand, and as many new ones a second as are wanted, in a network of their own.
 *
 * usage: top_load CONNECTIONS PER_SECOND [wait]     CONNECTIONS: ends, both of each are here; at most 80000
 *
 * Of the new ones nothing is left, or with `wait` a TIME_WAIT each, for as long as the kernel keeps it.
 *
 * {"ready":PID} when they stand; on SIGTERM {"connects":…,"wall_ns":…} of what came after that.
 */
#include "connect_loop.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define STEP_MS		10
#define CONNECTIONS_MAX 80000

static volatile sig_atomic_t over;

static void end(int number)
{
	over = 1;
}

/* Ends with its parent; says when its connections stand. */
__attribute__((noreturn)) static void hold_some(int listener, unsigned pairs, pid_t parent, int ready_fd)
{
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	if (getppid() != parent)
		_exit(1);
	for (unsigned i = 0; i < pairs; i++) {
		loop_connect();
		must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
	}
	must((int)write(ready_fd, "", 1), "write");
	for (;;)
		pause();
}

/* By as many processes as the limit of descriptors asks for. */
static void hold(int listener, unsigned pairs)
{
	struct rlimit limit;
	unsigned each;
	int fds[2];
	char byte;

	must(getrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
	each = limit.rlim_max > 40064 ? 20000 : (unsigned)(limit.rlim_max - 64) / 2;
	must(pipe(fds), "pipe");
	while (pairs) {
		unsigned some = pairs < each ? pairs : each;
		pid_t parent = getpid(), pid = must(fork(), "fork");

		if (!pid)
			hold_some(listener, some, parent, fds[1]);
		if (must((int)read(fds[0], &byte, 1), "read") != 1)
			die("a holder failed");
		pairs -= some;
	}
}

/* As many as are due by now. Unless it is to wait, the client resets, and nothing is left in TIME_WAIT. */
static unsigned catch_up(int listener, unsigned done, unsigned per_second, uint64_t begun, bool waits)
{
	const struct linger reset = {.l_onoff = 1};
	uint64_t due = (clock_ns(CLOCK_MONOTONIC) - begun) * per_second / 1000000000;

	for (; done < due && !over; done++) {
		int client = loop_connect(), server;

		server = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
		if (!waits)
			must(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), "SO_LINGER");
		close(client);
		close(server);
	}
	return done;
}

int main(int argc, char **argv)
{
	unsigned ends, per_second, done = 0;
	uint64_t begun;
	int listener;

	if (argc != 3 && (argc != 4 || strcmp(argv[3], "wait")))
		die("usage: top_load CONNECTIONS PER_SECOND [wait]");
	ends = count_of(argv[1]);
	per_second = count_of(argv[2]);
	if (ends > CONNECTIONS_MAX)
		die("%u connections do not fit: %u at most", ends, CONNECTIONS_MAX);
	signal(SIGTERM, end);
	private_network();
	listener = loop_listen();
	hold(listener, ends / 2);
	printf("{\"ready\":%d}\n", getpid());
	fflush(stdout);
	begun = clock_ns(CLOCK_MONOTONIC);
	while (!over) {
		done = catch_up(listener, done, per_second, begun, argc == 4);
		pause_ms(STEP_MS);
	}
	printf("{\"connects\":%u,\"wall_ns\":%llu}\n", done,
	       (unsigned long long)(clock_ns(CLOCK_MONOTONIC) - begun));
	return 0;
}
