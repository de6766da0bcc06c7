/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG		256
#define INHERITED_FIRST 3 /* SD_LISTEN_FDS_START */
#define UNIX_PREFIX	"unix:"
#define UNIX_MODE	0660

static int fail(const char *address, int error, const char *why, char *message, size_t size)
{
	snprintf(message, size, "cannot listen on %s: %s", address, why);
	return error;
}

/* --- words ------------------------------------------------------------------------------------------------
 */

struct words {
	char host[64], port[8];
};

/* An IPv6 address has its colons in brackets, or comes without a port. */
static bool split(const char *address, struct words *ret_words)
{
	const char *end, *colon = strrchr(address, ':'), *host = address;
	size_t length;

	if (*address == '[') {
		end = strchr(++host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		colon = end[1] ? end + 1 : NULL;
		length = (size_t)(end - host);
	} else if (colon && strchr(address, ':') != colon) {
		colon = NULL;
		length = strlen(host);
	} else {
		length = colon ? (size_t)(colon - host) : strlen(host);
	}
	if (length >= sizeof(ret_words->host) || (colon && !colon[1]))
		return false;
	memcpy(ret_words->host, host, length);
	ret_words->host[length] = '\0';
	if (colon && strlen(colon + 1) >= sizeof(ret_words->port))
		return false;
	if (colon)
		strcpy(ret_words->port, colon + 1);
	else
		snprintf(ret_words->port, sizeof(ret_words->port), "%d", HTTP_PORT_DEFAULT);
	return true;
}

static bool is_port(const char *word)
{
	return *word && strspn(word, "0123456789") == strlen(word) && atol(word) <= 65535;
}

static struct addrinfo *look_up(const char *address)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct words words;

	if (!split(address, &words) || !is_port(words.port) ||
	    is_port(address)) /* 8080 would be 0.0.31.144 */
		return NULL;
	/* Every address: a socket of IPv6 takes both. */
	if (!words.host[0])
		strcpy(words.host, access("/proc/net/if_inet6", F_OK) ? "0.0.0.0" : "::");
	return getaddrinfo(words.host, words.port, &hints, &found) ? NULL : found;
}

/* --- sockets ----------------------------------------------------------------------------------------------
 */

static int open_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind(fd, address, length) || listen(fd, BACKLOG) ? -errno : 0;
}

static int listen_internet(const char *address, char *message, size_t size)
{
	struct addrinfo *found = look_up(address);
	int fd, error, one = 1;

	if (!found)
		return fail(address, -EINVAL, "expected ADDR:PORT or :PORT, with ADDR a number, or unix:PATH",
			    message, size);
	fd = open_socket(found->ai_family);
	error = fd < 0 ? -errno : 0;
	if (!error) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		error = bind_and_listen(fd, found->ai_addr, found->ai_addrlen);
	}
	freeaddrinfo(found);
	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	return fail(address, error, strerror(-error), message, size);
}

/* Whether it is a socket that nobody listens on: left over by somebody who was killed. */
static bool is_left_over(const struct sockaddr_un *name)
{
	struct stat status;
	int fd, error;

	if (lstat(name->sun_path, &status) || !S_ISSOCK(status.st_mode))
		return false;
	fd = open_socket(AF_UNIX);
	if (fd < 0)
		return false;
	error = connect(fd, (const struct sockaddr *)name, sizeof(*name)) ? errno : 0;
	close(fd);
	return error == ECONNREFUSED;
}

static int listen_unix(const char *address, char *message, size_t size)
{
	const char *path = address + strlen(UNIX_PREFIX);
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, error;

	if (!*path || strlen(path) >= sizeof(name.sun_path))
		return fail(address, -EINVAL, "no path, or one that is too long", message, size);
	strcpy(name.sun_path, path);
	fd = open_socket(AF_UNIX);
	if (fd < 0)
		return fail(address, -errno, strerror(errno), message, size);
	if (is_left_over(&name))
		unlink(path);
	mask = umask(0777 & ~UNIX_MODE);
	error = bind_and_listen(fd, (const struct sockaddr *)&name, sizeof(name));
	umask(mask);
	if (!error)
		return fd;
	close(fd);
	return fail(address, error, strerror(-error), message, size);
}

int http_listen(const char *address, char *message, size_t size)
{
	return strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) ? listen_internet(address, message, size)
								  : listen_unix(address, message, size);
}

/* --- of systemd -------------------------------------------------------------------------------------------
 */

static bool listens(int fd)
{
	int listening = 0, type = 0;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) || !listening)
		return false;
	size = sizeof(int);
	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM;
}

static int adopt(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || !listens(fd))
		return -EINVAL;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	return 0;
}

int http_listen_inherited(int *ret_fds, size_t max, char *message, size_t size)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	long n;

	if (!pid || !count || atol(pid) != getpid())
		return 0;
	n = atol(count);
	if (n < 0 || (size_t)n > max) {
		snprintf(message, size, "LISTEN_FDS=%s: at most %zu sockets can be taken", count, max);
		return -E2BIG;
	}
	for (int i = 0; i < n; i++) {
		int error = adopt(INHERITED_FIRST + i);

		if (error) {
			snprintf(message, size, "LISTEN_FDS: descriptor %d is no listening socket",
				 INHERITED_FIRST + i);
			return error;
		}
		ret_fds[i] = INHERITED_FIRST + i;
	}
	return (int)n;
}
