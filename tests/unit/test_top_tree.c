/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes below their parents: whom they stand below, in which order, and what a damaged recording does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_fixture.h"
#include "view/top.h"

static void born(struct fixture *f, uint32_t pid, uint32_t parent)
{
	make_record(&f->record, REC_PROCESS);
	set_task(&f->record, pid);
	f->record.process.parent_pid = parent;
	f->record.process.parent_start_ns = parent ? START_OF(parent) : 0;
	apply(f);
}

static void add(struct top_table *table, uint32_t pid, uint64_t in)
{
	struct top_row *row = top_table_add(table);

	assert_non_null(row);
	row->id = (struct top_id){pid, START_OF(pid)};
	row->who = (struct rec_task){.pid = pid, .start_ns = START_OF(pid)};
	row->in = in;
}

static struct top_table table_of(const struct fixture *f)
{
	struct top_table table = {.view = TOP_PROCESSES, .tree = true};

	add(&table, 40, 1);
	add(&table, 10, 0);
	add(&table, 30, 9);
	add(&table, 20, 5);
	add(&table, 50, 7);
	assert_int_equal(top_tree_read(&table, f->model), 0);
	return table;
}

static void expect(struct top_table *table, const char *title, bool reverse, const uint32_t *pids,
		   const uint8_t *depths)
{
	unsigned column = (unsigned)top_column_find(TOP_PROCESSES, title);

	top_table_order(table, column, reverse, 0, 1);
	for (size_t i = 0; i < table->n; i++) {
		assert_int_equal(top_table_at(table, i)->who.pid, pids[i]);
		assert_int_equal(top_table_at(table, i)->depth, depths[i]);
		assert_int_equal(top_table_place(table, column, reverse, top_table_at(table, i)->id), i);
	}
}

static void siblings_stand_in_the_order_of_a_column(void **state)
{
	static const uint32_t by_pid[] = {10, 20, 30, 50, 40}, by_pid_reverse[] = {40, 10, 50, 30, 20},
			      by_in[] = {40, 10, 30, 50, 20};
	static const uint8_t depths[] = {0, 1, 1, 1, 0}, other_depths[] = {0, 0, 1, 1, 1};
	struct fixture *f = *state;
	struct top_table table;

	for (uint32_t pid = 10; pid <= 50; pid += 10)
		born(f, pid, pid == 10 || pid == 40 ? 1 : 10);
	table = table_of(f);
	expect(&table, "PID", false, by_pid, depths);
	expect(&table, "PID", true, by_pid_reverse, other_depths);
	expect(&table, "IN", false, by_in, other_depths); /* the most first */
	expect(&table, "PID", false, by_pid, depths);
	top_table_free(&table);
}

/* One between them that holds nothing is not in the table. */
static void the_nearest_ancestor_that_is_there(void **state)
{
	static const uint32_t pids[] = {10, 20, 50, 30, 40};
	static const uint8_t depths[] = {0, 1, 2, 0, 0};
	struct fixture *f = *state;
	struct top_table table;

	born(f, 10, 1);
	born(f, 15, 10);
	born(f, 20, 15);
	born(f, 30, 1);
	born(f, 40, 1);
	born(f, 50, 20);
	table = table_of(f);
	expect(&table, "PID", false, pids, depths);
	top_table_free(&table);
}

static void who_is_his_own_ancestor_is_shown_all_the_same(void **state)
{
	static const uint32_t pids[] = {10, 40, 50, 20, 30};
	static const uint8_t depths[] = {0, 0, 0, 0, 0};
	struct fixture *f = *state;
	struct top_table table;

	born(f, 10, 1);
	born(f, 20, 30);
	born(f, 30, 20);
	born(f, 40, 1);
	born(f, 50, 1);
	table = table_of(f);
	expect(&table, "PID", false, pids, depths);
	top_table_free(&table);
}

static void nobody_is_no_tree(void **state)
{
	struct fixture *f = *state;
	struct top_table table = {.view = TOP_PROCESSES, .tree = true};

	top_table_order(&table, 0, false, 0, 10); /* reading it failed */
	assert_int_equal(top_tree_read(&table, f->model), 0);
	table.arranged = false;
	top_table_order(&table, 0, false, 0, 10);
	assert_int_equal(top_table_place(&table, 0, false, (struct top_id){1, 1}), 0);
	top_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(siblings_stand_in_the_order_of_a_column, setup, teardown),
		cmocka_unit_test_setup_teardown(the_nearest_ancestor_that_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_his_own_ancestor_is_shown_all_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nobody_is_no_tree, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
