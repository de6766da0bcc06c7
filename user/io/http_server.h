/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics over HTTP, on a thread of its own that sees neither the tables nor the kernel: who asks for
 * /metrics waits until the loop has rendered a page after that, and the loop learns of it by a descriptor. So
 * nobody asking costs nothing, and an answer is never older than its question. Pages take at most a quarter
 * of the loop's time, and one is for all who wait for it.
 */
#ifndef PORTSNOOP_IO_HTTP_SERVER_H
#define PORTSNOOP_IO_HTTP_SERVER_H

#include "io/http_accept.h"
#include "io/web_config.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ADDRESSES_MAX 8

struct http_server;

/*
 * Listens on n sockets of http_listen(), and takes them and the config (NULL: for everybody, without TLS),
 * also on failure. confine (may be NULL) is what the thread calls first, to give up its privileges. 0 or a
 * negative errno: -EINVAL when the certificate and the key do not fit each other.
 */
int http_server_open(const int *listen_fds, size_t n, struct web_config *config, void (*confine)(void),
		     struct http_server **ret_server);
/* Ends the thread and all connections. NULL is fine. */
void http_server_close(struct http_server *server);

/* For the loop's thread. Readable when somebody waits for a page. */
int http_server_fd(const struct http_server *server);
/* Which formats are waited for, a bit each (1u << HTTP_TEXT); what happens from now on need not be in them.
 */
unsigned http_server_wanted(struct http_server *server);
/* One page that was wanted. Takes text, which free() can free; NULL: it cannot be rendered this time. */
void http_server_publish(struct http_server *server, enum http_format format, char *text, size_t length);
/* The tables are complete from now on: /readyz. */
void http_server_ready(struct http_server *server);
/* The loop is alive: to be told at least every ten seconds, else /healthz says so. */
void http_server_beat(struct http_server *server);
/* Takes another config, for new connections; those that are under way are answered first. Taken also on
 * failure: 0, or -EINVAL when it cannot be served, and then the old one stays. */
int http_server_configure(struct http_server *server, struct web_config *config);

#endif
