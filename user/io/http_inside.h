/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the HTTP server know of each other, and nobody else. */
#ifndef PORTSNOOP_IO_HTTP_INSIDE_H
#define PORTSNOOP_IO_HTTP_INSIDE_H

#include "io/http_clients.h"
#include "io/http_page.h"
#include "io/http_server.h"
#include "io/web_users.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct http_listener {
	struct http_server *server;
	int fd;
	struct MHD_Daemon *daemon;
	struct http_clients clients;
};

struct http_server {
	/* Of both threads. */
	pthread_t thread;
	void (*confine)(void); /* NULL: nothing */
	int asked_fd, told_fd; /* eventfds: to the loop, from the loop */
	atomic_bool stop, ready;
	atomic_uint_fast64_t beat_ns;
	pthread_mutex_t lock; /* the next four */
	unsigned wanted;
	uint64_t begun_ns[HTTP_FORMATS];
	struct http_page *published[HTTP_FORMATS];
	struct web_config *next_config;

	/* Of the server's thread alone. */
	int epoll_fd;
	struct web_config *config; /* NULL: none */
	struct web_users *users;   /* NULL: everybody */
	struct http_page *pages[HTTP_FORMATS];
	unsigned asked; /* formats that the loop was asked for and has not published */
	uint64_t asked_ns[HTTP_FORMATS], not_before_ns[HTTP_FORMATS];
	uint64_t reload_by_ns; /* when next_config is taken even if clients are being answered; 0: none */
	struct http_listener listeners[HTTP_ADDRESSES_MAX];
	size_t n_listeners;
};

uint64_t http_now_ns(void);

/* http_daemon.c: whether what is for TLS can be used: 0, -EINVAL or -ENOMEM. NULL is fine. */
int http_daemon_check(const struct web_config *config);
/* One address. The certificates are those of the server's config. 0 or a negative errno. */
int http_daemon_start(struct http_listener *listener);
/* Ends all its connections; it goes on listening if it is started again. */
void http_daemon_stop(struct http_listener *listener);

/* http_answer.c: MHD_AccessHandlerCallback, whose context is the listener. */
enum MHD_Result http_answer(void *context, struct MHD_Connection *connection, const char *url,
			    const char *method, const char *version, const char *upload,
			    size_t *upload_length, void **request);

#endif
