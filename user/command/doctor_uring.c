/* SPDX-License-Identifier: GPL-2.0-only */
/* One accept through io_uring, by its bare system calls: the self-test needs no more of it than that. */
#include "command/doctor.h"
#include "system/loopback.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4

struct ring {
	int fd;
	struct io_uring_params params;
	unsigned char *submissions, *completions;
	struct io_uring_sqe *entries;
	size_t submissions_size, completions_size, entries_size;
};

static void *map(const struct ring *ring, size_t size, off_t offset)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, offset);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size);
}

static void ring_end(struct ring *ring)
{
	unmap(ring->submissions, ring->submissions_size);
	unmap(ring->completions, ring->completions_size);
	unmap(ring->entries, ring->entries_size);
	close(ring->fd);
}

/* 0 or a negative errno. */
static int ring_begin(struct ring *ring)
{
	struct io_uring_params *params = &ring->params;

	*ring = (struct ring){.fd = -1};
	ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, params);
	if (ring->fd < 0)
		return -errno;
	ring->submissions_size = params->sq_off.array + params->sq_entries * sizeof(unsigned);
	ring->completions_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	ring->entries_size = params->sq_entries * sizeof(struct io_uring_sqe);
	ring->submissions = map(ring, ring->submissions_size, IORING_OFF_SQ_RING);
	ring->completions = map(ring, ring->completions_size, IORING_OFF_CQ_RING);
	ring->entries = map(ring, ring->entries_size, IORING_OFF_SQES);
	if (ring->submissions && ring->completions && ring->entries)
		return 0;
	ring_end(ring);
	return -ENOMEM;
}

static unsigned *word(unsigned char *memory, unsigned offset)
{
	return (unsigned *)(void *)(memory + offset);
}

/* Submits an accept without an address on a listener with a connection in its queue, which ends at once. */
static int ring_accept(struct ring *ring, int listener)
{
	const struct io_uring_cqe *first = (void *)(ring->completions + ring->params.cq_off.cqes);
	long n;

	ring->entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_ACCEPT, .fd = listener, .accept_flags = SOCK_CLOEXEC};
	*word(ring->submissions, ring->params.sq_off.array) = 0;
	__atomic_store_n(word(ring->submissions, ring->params.sq_off.tail), 1, __ATOMIC_RELEASE);
	n = syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	if (n < 0)
		return -errno;
	if (!__atomic_load_n(word(ring->completions, ring->params.cq_off.tail), __ATOMIC_ACQUIRE))
		return -EAGAIN;
	return first->res;
}

void acts_by_uring(struct acts *acts)
{
	int listener, client, server, error;
	struct ring ring;

	error = ring_begin(&ring);
	if (error) {
		self_test_skip(acts->test, FACT_IO_URING, "io_uring cannot be used here: %s",
			       strerror(-error));
		return;
	}
	error = loopback_waiting_connection(acts->family, &listener, &client);
	if (error) {
		self_test_skip(acts->test, FACT_IO_URING, "a connection on loopback: %s", strerror(error));
		ring_end(&ring);
		return;
	}
	server = ring_accept(&ring, listener);
	if (server >= 0) {
		self_test_expect(acts->test,
				 acts_about(FACT_IO_URING, REC_ACCEPT, "an accept through io_uring", server));
		loopback_close(server);
	} else {
		self_test_skip(acts->test, FACT_IO_URING, "accept through io_uring: %s", strerror(-server));
	}
	ring_end(&ring);
	loopback_close(client);
	close(listener);
}
