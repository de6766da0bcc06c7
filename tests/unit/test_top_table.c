/* SPDX-License-Identifier: GPL-2.0-only */
/* The order of rows where a screen shows them, and which columns fit on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "view/top_layout.h"
#include "view/top_state.h"

#define ROWS 2000

static struct top_table table;

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static void fill(unsigned n, unsigned different, uint32_t seed)
{
	table.n = 0;
	table.view = TOP_PORTS;
	for (unsigned i = 0; i < n; i++) {
		struct top_row *row = top_table_add(&table);

		assert_non_null(row);
		row->id = (struct top_id){i, 7};
		row->socket.local_port = (uint16_t)(draw(&seed) % different);
		row->in = draw(&seed) % different;
		table.order[i] = i;
	}
}

static int end(void **state)
{
	top_table_free(&table);
	return 0;
}

/* Whether the rows at these places are those of the whole order. */
static void check_order(unsigned column, bool reverse, size_t first, size_t n)
{
	uint32_t *expected = calloc(table.n + 1, sizeof(*expected));

	assert_non_null(expected);
	for (uint32_t i = 0; i < table.n; i++)
		expected[top_table_place(&table, column, reverse, table.rows[i].id)] = i;
	for (size_t i = first; i < first + n && i < table.n; i++)
		assert_int_equal(table.order[i], expected[i]);
	free(expected);
}

static void only_what_is_shown_is_in_order(void **state)
{
	static const size_t firsts[] = {0, 1, 500, ROWS - 40, ROWS - 1};
	unsigned active = (unsigned)top_column_find(TOP_PORTS, "ACTIVE");

	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
		for (unsigned different = 1; different <= 65536; different *= 16) {
			fill(ROWS, different, (uint32_t)i + 1);
			top_table_order(&table, 0, i & 1, firsts[i], 40);
			check_order(0, i & 1, firsts[i], 40);
			top_table_order(&table, active, i & 1, firsts[i], 40);
			check_order(active, i & 1, firsts[i], 40);
		}
}

static void a_second_part_leaves_the_first_in_order(void **state)
{
	fill(ROWS, 50, 3);
	top_table_order(&table, 0, false, 100, 40);
	top_table_order(&table, 0, false, 1900, 1);
	check_order(0, false, 100, 40);
	check_order(0, false, 1900, 1);
}

