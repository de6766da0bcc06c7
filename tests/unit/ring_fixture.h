/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ring as the kernel keeps it, with the kernel's half played by the test: reserve, then commit or discard
 * (kernel/bpf/ringbuf.c). Pages: consumer position, producer position, data, data once more.
 */
#ifndef TESTS_UNIT_RING_FIXTURE_H
#define TESTS_UNIT_RING_FIXTURE_H

#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/ring.h"

#define RING_SIZE 4096u

struct fake {
	struct ring ring;
	struct control control;
	unsigned long *producer_pos;
	char *data;
};

static inline void *map_at(void *address, size_t length, int fd, off_t offset)
{
	void *at = mmap(address, length, PROT_READ | PROT_WRITE, MAP_SHARED | (address ? MAP_FIXED : 0), fd,
			offset);

	if (at == MAP_FAILED)
		abort();
	return at;
}

/* A memory file cannot repeat its data by itself, so ring_open() is not for it; ring_close() is. */
static inline void fake_open(struct fake *fake)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = RING_SIZE < page ? page : RING_SIZE;
	int fd = memfd_create("ring", MFD_CLOEXEC);
	char *producer = mmap(NULL, page + 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || producer == MAP_FAILED || ftruncate(fd, (off_t)(2 * page + size)))
		abort();
	map_at(producer, page, fd, (off_t)page);
	map_at(producer + page, size, fd, (off_t)(2 * page));
	map_at(producer + page + size, size, fd, (off_t)(2 * page));
	*fake = (struct fake){
		.producer_pos = (void *)producer,
		.data = producer + page,
		.ring = {.map_fd = -1,
			 .size = size,
			 .page = page,
			 .consumer_pos = map_at(NULL, page, fd, 0),
			 .producer_pos = (void *)producer,
			 .data = producer + page},
	};
	fake->ring.control = &fake->control;
	close(fd);
}

/* Room for a record that is still being written; NULL when the ring is full. */
static inline void *fake_reserve(struct fake *fake, uint32_t length)
{
	unsigned long producer = *fake->producer_pos,
		      next = producer + ((BPF_RINGBUF_HDR_SZ + length + 7) & ~7ul);
	uint32_t *header = (void *)(fake->data + (producer & (fake->ring.size - 1)));

	if (next - __atomic_load_n(fake->ring.consumer_pos, __ATOMIC_ACQUIRE) > fake->ring.size - 1)
		return NULL;
	header[0] = length | BPF_RINGBUF_BUSY_BIT;
	header[1] = 0;
	__atomic_store_n(fake->producer_pos, next, __ATOMIC_RELEASE);
	return header + 2;
}

static inline void fake_end(void *record, uint32_t flags)
{
	uint32_t *header = (uint32_t *)record - 2;

	__atomic_exchange_n(header, (*header & ~BPF_RINGBUF_BUSY_BIT) | flags, __ATOMIC_SEQ_CST);
}

static inline void fake_commit(void *record)
{
	fake_end(record, 0);
}

static inline void fake_discard(void *record)
{
	fake_end(record, BPF_RINGBUF_DISCARD_BIT);
}

#endif
