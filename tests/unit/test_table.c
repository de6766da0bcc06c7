/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Past several chunks of 256 rows and several doublings of 64 buckets. */
#define MANY 5000

struct row {
	uint64_t key;
	unsigned char rest[33];
};

/* Without the padding at the end: rows are not a multiple of anything. */
#define ROW_BYTES (offsetof(struct row, rest) + sizeof(((struct row *)0)->rest))

static bool row_equal(const void *row, const void *key)
{
	return ((const struct row *)row)->key == *(const uint64_t *)key;
}

static struct table *make_table(size_t limit)
{
	struct table *table = table_new(ROW_BYTES, limit, row_equal);

	assert_non_null(table);
	return table;
}

static struct row *add(struct table *table, uint64_t hash, uint64_t key)
{
	struct row *row = table_add(table, hash);

	assert_non_null(row);
	assert_int_equal((uintptr_t)row % 8, 0);
	row->key = key;
	memset(row->rest, (int)key, sizeof(row->rest));
	return row;
}

static struct row *find(const struct table *table, uint64_t hash, uint64_t key)
{
	return table_find(table, hash, &key);
}

static void assert_content(const struct row *row, uint64_t key)
{
	assert_non_null(row);
	assert_int_equal(row->key, key);
	for (size_t i = 0; i < sizeof(row->rest); i++)
		assert_int_equal(row->rest[i], (unsigned char)key);
}

struct walk {
	uint64_t keys[MANY];
	size_t n, stop_at;
};

static int walk_row(void *row, void *context)
{
	struct walk *walk = context;

	assert_true(walk->n < MANY);
	walk->keys[walk->n++] = ((struct row *)row)->key;
	return walk->n == walk->stop_at ? 42 : 0;
}

