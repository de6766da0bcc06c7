/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/output.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void output_init(struct output *output, int fd)
{
	output->fd = fd;
	output->error = 0;
	output->length = 0;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);

		if (n > 0) {
			data += n;
			length -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			poll(&wait, 1, -1); /* somebody else made the descriptor non-blocking */
		} else if (n < 0 && errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int output_flush(struct output *output)
{
	if (!output->error && output->length)
		output->error = write_all(output->fd, output->buffer, output->length);
	output->length = 0;
	return output->error;
}

int output_put(struct output *output, const char *text, size_t length)
{
	if (output->length + length > sizeof(output->buffer))
		output_flush(output);
	if (output->error)
		return output->error;
	if (length > sizeof(output->buffer)) {
		output->error = write_all(output->fd, text, length);
		return output->error;
	}
	memcpy(output->buffer + output->length, text, length);
	output->length += length;
	return 0;
}