static void equals_stand_as_they_were_read(void **state)
{
	fill(100, 1, 1);
	top_table_order(&table, 0, false, 0, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(table.order[i], i);
	top_table_order(&table, 0, true, 0, 100); /* nothing moves, whichever way round */
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(table.order[i], i);
}

static void some_columns_begin_with_the_most(void **state)
{
	unsigned active = (unsigned)top_column_find(TOP_PORTS, "active");

	fill(100, 1000, 1);
	top_table_order(&table, active, false, 0, 2);
	assert_true(top_table_at(&table, 0)->in >= top_table_at(&table, 1)->in);
	top_table_order(&table, active, true, 0, 2);
	assert_true(top_table_at(&table, 0)->in <= top_table_at(&table, 1)->in);
}

static void sorted_rows_are_no_trap(void **state)
{
	fill(ROWS, 1, 1);
	for (unsigned i = 0; i < ROWS; i++)
		table.rows[i].socket.local_port = (uint16_t)(ROWS - i);
	top_table_order(&table, 0, false, 0, ROWS);
	check_order(0, false, 0, ROWS);
	top_table_order(&table, 0, false, 0, ROWS);
	check_order(0, false, 0, ROWS);
	fill(0, 1, 1);
	top_table_order(&table, 0, false, 0, 10);
	fill(1, 1, 1);
	top_table_order(&table, 0, false, 0, 10);
	assert_int_equal(table.order[0], 0);
}

static void what_is_not_there_has_no_place(void **state)
{
	fill(10, 10, 1);
	assert_int_equal(top_table_place(&table, 0, false, (struct top_id){999, 7}), 10);
}

static void titles_are_unique_and_found(void **state)
{
	enum top_view view;

	for (unsigned v = 0; v < TOP_VIEWS; v++) {
		unsigned ranks = 0;
		size_t n;
		const struct top_column *columns = top_columns((enum top_view)v, &n);

		assert_true(n > 0 && n <= TOP_COLUMNS_MAX);
		for (size_t i = 0; i < n; i++) {
			assert_true(columns[i].rank < n && !(ranks >> columns[i].rank & 1));
			ranks |= 1u << columns[i].rank;
			assert_true(strlen(columns[i].title) <= columns[i].least);
			assert_true(!columns[i].most || columns[i].most >= columns[i].least);
			assert_int_equal(top_column_find((enum top_view)v, columns[i].title),
					 columns[i].compare ? (int)i : -22);
		}
		assert_int_equal(top_view_find(top_view_name((enum top_view)v), &view), 0);
		assert_int_equal(view, v);
	}
	assert_int_equal(top_view_find("sockets", &view), -22);
}

/* --- columns ----------------------------------------------------------------------------------------------
 */

static bool shows(const struct top_layout *layout, const char *title)
{
	size_t n;
	const struct top_column *columns = top_columns(TOP_PORTS, &n);

	for (unsigned i = 0; i < layout->n; i++)
		if (!strcmp(columns[layout->column[i]].title, title))
			return true;
	return false;
}

static void narrow_terminals_drop_columns_by_rank(void **state)
{
	struct model *model = model_new(NULL);
	const struct top_page page = {.table = &table, .model = model};
	unsigned before = TOP_COLUMNS_MAX + 1;
	size_t n_columns;
	const struct top_column *columns = top_columns(TOP_PORTS, &n_columns);

	fill(20, 60000, 1);
	for (unsigned i = 0; i < 20; i++)
		strcpy(table.rows[i].who.comm, "a-process-name");
	for (unsigned terminal = 240; terminal >= 8; terminal--) {
		struct top_layout layout = {0};
		unsigned least_dropped = 255, most_shown = 0;

		top_layout_fit(&layout, &page, 0, 20, terminal, true);
		assert_true(layout.n >= 1 && layout.n <= before);
		before = layout.n;
		assert_true(layout.x[layout.n - 1] + layout.width[layout.n - 1] <= terminal);
		for (size_t i = 0; i < n_columns; i++) {
			if (shows(&layout, columns[i].title))
				most_shown = columns[i].rank > most_shown ? columns[i].rank : most_shown;
			else if (!columns[i].hidden)
				least_dropped =
					columns[i].rank < least_dropped ? columns[i].rank : least_dropped;
		}
		assert_true(most_shown < least_dropped);
		assert_true(shows(&layout, "PORT"));
		for (unsigned i = 0; i < layout.n && layout.n > 1; i++)
			assert_true(layout.width[i] >= columns[layout.column[i]].least);
	}
	model_free(model);
}

static void widths_only_grow(void **state)
{
	struct model *model = model_new(NULL);
	const struct top_page page = {.table = &table, .model = model};
	struct top_layout layout = {0};
	unsigned wide;

	fill(2, 60000, 1);
	strcpy(table.rows[0].who.comm, "fifteen-letters");
	table.rows[0].who.pid = 4;
	top_layout_fit(&layout, &page, 0, 2, 200, true);
	wide = layout.seen[top_column_find(TOP_PORTS, "PROCESS")];
	assert_int_equal(wide, 15);
	table.rows[0].who.pid = 0;
	top_layout_fit(&layout, &page, 0, 2, 200, true);
	assert_int_equal(layout.seen[top_column_find(TOP_PORTS, "PROCESS")], wide);
	top_layout_reset(&layout);
	top_layout_fit(&layout, &page, 0, 2, 200, true);
	assert_true(layout.seen[top_column_find(TOP_PORTS, "PROCESS")] < wide);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(only_what_is_shown_is_in_order, end),
		cmocka_unit_test_teardown(a_second_part_leaves_the_first_in_order, end),
		cmocka_unit_test_teardown(equals_stand_as_they_were_read, end),
		cmocka_unit_test_teardown(some_columns_begin_with_the_most, end),
		cmocka_unit_test_teardown(sorted_rows_are_no_trap, end),
		cmocka_unit_test_teardown(what_is_not_there_has_no_place, end),
		cmocka_unit_test_teardown(titles_are_unique_and_found, end),
		cmocka_unit_test_teardown(narrow_terminals_drop_columns_by_rank, end),
		cmocka_unit_test_teardown(widths_only_grow, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
