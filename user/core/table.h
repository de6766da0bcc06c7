/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bounded hash table of fixed-size rows. Rows never move, so pointers to them stay good until the row is
 * removed; they are kept in the order of their last use. Memory grows in chunks and is used again: in the
 * steady state nothing is allocated.
 */
#ifndef PORTSNOOP_CORE_TABLE_H
#define PORTSNOOP_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* equal() says whether a row is the one that key means. NULL when there is no memory. */
struct table *table_new(size_t row_size, size_t limit, bool (*equal)(const void *row, const void *key));
/* Frees the table, not what rows own. */
void table_free(struct table *table);

void *table_find(const struct table *table, uint64_t hash, const void *key);
/* A zeroed row, the one used last. NULL when there is no memory or the table is at its limit. */
void *table_add(struct table *table, uint64_t hash);
void table_remove(struct table *table, void *row);
/* Makes it the one used last. */
void table_touch(struct table *table, void *row);
/* The row that was used longest ago, NULL when empty. */
void *table_oldest(const struct table *table);

/* A row's number stays the same as long as the row is there, and is below 2^32 - 1. */
uint32_t table_number(const void *row);
void *table_at(const struct table *table, uint32_t number);

size_t table_count(const struct table *table);
bool table_is_full(const struct table *table);
/* Every row from the one used longest ago to the one used last; stops when the callback returns non-zero and
 * returns that. The callback may remove the row that it is given, nothing else. */
int table_each(const struct table *table, int (*callback)(void *row, void *context), void *context);

/* A good hash of two words (the finaliser of MurmurHash3, public domain, by Austin Appleby). */
static inline uint64_t table_hash(uint64_t a, uint64_t b)
{
	uint64_t h = a ^ (b * 0x9e3779b97f4a7c15ull);

	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ull;
	h ^= h >> 33;
	return h;
}

#endif
