/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Socket calls that put down what they did, so that the truth is written by the process that acted, from what
 * the kernel told it: getsockname, getpeername, SO_COOKIE, the return value. Never from the tool.
 */
#ifndef LIVE_ACT_H
#define LIVE_ACT_H

#include "scene.h"

#include <netinet/in.h>
#include <sys/socket.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

#define ADDRESS_TEXT 64

/* "" gives the wildcard of IPv4. */
union address address_of(const char *text, uint16_t port);
socklen_t address_length(const union address *address);
uint16_t address_port(const union address *address);
/* address:port as event.h says it: mapped addresses as IPv4, no port as `-`. Returns buf. */
const char *address_text(const union address *address, char buf[ADDRESS_TEXT]);
/* "ipv4" or "ipv6"; mapped addresses are IPv4. */
const char *address_type(const union address *address);

/* What a socket is called, while it can be asked. */
struct held {
	uint64_t cookie;
	uint16_t port;
	char proto[16];
	char local[ADDRESS_TEXT], peer[ADDRESS_TEXT];
	union address local_address;
};

uint64_t cookie_of(const struct scene *scene, int fd);
struct held held_of(const struct scene *scene, int fd);
const char *errno_text(int error);
pid_t thread_id(void);

/* A socket, close-on-exec. */
int act_socket(const struct scene *scene, int family, int type);
void act_option(const struct scene *scene, int fd, int level, int option, int value);

/* Each does the call, puts the event down and returns 0 or a positive errno. */
int act_bind(const struct scene *scene, int fd, const union address *address);
int act_listen(const struct scene *scene, int fd, int backlog);
/* TCP: connect. UDP: autobind if it was unbound. With a failure the local end is left open (`*`). */
int act_connect(const struct scene *scene, int fd, const union address *peer);
/* As act_connect() but never waits for the outcome and puts down nothing. */
int act_connect_start(const struct scene *scene, int fd, const union address *peer);
/* UDP: autobind if it was unbound. */
int act_sendto(const struct scene *scene, int fd, const union address *peer, const void *data, size_t size);

enum accept_variant { ACCEPT_NULL, ACCEPT_ADDRESS, ACCEPT4_NULL, ACCEPT4_ADDRESS, ACCEPT_VARIANTS };
/* Returns the descriptor; fails the scenario when there is none. */
int act_accept(const struct scene *scene, int fd, enum accept_variant variant);
/* The call alone; -1 and errno when it fails. */
int accept_by(int fd, enum accept_variant variant);

/* close(2) of the last descriptor: the event's fields beyond the common ones are `rest`. */
void act_close(const struct scene *scene, int fd, const struct held *held, const char *rest, ...)
	__attribute__((format(printf, 4, 5)));
/* The same event put down without the call, by the process `pid`, 0 for none. */
void truth_close(const struct scene *scene, pid_t pid, const struct held *held, const char *rest);

/* Both ends of a connection in this process without any data, the client's first. */
void act_close_pair(const struct scene *scene, int client, int server);

/* The same with all that leads to it: a listener on this port of 127.0.0.1, a connect, an accept; all closed.
 */
void act_connection(const struct scene *scene, uint16_t port);

/* A listening TCP socket. */
int act_listener(const struct scene *scene, const union address *address, int backlog);

/* All of it, or the scenario fails. */
void send_all(const struct scene *scene, int fd, size_t size);
void receive_all(const struct scene *scene, int fd, size_t size);
/* Fails unless the other side has ended the connection in order. */
void receive_end(const struct scene *scene, int fd);
/* A descriptor in a message (SCM_RIGHTS), with one byte. */
void act_send_descriptor(const struct scene *scene, int through, int fd);
void reset_on_close(const struct scene *scene, int fd);

#endif
