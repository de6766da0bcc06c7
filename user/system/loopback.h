/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets of this process on the loopback device, on ports that the kernel chooses. None of them blocks, and
 * nothing here waits longer than a second.
 */
#ifndef PORTSNOOP_SYSTEM_LOOPBACK_H
#define PORTSNOOP_SYSTEM_LOOPBACK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

union loopback_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Whether the device of this network namespace is up. 0, -ENETDOWN or another negative errno. */
int loopback_check(void);

/* Ports are in host order; 0: none. */
union loopback_address loopback_address(int family, uint16_t port);
socklen_t loopback_address_length(const union loopback_address *address);
uint16_t loopback_port(int fd);
uint16_t loopback_peer_port(int fd);
uint64_t loopback_cookie(int fd); /* SO_COOKIE; 0: none */

/* A descriptor, or -1 with errno. bound: to a port that the kernel chooses. */
int loopback_socket(int family, int type);
int loopback_bound(int family, int type);
/* The outcome: 0 or a positive errno. */
int loopback_connect(int fd, const union loopback_address *address);
/* Waits for poll(2)'s events. */
bool loopback_is_ready(int fd, short events);
/* A listener and a connection that waits in its queue. 0 or a positive errno. */
int loopback_waiting_connection(int family, int *ret_listener, int *ret_client);
/* Closes by a reset: both ends are gone at once, without TIME_WAIT. */
void loopback_close(int fd);

#endif
