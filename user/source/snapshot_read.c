/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot_read.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <portsnoop/event.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define DESCRIPTORS_BYTES 2048 /* about ten holders */

/* Size of what begins here, 0 when it is not known yet; a negative errno when it makes no sense. */
typedef ssize_t piece_size(const char *at, size_t length, size_t item_size);

static ssize_t record_size(const char *at, size_t length, size_t item_size)
{
	const struct rec_header *header = (const void *)at;

	if (length < sizeof(*header))
		return 0;
	if (header->size < sizeof(*header) || header->size > REC_SIZE_MAX || header->size % 8)
		return -EBADMSG;
	return header->size;
}

static ssize_t fixed_size(const char *at, size_t length, size_t item_size)
{
	return (ssize_t)item_size;
}

/* Hands out the whole pieces at the front; *length becomes what is left of a cut one. */
static int split(char *bytes, size_t *length, piece_size *size_of, size_t item_size, const struct sink *sink,
		 int *ret_error)
{
	size_t at = 0;
	int result = 0;

	while (!result && at < *length) {
		ssize_t size = size_of(bytes + at, *length - at, item_size);

		if (size < 0)
			*ret_error = (int)size;
		if (size <= 0 || (size_t)size > *length - at)
			break;
		result = sink_put(sink, bytes + at, (size_t)size);
		at += (size_t)size;
	}
	*length -= at;
	memmove(bytes, bytes + at, *length);
	return result;
}

/* The kernel gives up with EAGAIN after a million objects without output, and goes on at the next read. */
static ssize_t read_some(int fd, char *to, size_t size)
{
	ssize_t n;

	do
		n = read(fd, to, size);
	while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n < 0 ? -errno : n;
}

static int read_pieces(int link_fd, struct snapshot_buffer *buffer, size_t most, piece_size *size_of,
		       size_t item_size, const struct sink *sink, int *ret_error)
{
	int fd = bpf_iter_create(link_fd), result = 0;
	size_t length = 0;

	*ret_error = fd < 0 ? -errno : 0;
	while (!result && !*ret_error) {
		size_t room = sizeof(buffer->bytes) - length;
		ssize_t n = read_some(fd, buffer->bytes + length, room < most ? room : most);

		if (n <= 0) {
			*ret_error = (int)n;
			break;
		}
		length += (size_t)n;
		result = split(buffer->bytes, &length, size_of, item_size, sink, ret_error);
	}
	if (fd >= 0)
		close(fd);
	return result;
}

int snapshot_read_records(int link_fd, struct snapshot_buffer *buffer, const struct sink *sink,
			  int *ret_error)
{
	return read_pieces(link_fd, buffer, SNAPSHOT_BUFFER_BYTES, record_size, 0, sink, ret_error);
}

int snapshot_read_descriptors(int link_fd, struct snapshot_buffer *buffer, const struct sink *sink,
			      int *ret_error)
{
	return read_pieces(link_fd, buffer, DESCRIPTORS_BYTES, record_size, 0, sink, ret_error);
}

int snapshot_read_items(int link_fd, struct snapshot_buffer *buffer, size_t item_size,
			const struct sink *sink, int *ret_error)
{
	return read_pieces(link_fd, buffer, SNAPSHOT_BUFFER_BYTES, fixed_size, item_size, sink, ret_error);
}
