/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int ring_open(struct ring *ring, int map_fd, size_t size, struct control *control)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int error = -errno;

		munmap(consumer, page);
		return error;
	}
	*ring = (struct ring){
		.map_fd = map_fd,
		.size = size,
		.page = page,
		.consumer_pos = consumer,
		.producer_pos = producer,
		.data = (const char *)producer + page,
		.control = control,
	};
	return 0;
}

void ring_close(struct ring *ring)
{
	if (!ring->data)
		return;
	munmap(ring->consumer_pos, ring->page);
	munmap((void *)(uintptr_t)ring->producer_pos, ring->page + 2 * ring->size);
	memset(ring, 0, sizeof(*ring));
}

/* The header of a record: length with the two flag bits, then the page offset (kernel/bpf/ringbuf.c). */
int ring_drain(struct ring *ring, size_t limit, ring_callback callback, void *context, size_t *ret_count)
{
	unsigned long consumer = __atomic_load_n(ring->consumer_pos, __ATOMIC_RELAXED);
	unsigned long producer = __atomic_load_n(ring->producer_pos, __ATOMIC_ACQUIRE);
	size_t count = 0;
	int result = 0;

	while (consumer < producer && !result && (!limit || count < limit)) {
		const uint32_t *header = (const void *)(ring->data + (consumer & (ring->size - 1)));
		uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);

		if (length & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
			result = callback(context, (const char *)header + BPF_RINGBUF_HDR_SZ, length);
			count++;
		}
		length &= ~BPF_RINGBUF_DISCARD_BIT;
		consumer += (BPF_RINGBUF_HDR_SZ + length + 7) & ~7ul;
		__atomic_store_n(ring->consumer_pos, consumer, __ATOMIC_RELEASE);
	}
	*ret_count = count;
	return result;
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int ring_catch_up(struct ring *ring, uint64_t patience_ns, ring_callback callback, void *context,
		  size_t *ret_count)
{
	const struct timespec pause = {.tv_nsec = 50000}; /* the writer may need this processor */
	unsigned long begun = __atomic_load_n(ring->producer_pos, __ATOMIC_SEQ_CST);
	uint64_t deadline_ns = 0;
	size_t count;
	int result;

	*ret_count = 0;
	for (;;) {
		result = ring_drain(ring, 0, callback, context, &count);
		*ret_count += count;
		if (result || __atomic_load_n(ring->consumer_pos, __ATOMIC_RELAXED) >= begun)
			return result;
		if (!deadline_ns)
			deadline_ns = clock_ns() + patience_ns;
		else if (clock_ns() > deadline_ns)
			return 0;
		nanosleep(&pause, NULL);
	}
}

/*
 * The exchange is a full barrier, as is the producer's between its reservation and its look at the flag: of
 * the two, at least one sees the other.
 */
bool ring_may_sleep(struct ring *ring)
{
	__atomic_exchange_n(&ring->control->need_wakeup, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(ring->producer_pos, __ATOMIC_SEQ_CST) ==
	       __atomic_load_n(ring->consumer_pos, __ATOMIC_SEQ_CST);
}
