/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for HTTP where its libraries cannot be linked: every address is refused, in words. */
#include "io/http_listen.h"
#include "io/http_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ABSENT "this portsnoop was built without HTTP: use --textfile or --once"

int http_listen(const char *address, char *message, size_t size)
{
	snprintf(message, size, "cannot listen on %s: " ABSENT, address);
	return -EOPNOTSUPP;
}

int http_listen_inherited(int *ret_fds, size_t max, char *message, size_t size)
{
	return 0;
}

int web_config_load(const char *path, struct web_config **ret_config, char *message, size_t size)
{
	snprintf(message, size, "%s: " ABSENT, path);
	return -EOPNOTSUPP;
}

void web_config_free(struct web_config *config)
{
}

int http_server_open(const int *listen_fds, size_t n, struct web_config *config, void (*confine)(void),
		     struct http_server **ret_server)
{
	return -EOPNOTSUPP;
}

void http_server_close(struct http_server *server)
{
}

int http_server_fd(const struct http_server *server)
{
	return -1;
}

unsigned http_server_wanted(struct http_server *server)
{
	return 0;
}

void http_server_publish(struct http_server *server, enum http_format format, char *text, size_t length)
{
	free(text);
}

void http_server_ready(struct http_server *server)
{
}

void http_server_beat(struct http_server *server)
{
}

int http_server_configure(struct http_server *server, struct web_config *config)
{
	return -EOPNOTSUPP;
}
