/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is connected, and how long each may still take: a client that asks nothing, or takes nothing, loses its
 * place after some seconds, and at once when others need it. Bounded. It ends connections by shutdown(2):
 * the descriptors are the HTTP library's, which sees their end and closes them.
 */
#ifndef PORTSNOOP_IO_HTTP_CLIENTS_H
#define PORTSNOOP_IO_HTTP_CLIENTS_H

#include "io/http_accept.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_CLIENTS_MAX   128 /* of one address; more take the places of those that do nothing */
#define HTTP_CLIENTS_SPARE 16  /* for those that have lost their places and are not closed yet */
#define HTTP_CLIENTS_SLOTS (HTTP_CLIENTS_MAX + HTTP_CLIENTS_SPARE)
#define HTTP_IDLE_NS	   30000000000 /* until a request is there whole */
#define HTTP_TAKE_NS	   30000000000 /* until its answer has been taken */
#define HTTP_SLOW_NS	   1000000000  /* the same when others have no place */
#define HTTP_RENDER_NS	   10000000000 /* until a page is there for it */

enum http_phase {
	HTTP_NOBODY,
	HTTP_ASKING,  /* connected, or the last answer was taken: the next request is not there yet */
	HTTP_WAITING, /* for a page */
	HTTP_TAKING,  /* an answer */
	HTTP_ENDED,   /* shut down: the library will notice */
};

struct http_client {
	enum http_phase phase;
	int fd;
	uint64_t since_ns; /* in this phase; CLOCK_MONOTONIC */
	enum http_format format;
	void *connection; /* the library's, while it waits */
	bool crowded;	  /* there were too many when it came, and none to send away */
};

struct http_clients {
	struct http_client slots[HTTP_CLIENTS_SLOTS];
	unsigned count;
};

/* Takes note of a connection; who has been idle longest makes room, or who takes an answer slowly. NULL when
 * no slot is left at all. */
struct http_client *http_clients_come(struct http_clients *clients, int fd, uint64_t now_ns);
void http_clients_gone(struct http_clients *clients, struct http_client *client);
void http_client_enter(struct http_client *client, enum http_phase phase, uint64_t now_ns);
/* Shuts those down that are overdue. Returns when the next one will be (UINT64_MAX: none). */
uint64_t http_clients_sweep(struct http_clients *clients, uint64_t now_ns);
bool http_client_is_overdue(const struct http_client *client, uint64_t now_ns);

#endif
