/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Items of one size that never move, up to a limit. Memory grows in chunks and is used again: in the steady
 * state nothing is allocated.
 */
#ifndef PORTSNOOP_CORE_POOL_H
#define PORTSNOOP_CORE_POOL_H

#include <stddef.h>

struct pool;

/* NULL when there is no memory. */
struct pool *pool_new(size_t item_size, size_t limit);
void pool_free(struct pool *pool);
/* A zeroed item. NULL when there is no memory or the pool is at its limit. */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *item);
/* Items in use. */
size_t pool_count(const struct pool *pool);

#endif
