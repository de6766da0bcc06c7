/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/write_all.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUND_MS 200  /* how often it is looked whether we are to end */
#define GRACE_MS 1000 /* what a reader has then to go on reading */

static bool hurried;

void write_all_hurry(void)
{
	hurried = true;
}

/*
 * Not SIGINT: Ctrl-C reaches the pager as well, whose user goes on reading. Whoever has not blocked these has
 * ended by them already.
 */
static bool is_to_end(void)
{
	sigset_t pending;

	if (hurried)
		return true;
	return !sigpending(&pending) && (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP));
}

/* Until PIPE_BUF bytes can be written, on a terminal one, or an error is to be had by writing. */
static int wait_for_reader(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLOUT};
	int grace_ms = GRACE_MS;

	while (poll(&item, 1, ROUND_MS) <= 0) {
		if (!is_to_end())
			continue;
		grace_ms -= ROUND_MS;
		if (grace_ms <= 0)
			return -ETIMEDOUT;
	}
	return 0;
}

/* A file takes whatever it is given; in anything else write() may wait for a reader, deaf to signals. */
static bool has_reader(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && !S_ISREG(status.st_mode);
}

int write_all(int fd, const void *data, size_t length)
{
	bool waits = has_reader(fd);
	size_t most = waits ? PIPE_BUF : SSIZE_MAX;
	const char *at = data;

	while (length) {
		int error = waits ? wait_for_reader(fd) : 0;
		ssize_t n;

		if (error)
			return error;
		n = write(fd, at, length < most ? length : most);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			at += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

const char *write_all_error(int error)
{
	return error == -ETIMEDOUT ? "nobody reads it" : strerror(-error);
}
