/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the kernel's ring buffer, with the reader's half of the wake-up handshake. Our own reader, since
 * libbpf 1.1 hides the producer's position, which the handshake must compare.
 */
#ifndef PORTSNOOP_SOURCE_RING_H
#define PORTSNOOP_SOURCE_RING_H

#include <portsnoop/counters.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	int map_fd;
	size_t size; /* of the data, a power of two */
	size_t page;
	unsigned long *consumer_pos;
	const unsigned long *producer_pos;
	const char *data; /* mapped twice in a row, so no record is ever split */
	struct control *control;
};

/* Takes one record. Non-zero stops the drain before the next one. */
typedef int (*ring_callback)(void *context, const void *record, size_t size);

/* Maps the ring. control is the kernel side's shared page. 0 or a negative errno. */
int ring_open(struct ring *ring, int map_fd, size_t size, struct control *control);
void ring_close(struct ring *ring);

/*
 * Hands out what is complete, at most `limit` records (0: all). *ret_count says how many. 0, or what the
 * callback returned.
 */
int ring_drain(struct ring *ring, size_t limit, ring_callback callback, void *context, size_t *ret_count);

/*
 * The same of all that was begun before this call, so that whoever has seen an act finds its record taken: a
 * record that is still being written, which holds back those behind it, is waited for, about so long.
 */
int ring_catch_up(struct ring *ring, uint64_t patience_ns, ring_callback callback, void *context,
		  size_t *ret_count);

/*
 * Asks to be woken and says whether it is safe to sleep: nothing reserved, nothing waiting. When false, a
 * record is there or still being written, and the reader must come back on its own.
 */
bool ring_may_sleep(struct ring *ring);

#endif
