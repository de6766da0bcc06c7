/* SPDX-License-Identifier: GPL-2.0-only */
#include "uring_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 64

static void *map(struct scene *scene, int fd, size_t size, off_t offset)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (memory == MAP_FAILED)
		scene_fail(scene, "io_uring: %s", strerror(errno));
	return memory;
}

void uring_open(struct scene *scene, struct uring *uring)
{
	struct io_uring_params *params = &uring->params;

	*uring = (struct uring){.fd = -1};
	uring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, params);
	if (uring->fd < 0)
		scene_skip(scene, "no io_uring here: %s", strerror(errno));
	uring->sq_size = params->sq_off.array + params->sq_entries * sizeof(unsigned);
	uring->cq_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	uring->sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
	uring->sq = map(scene, uring->fd, uring->sq_size, IORING_OFF_SQ_RING);
	uring->cq = map(scene, uring->fd, uring->cq_size, IORING_OFF_CQ_RING);
	uring->sqes = map(scene, uring->fd, uring->sqes_size, IORING_OFF_SQES);
}

bool uring_supports(struct scene *scene, const struct uring *uring, unsigned opcode)
{
	struct io_uring_probe *probe = calloc(1, sizeof(*probe) + 256 * sizeof(struct io_uring_probe_op));
	bool supported;

	if (!probe)
		scene_fail(scene, "out of memory");
	supported = !syscall(SYS_io_uring_register, uring->fd, IORING_REGISTER_PROBE, probe, 256) &&
		    opcode <= probe->last_op && probe->ops[opcode].flags & IO_URING_OP_SUPPORTED;
	free(probe);
	return supported;
}

static unsigned *word(unsigned char *ring, unsigned offset)
{
	return (unsigned *)(void *)(ring + offset);
}

void uring_submit(struct scene *scene, struct uring *uring, const struct io_uring_sqe *sqe)
{
	unsigned tail = *word(uring->sq, uring->params.sq_off.tail);
	unsigned at = tail & *word(uring->sq, uring->params.sq_off.ring_mask);

	uring->sqes[at] = *sqe;
	word(uring->sq, uring->params.sq_off.array)[at] = at;
	__atomic_store_n(word(uring->sq, uring->params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	scene_must(scene, syscall(SYS_io_uring_enter, uring->fd, 1, 0, 0, NULL, 0), "io_uring_enter");
}

int uring_wait(struct scene *scene, struct uring *uring, unsigned *ret_flags)
{
	unsigned *head = word(uring->cq, uring->params.cq_off.head);
	const struct io_uring_cqe *cqes = (void *)(uring->cq + uring->params.cq_off.cqes), *cqe;
	int result;

	while (__atomic_load_n(word(uring->cq, uring->params.cq_off.tail), __ATOMIC_ACQUIRE) == *head)
		scene_must(scene,
			   syscall(SYS_io_uring_enter, uring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0),
			   "io_uring_enter");
	cqe = &cqes[*head & *word(uring->cq, uring->params.cq_off.ring_mask)];
	result = cqe->res;
	if (ret_flags)
		*ret_flags = cqe->flags;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

int uring_do(struct scene *scene, struct uring *uring, const struct io_uring_sqe *sqe)
{
	uring_submit(scene, uring, sqe);
	return uring_wait(scene, uring, NULL);
}

void uring_close(struct uring *uring)
{
	/* Mappings hold the ring as its descriptor does. */
	munmap(uring->sq, uring->sq_size);
	munmap(uring->cq, uring->cq_size);
	munmap(uring->sqes, uring->sqes_size);
	close(uring->fd);
}
