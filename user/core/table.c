/* SPDX-License-Identifier: GPL-2.0-only */
/* Chained hashing over rows in chunks, with 32-bit row numbers in place of pointers. */
#include "core/table.h"

#include "core/slab.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_ROWS    256u
#define NONE	      UINT32_MAX
#define BUCKETS_LEAST 64u

/* Stands before each row. */
struct head {
	uint64_t hash;
	uint32_t number;
	uint32_t next;	       /* in the bucket, or in the list of free rows */
	uint32_t older, newer; /* order of use */
};

struct table {
	size_t stride, limit, count;
	bool (*equal)(const void *row, const void *key);
	struct slab slab; /* of the chunks */
	char **chunks;
	size_t n_chunks, chunks_room;
	uint32_t *buckets;
	size_t n_buckets; /* a power of two */
	uint32_t free, oldest, newest;
};

static struct head *head_at(const struct table *table, uint32_t number)
{
	return (struct head *)(table->chunks[number / CHUNK_ROWS] + table->stride * (number % CHUNK_ROWS));
}

static struct head *head_of(void *row)
{
	return (struct head *)row - 1;
}

static uint32_t *bucket_of(const struct table *table, uint64_t hash)
{
	return &table->buckets[hash & (table->n_buckets - 1)];
}

struct table *table_new(size_t row_size, size_t limit, bool (*equal)(const void *row, const void *key))
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->stride = (sizeof(struct head) + row_size + 7) & ~(size_t)7;
	table->limit = limit < NONE ? limit : NONE - 1;
	table->equal = equal;
	table->free = table->oldest = table->newest = NONE;
	table->n_buckets = BUCKETS_LEAST;
	table->buckets = malloc(table->n_buckets * sizeof(*table->buckets));
	if (!table->buckets) {
		free(table);
		return NULL;
	}
	memset(table->buckets, 0xff, table->n_buckets * sizeof(*table->buckets));
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	slab_free(&table->slab);
	free(table->chunks);
	free(table->buckets);
	free(table);
}

void *table_find(const struct table *table, uint64_t hash, const void *key)
{
	for (uint32_t n = *bucket_of(table, hash); n != NONE;) {
		struct head *head = head_at(table, n);

		if (head->hash == hash && table->equal(head + 1, key))
			return head + 1;
		n = head->next;
	}
	return NULL;
}

static bool grow_chunks(struct table *table)
{
	uint32_t first = (uint32_t)(table->n_chunks * CHUNK_ROWS);
	char *chunk;

	if (table->n_chunks == table->chunks_room) {
		size_t room = table->chunks_room ? table->chunks_room * 2 : 16;
		char **chunks = realloc(table->chunks, room * sizeof(*chunks));

		if (!chunks)
			return false;
		table->chunks = chunks;
		table->chunks_room = room;
	}
	chunk = slab_take(&table->slab, table->stride * CHUNK_ROWS);
	if (!chunk)
		return false;
	table->chunks[table->n_chunks++] = chunk;
	for (uint32_t i = CHUNK_ROWS; i-- > 0;) {
		struct head *head = head_at(table, first + i);

		head->number = first + i;
		head->next = table->free;
		table->free = head->number;
	}
	return true;
}

/* Failing is no harm: the chains only get longer. */
static void grow_buckets(struct table *table)
{
	size_t n_buckets = table->n_buckets * 2;
	uint32_t *buckets = malloc(n_buckets * sizeof(*buckets));

	if (!buckets)
		return;
	memset(buckets, 0xff, n_buckets * sizeof(*buckets));
	free(table->buckets);
	table->buckets = buckets;
	table->n_buckets = n_buckets;
	for (uint32_t n = table->oldest; n != NONE;) {
		struct head *head = head_at(table, n);
		uint32_t *bucket = bucket_of(table, head->hash);

		head->next = *bucket;
		*bucket = n;
		n = head->newer;
	}
}

static void use_unlink(struct table *table, struct head *head)
{
	*(head->older == NONE ? &table->oldest : &head_at(table, head->older)->newer) = head->newer;
	*(head->newer == NONE ? &table->newest : &head_at(table, head->newer)->older) = head->older;
}

static void use_append(struct table *table, struct head *head)
{
	head->older = table->newest;
	head->newer = NONE;
	*(table->newest == NONE ? &table->oldest : &head_at(table, table->newest)->newer) = head->number;
	table->newest = head->number;
}

void *table_add(struct table *table, uint64_t hash)
{
	struct head *head;
	uint32_t *bucket;

	if (table_is_full(table))
		return NULL;
	if (table->free == NONE && !grow_chunks(table))
		return NULL;
	if (table->count >= table->n_buckets)
		grow_buckets(table);
	head = head_at(table, table->free);
	table->free = head->next;
	head->hash = hash;
	bucket = bucket_of(table, hash);
	head->next = *bucket;
	*bucket = head->number;
	use_append(table, head);
	table->count++;
	memset(head + 1, 0, table->stride - sizeof(*head));
	return head + 1;
}

void table_remove(struct table *table, void *row)
{
	struct head *head = head_of(row);
	uint32_t *link = bucket_of(table, head->hash);

	while (*link != head->number)
		link = &head_at(table, *link)->next;
	*link = head->next;
	use_unlink(table, head);
	head->next = table->free;
	table->free = head->number;
	table->count--;
}

void table_touch(struct table *table, void *row)
{
	struct head *head = head_of(row);

	if (table->newest == head->number)
		return;
	use_unlink(table, head);
	use_append(table, head);
}

void *table_oldest(const struct table *table)
{
	return table->oldest == NONE ? NULL : head_at(table, table->oldest) + 1;
}

uint32_t table_number(const void *row)
{
	return ((const struct head *)row - 1)->number;
}

void *table_at(const struct table *table, uint32_t number)
{
	return head_at(table, number) + 1;
}

size_t table_count(const struct table *table)
{
	return table->count;
}

bool table_is_full(const struct table *table)
{
	return table->count >= table->limit;
}

int table_each(const struct table *table, int (*callback)(void *row, void *context), void *context)
{
	for (uint32_t n = table->oldest; n != NONE;) {
		struct head *head = head_at(table, n);
		int result;

		n = head->newer;
		result = callback(head + 1, context);
		if (result)
			return result;
	}
	return 0;
}