#define assert_order(table, ...)                                                                             \
	assert_order_of(table, (const uint64_t[]){__VA_ARGS__},                                              \
			sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void assert_order_of(const struct table *table, const uint64_t *keys, size_t n)
{
	static struct walk walk;

	walk = (struct walk){0};
	assert_int_equal(table_each(table, walk_row, &walk), 0);
	assert_int_equal(walk.n, n);
	assert_memory_equal(walk.keys, keys, n * sizeof(*keys));
	assert_int_equal(((struct row *)table_oldest(table))->key, keys[0]);
	assert_int_equal(table_count(table), n);
}

/* --- finding ----------------------------------------------------------------------------------------------
 */

static void empty_table(void **state)
{
	struct table *table = make_table(3);
	struct walk walk = {0};

	assert_null(find(table, 1, 1));
	assert_null(table_oldest(table));
	assert_int_equal(table_count(table), 0);
	assert_false(table_is_full(table));
	assert_int_equal(table_each(table, walk_row, &walk), 0);
	assert_int_equal(walk.n, 0);
	table_free(table);
	table_free(NULL);
}

/* One chain: rows are told apart by their key, and leave it from any place. */
static void equal_hashes(void **state)
{
	struct table *table = make_table(MANY);

	for (uint64_t key = 0; key < 300; key++)
		add(table, 7, key);
	for (uint64_t key = 0; key < 300; key++)
		assert_content(find(table, 7, key), key);
	assert_null(find(table, 7, 300));
	assert_null(find(table, 7 + 64, 3));
	table_remove(table, find(table, 7, 299));
	table_remove(table, find(table, 7, 150));
	table_remove(table, find(table, 7, 0));
	for (uint64_t key = 0; key < 300; key++)
		assert_true(!find(table, 7, key) == (key == 0 || key == 150 || key == 299));
	table_free(table);
}

/* In the same bucket with other hashes, equal() is not even asked: the key would be equal. */
static void same_bucket_other_hash(void **state)
{
	struct table *table = make_table(MANY);

	add(table, 1, 5);
	assert_null(find(table, 1 + 64, 5));
	assert_null(find(table, 1 + (1ull << 40), 5));
	assert_non_null(find(table, 1, 5));
	table_free(table);
}

static void growth_moves_no_row(void **state)
{
	struct table *table = make_table(MANY);
	struct row *rows[MANY];
	static struct walk walk;

	for (uint64_t key = 0; key < MANY; key++)
		rows[key] = add(table, table_hash(key, 1), key);
	for (uint64_t key = 0; key < MANY; key++) {
		assert_ptr_equal(find(table, table_hash(key, 1), key), rows[key]);
		assert_content(rows[key], key);
	}
	walk = (struct walk){0};
	assert_int_equal(table_each(table, walk_row, &walk), 0);
	assert_int_equal(walk.n, MANY);
	for (uint64_t key = 0; key < MANY; key++)
		assert_int_equal(walk.keys[key], key);
	table_free(table);
}

/* --- limit and reuse --------------------------------------------------------------------------------------
 */

static void limit_holds(void **state)
{
	struct table *table = make_table(3);

	add(table, 1, 1);
	add(table, 2, 2);
	assert_false(table_is_full(table));
	add(table, 3, 3);
	assert_true(table_is_full(table));
	assert_null(table_add(table, 4));
	assert_order(table, 1, 2, 3);
	table_remove(table, find(table, 2, 2));
	assert_false(table_is_full(table));
	add(table, 4, 4);
	assert_null(table_add(table, 5));
	assert_order(table, 1, 3, 4);
	table_free(table);
}

static void removed_rows_come_back_zeroed(void **state)
{
	static const struct row zero;
	struct table *table = make_table(MANY);
	struct row *old = add(table, 9, 9), *row;

	table_remove(table, old);
	assert_null(find(table, 9, 9));
	row = table_add(table, 10);
	assert_ptr_equal(row, old);
	assert_memory_equal(row, &zero, ROW_BYTES);
	table_free(table);
}

/* Steady coming and going stays in the memory that is there. */
static void turnover_needs_no_memory(void **state)
{
	struct table *table = make_table(MANY);
	struct row *seen[256];

	for (uint64_t key = 0; key < 256; key++)
		seen[key] = add(table, key, key);
	for (uint64_t key = 256; key < MANY; key++) {
		bool known = false;
		struct row *row;

		table_remove(table, find(table, key - 256, key - 256));
		row = add(table, key, key);
		for (size_t i = 0; i < 256 && !known; i++)
			known = seen[i] == row;
		assert_true(known);
	}
	assert_int_equal(table_count(table), 256);
	table_free(table);
}

/* --- order of use -----------------------------------------------------------------------------------------
 */

static void order_of_use(void **state)
{
	struct table *table = make_table(MANY);
	struct row *rows[6];

	for (uint64_t key = 1; key <= 5; key++)
		rows[key] = add(table, key, key);
	assert_order(table, 1, 2, 3, 4, 5);
	table_touch(table, rows[5]);
	assert_order(table, 1, 2, 3, 4, 5);
	table_touch(table, rows[1]);
	assert_order(table, 2, 3, 4, 5, 1);
	table_touch(table, rows[4]);
	assert_order(table, 2, 3, 5, 1, 4);
	find(table, 2, 2);
	assert_order(table, 2, 3, 5, 1, 4);
	table_remove(table, rows[2]);
	assert_order(table, 3, 5, 1, 4);
	table_remove(table, rows[4]);
	assert_order(table, 3, 5, 1);
	table_remove(table, rows[5]);
	assert_order(table, 3, 1);
	table_remove(table, rows[3]);
	table_touch(table, rows[1]);
	assert_order(table, 1);
	table_remove(table, rows[1]);
	assert_null(table_oldest(table));
	add(table, 8, 8);
	assert_order(table, 8);
	table_free(table);
}

static void each_stops_when_told(void **state)
{
	struct table *table = make_table(MANY);
	struct walk walk = {.stop_at = 2};

	for (uint64_t key = 1; key <= 5; key++)
		add(table, key, key);
	assert_int_equal(table_each(table, walk_row, &walk), 42);
	assert_int_equal(walk.n, 2);
	table_free(table);
}

/* --- against a plain list ---------------------------------------------------------------------------------
 */

struct list {
	uint64_t keys[400];
	size_t n;
};

static size_t place_of(const struct list *list, uint64_t key)
{
	size_t i = 0;

	while (i < list->n && list->keys[i] != key)
		i++;
	return i;
}

static void list_remove(struct list *list, size_t place)
{
	list->n--;
	memmove(&list->keys[place], &list->keys[place + 1], (list->n - place) * sizeof(list->keys[0]));
}

/* Adds or touches what is to be there, removes what is to go; the oldest makes room. */
static void step(struct table *table, struct list *list, uint64_t key, bool drop)
{
	uint64_t hash = table_hash(key, 0) & 31; /* chains in every bucket */
	size_t place = place_of(list, key);
	struct row *row = find(table, hash, key);

	assert_true(!row == (place == list->n));
	if (row) {
		assert_content(row, key);
		list_remove(list, place);
		if (drop) {
			table_remove(table, row);
			return;
		}
		table_touch(table, row);
	} else {
		if (table_is_full(table)) {
			table_remove(table, table_oldest(table));
			list_remove(list, 0);
		}
		add(table, hash, key);
	}
	list->keys[list->n++] = key;
}

static void agrees_with_a_list(void **state)
{
	struct table *table = make_table(300);
	struct list list = {.n = 0};
	uint32_t noise = 1;

	for (int i = 0; i < 30000; i++) {
		noise = noise * 1664525u + 1013904223u;
		step(table, &list, noise >> 16 & 511, (noise >> 26) % 3 == 0);
		assert_int_equal(table_count(table), list.n);
		if (i % 500 == 0 && list.n)
			assert_order_of(table, list.keys, list.n);
	}
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_table),
		cmocka_unit_test(equal_hashes),
		cmocka_unit_test(same_bucket_other_hash),
		cmocka_unit_test(growth_moves_no_row),
		cmocka_unit_test(limit_holds),
		cmocka_unit_test(removed_rows_come_back_zeroed),
		cmocka_unit_test(turnover_needs_no_memory),
		cmocka_unit_test(order_of_use),
		cmocka_unit_test(each_stops_when_told),
		cmocka_unit_test(agrees_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
