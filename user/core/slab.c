/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/slab.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FEW_BYTES   (1u << 20)
#define LARGE_BYTES (2u << 20) /* a huge page of x86_64, and of arm64 with pages of 4 KiB */

struct slab_block {
	struct slab_block *next;
	alignas(max_align_t) char data[];
};

/* Where there are no huge pages it is ordinary memory, which costs nothing before it is touched. */
static void *large(size_t size)
{
	void *memory = aligned_alloc(LARGE_BYTES, size);

	if (memory)
		madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

static size_t padded(size_t size)
{
	return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static struct slab_block *new_block(struct slab *slab, size_t size, bool is_large)
{
	struct slab_block *block = is_large ? large(size) : malloc(size);

	if (!block)
		return NULL;
	block->next = slab->blocks;
	slab->blocks = block;
	slab->bytes += size;
	return block;
}

void *slab_take(struct slab *slab, size_t size)
{
	struct slab_block *block;
	void *taken;

	size = padded(size);
	if (slab->bytes < FEW_BYTES || size > LARGE_BYTES / 4) {
		block = new_block(slab, sizeof(*block) + size, false);
		return block ? block->data : NULL;
	}
	if ((size_t)(slab->end - slab->at) < size) {
		block = new_block(slab, LARGE_BYTES, true);
		if (!block)
			return NULL;
		slab->at = block->data;
		slab->end = (char *)block + LARGE_BYTES;
	}
	taken = slab->at;
	slab->at += size;
	return taken;
}

void slab_free(struct slab *slab)
{
	struct slab_block *next;

	for (struct slab_block *block = slab->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	*slab = (struct slab){0};
}

void slab_expect(void *memory, size_t size)
{
	uintptr_t from = ((uintptr_t)memory + LARGE_BYTES - 1) & ~(uintptr_t)(LARGE_BYTES - 1);
	uintptr_t to = ((uintptr_t)memory + size) & ~(uintptr_t)(LARGE_BYTES - 1);

	if (from < to)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void *slab_array(size_t n, size_t size)
{
	size_t bytes;
	void *array;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX - LARGE_BYTES)
		return NULL;
	if (bytes < LARGE_BYTES)
		return calloc(n ? n : 1, size);
	array = large((bytes + LARGE_BYTES - 1) & ~(size_t)(LARGE_BYTES - 1));
	return array ? memset(array, 0, bytes) : NULL;
}
