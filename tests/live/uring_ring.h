/* SPDX-License-Identifier: GPL-2.0-only */
/* The least of io_uring: a ring by raw system calls, one request at a time. */
#ifndef LIVE_URING_RING_H
#define LIVE_URING_RING_H

#include "scene.h"

#include <linux/io_uring.h>

struct uring {
	int fd;
	struct io_uring_sqe *sqes;
	unsigned char *sq, *cq;
	size_t sq_size, cq_size, sqes_size;
	struct io_uring_params params;
};

/* Skips where the kernel has no io_uring. */
void uring_open(struct scene *scene, struct uring *uring);
/* Whether the kernel knows the operation. */
bool uring_supports(struct scene *scene, const struct uring *uring, unsigned opcode);
/* Submits the request; does not wait. */
void uring_submit(struct scene *scene, struct uring *uring, const struct io_uring_sqe *sqe);
/* Waits for the next completion and returns its result; *ret_flags may be NULL. */
int uring_wait(struct scene *scene, struct uring *uring, unsigned *ret_flags);
int uring_do(struct scene *scene, struct uring *uring, const struct io_uring_sqe *sqe);
void uring_close(struct uring *uring);

#endif
