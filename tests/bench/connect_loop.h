/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The load: connect, accept, close, close on the loopback device, one connection after the other in one
 * thread, so that no scheduler stands between the steps and softirqs run where they are caused. The client
 * closes first. Ten state changes a connection.
 */
#ifndef TESTS_BENCH_CONNECT_LOOP_H
#define TESTS_BENCH_CONNECT_LOOP_H

#include "bench.h"

#define LOOP_PORT	      700
#define STATES_PER_CONNECTION 10

static inline int loop_listen(void)
{
	struct sockaddr_in address = loopback(LOOP_PORT);
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(listen(fd, 128), "listen");
	return fd;
}

static inline int loop_connect(void)
{
	struct sockaddr_in address = loopback(LOOP_PORT);
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	must(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	return fd;
}

static inline void loop_run(int listener, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int client = loop_connect();
		int server = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");

		close(client);
		close(server);
	}
}

#endif
