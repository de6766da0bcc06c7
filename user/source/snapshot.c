/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot.h"

#include <portsnoop/event.h>

#include "snapshot.skel.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)

struct snapshot {
	struct snapshot_bpf *skeleton;
	char buffer[READ_BYTES] __attribute__((aligned(8)));
};

int snapshot_open(struct snapshot **ret_snapshot, struct fault *fault)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	int error;

	if (!snapshot)
		return fault_set(fault, -ENOMEM, "out of memory");
	snapshot->skeleton = snapshot_bpf__open();
	if (!snapshot->skeleton) {
		error = fault_set(fault, -errno, "cannot read the kernel's type information (BTF): %s",
				  strerror(errno));
		free(snapshot);
		return error;
	}
	snapshot->skeleton->rodata->knob_netns = proc_netns();
	error = snapshot_bpf__load(snapshot->skeleton);
	if (!error)
		error = snapshot_bpf__attach(snapshot->skeleton);
	if (error) {
		fault->unsupported = true;
		fault_set(fault, error, "the kernel refused the BPF iterators: %s", strerror(-error));
		snapshot_close(snapshot);
		return error;
	}
	*ret_snapshot = snapshot;
	return 0;
}

/* Hands out the whole records at the front; *length becomes what is left of a cut one. */
static int split(char *buffer, size_t *length, const struct sink *sink)
{
	size_t at = 0;
	int result = 0;

	while (!result && *length - at >= sizeof(struct rec_header)) {
		const struct rec_header *header = (const void *)(buffer + at);

		if (header->size < sizeof(*header))
			return -EBADMSG;
		if (header->size > *length - at)
			break;
		result = sink_put(sink, header, header->size);
		at += header->size;
	}
	*length -= at;
	memmove(buffer, buffer + at, *length);
	return result;
}

/* The kernel gives up with EAGAIN after a million objects without output, and goes on at the next read. */
static int walk(struct snapshot *snapshot, const struct bpf_link *link, const struct sink *sink)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), result = 0;
	size_t length = 0;

	if (fd < 0)
		return -errno;
	while (!result) {
		ssize_t n = read(fd, snapshot->buffer + length, sizeof(snapshot->buffer) - length);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			result = n < 0 ? -errno : 0;
			break;
		}
		length += (size_t)n;
		result = split(snapshot->buffer, &length, sink);
	}
	close(fd);
	return result;
}

int snapshot_walk(struct snapshot *snapshot, const struct sink *sink)
{
	int result = walk(snapshot, snapshot->skeleton->links.snapshot_tcp, sink);

	if (!result)
		result = walk(snapshot, snapshot->skeleton->links.snapshot_udp, sink);
	if (!result)
		result = walk(snapshot, snapshot->skeleton->links.snapshot_files, sink);
	return result;
}

#define NO_MORE_LISTENERS 1

/* iter/tcp lists the listeners first: what follows need not be read. */
static int take_listener(void *context, const void *record, size_t size)
{
	const struct rec_socket_row *row = record;

	if (row->fact.socket.state != TCP_LISTEN)
		return NO_MORE_LISTENERS;
	return sink_put(context, record, size);
}

int snapshot_walk_listeners(struct snapshot *snapshot, const struct sink *sink)
{
	struct sink to = *sink;
	struct sink listeners = {.take = take_listener, .context = &to};
	int result = walk(snapshot, snapshot->skeleton->links.snapshot_tcp, &listeners);

	return result == NO_MORE_LISTENERS ? 0 : result;
}

void snapshot_close(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	snapshot_bpf__destroy(snapshot->skeleton);
	free(snapshot);
}
