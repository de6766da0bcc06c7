/* SPDX-License-Identifier: GPL-2.0-only */
/* A server on loopback and clients of it, in one thread: nothing happens that the test did not ask for. */
#ifndef PORTSNOOP_TESTS_HTTP_FIXTURE_H
#define PORTSNOOP_TESTS_HTTP_FIXTURE_H

#include "io/http_listen.h"
#include "io/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS  60000 /* of a busy machine */
#define ANSWER_BYTES (4u << 20)

struct http_fixture {
	struct http_server *server;
	struct sockaddr_in address;
	char *answer; /* the last one, terminated */
	size_t length;
};

static inline void http_begin(struct http_fixture *f, struct web_config *config)
{
	socklen_t size = sizeof(f->address);
	char message[128];
	int fd = http_listen("127.0.0.1:0", message, sizeof(message));

	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->address, &size), 0);
	assert_int_equal(http_server_open(&fd, 1, config, NULL, &f->server), 0);
	f->answer = malloc(ANSWER_BYTES + 1);
	assert_non_null(f->answer);
}

static inline void http_end(struct http_fixture *f)
{
	http_server_close(f->server);
	free(f->answer);
}

static inline int http_dial(struct http_fixture *f)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), 0);
	return fd;
}

static inline void http_send(int fd, const char *text)
{
	size_t length = strlen(text);

	assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
}

static inline void wait_for(int fd)
{
	struct pollfd wait = {fd, POLLIN, 0};

	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
}

static inline size_t body_length(const char *head)
{
	const char *line = strstr(head, "Content-Length: ");

	return line ? strtoul(line + 16, NULL, 10) : 0;
}

/* One whole answer, or what came before the end of the connection. Returns the status; 0: it just ended. */
static inline int http_take(struct http_fixture *f, int fd)
{
	f->length = 0;
	for (;;) {
		const char *end;
		ssize_t n;

		wait_for(fd);
		n = recv(fd, f->answer + f->length, ANSWER_BYTES - f->length, 0);
		if (n > 0)
			f->length += (size_t)n;
		f->answer[f->length] = '\0';
		end = strstr(f->answer, "\r\n\r\n");
		if (n <= 0 || (end && f->length >= (size_t)(end + 4 - f->answer) + body_length(f->answer)))
			break;
	}
	return f->length > 12 ? atoi(f->answer + 9) : 0;
}

static inline const char *http_body(const struct http_fixture *f)
{
	const char *end = strstr(f->answer, "\r\n\r\n");

	return end ? end + 4 : "";
}

static inline bool http_has(const struct http_fixture *f, const char *header)
{
	const char *found = strstr(f->answer, header);

	return found && found < http_body(f);
}

/* A request without headers but these, each with its end of line, on a connection of its own. */
static inline int http_get(struct http_fixture *f, const char *method, const char *path, const char *headers)
{
	char text[1024];
	int fd = http_dial(f), status;

	snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, path, headers);
	http_send(fd, text);
	status = http_take(f, fd);
	close(fd);
	return status;
}

/* What the loop does. Returns which formats were wanted. */
static inline unsigned http_render(struct http_fixture *f, const char *text, size_t length)
{
	unsigned wanted;

	wait_for(http_server_fd(f->server));
	wanted = http_server_wanted(f->server);
	for (unsigned i = 0; i < HTTP_FORMATS; i++) {
		char *copy = wanted & 1u << i ? malloc(length + 1) : NULL;

		if (!copy)
			continue;
		memcpy(copy, text, length);
		http_server_publish(f->server, (enum http_format)i, copy, length);
	}
	return wanted;
}

#endif
