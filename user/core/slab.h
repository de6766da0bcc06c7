/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for rows that come in their tens of thousands and go together: small pieces as long as there are
 * few, then large ones that the kernel may back with huge pages. A page fault costs more than filling the
 * page.
 */
#ifndef PORTSNOOP_CORE_SLAB_H
#define PORTSNOOP_CORE_SLAB_H

#include <stddef.h>

struct slab_block;

/* Zeroed: empty. */
struct slab {
	struct slab_block *blocks;
	char *at, *end; /* what is left of the last large one */
	size_t bytes;	/* of all */
};

/* Uninitialised, aligned for anything; NULL when there is no memory. Stays until slab_free(). */
void *slab_take(struct slab *slab, size_t size);
void slab_free(struct slab *slab);

/* Much of this memory, from malloc(), is about to be filled. */
void slab_expect(void *memory, size_t size);
/* An array, zeroed, to be freed with free(). NULL when there is no memory. */
void *slab_array(size_t n, size_t size);

#endif
