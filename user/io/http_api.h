/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP as a module that is loaded when somebody is to be served. Its libraries, a dozen with what they need
 * in turn, would cost each short command two milliseconds.
 */
#ifndef PORTSNOOP_IO_HTTP_API_H
#define PORTSNOOP_IO_HTTP_API_H

#include "io/http_server.h"
#include "io/web_config.h"

#include <stddef.h>

#define HTTP_API_SYMBOL "portsnoop_http"

/* The functions of http_server.h and web_config.h. */
struct http_api {
	const char *version; /* of the portsnoop that it belongs to */
	int (*config_load)(const char *path, struct web_config **ret_config, char *message, size_t size);
	void (*config_free)(struct web_config *config);
	int (*open)(const int *listen_fds, size_t n, struct web_config *config, void (*confine)(void),
		    struct http_server **ret_server);
	void (*close)(struct http_server *server);
	int (*fd)(const struct http_server *server);
	unsigned (*wanted)(struct http_server *server);
	void (*publish)(struct http_server *server, enum http_format format, char *text, size_t length);
	void (*ready)(struct http_server *server);
	void (*beat)(struct http_server *server);
	int (*configure)(struct http_server *server, struct web_config *config);
};

/* What the module exports. */
extern const struct http_api portsnoop_http;

/*
 * Looks beside the program, then in ../lib/portsnoop from there. It stays loaded. 0, or a negative errno and
 * a message.
 */
int http_load(const struct http_api **ret_api, char *message, size_t size);

#endif
