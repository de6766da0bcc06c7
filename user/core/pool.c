/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/pool.h"

#include "core/slab.h"

#include <stdbool.h>

#include <stdlib.h>
#include <string.h>

#define CHUNK_ITEMS 256u

/* What a free item holds. */
struct vacant {
	struct vacant *next;
};

struct pool {
	size_t item_size, limit, count;
	struct slab slab; /* of the chunks */
	struct vacant *vacant;
};

struct pool *pool_new(size_t item_size, size_t limit)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->item_size = (item_size + 7) & ~(size_t)7;
	pool->limit = limit;
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	slab_free(&pool->slab);
	free(pool);
}

static bool grow(struct pool *pool)
{
	char *chunk = slab_take(&pool->slab, pool->item_size * CHUNK_ITEMS);

	if (!chunk)
		return false;
	for (size_t i = CHUNK_ITEMS; i-- > 0;) {
		struct vacant *vacant = (void *)(chunk + i * pool->item_size);

		vacant->next = pool->vacant;
		pool->vacant = vacant;
	}
	return true;
}

void *pool_get(struct pool *pool)
{
	struct vacant *item;

	if (pool->count >= pool->limit || (!pool->vacant && !grow(pool)))
		return NULL;
	item = pool->vacant;
	pool->vacant = item->next;
	pool->count++;
	return memset(item, 0, pool->item_size);
}

void pool_put(struct pool *pool, void *item)
{
	struct vacant *vacant = item;

	vacant->next = pool->vacant;
	pool->vacant = vacant;
	pool->count--;
}

size_t pool_count(const struct pool *pool)
{
	return pool->count;
}
