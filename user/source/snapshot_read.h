/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading what a BPF iterator writes: records, or items of one size. */
#ifndef PORTSNOOP_SOURCE_SNAPSHOT_READ_H
#define PORTSNOOP_SOURCE_SNAPSHOT_READ_H

#include "source/sink.h"

#include <stddef.h>

#define SNAPSHOT_BUFFER_BYTES (64u << 10)

struct snapshot_buffer {
	char bytes[SNAPSHOT_BUFFER_BYTES] __attribute__((aligned(8)));
};

/*
 * Both run the iterator of this link once, in the calling thread's network namespace, and hand out what it
 * writes in pieces. Return what the sink said; *ret_error is 0, or a negative errno when the kernel did not
 * come to the end.
 */
int snapshot_read_records(int link_fd, struct snapshot_buffer *buffer, const struct sink *sink,
			  int *ret_error);
/*
 * The same of descriptors. While the kernel looks at one, it holds a reference to its file: if the process
 * closes it just then, the port is given back only when our read returns. So these reads are short.
 */
int snapshot_read_descriptors(int link_fd, struct snapshot_buffer *buffer, const struct sink *sink,
			      int *ret_error);
int snapshot_read_items(int link_fd, struct snapshot_buffer *buffer, size_t item_size,
			const struct sink *sink, int *ret_error);

#endif
