/* SPDX-License-Identifier: GPL-2.0-only */
/* What keys do to top, without a terminal: views, the selected row, lines that are typed, ways back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "view/top_state.h"

static struct top_state at;
static struct top_table table;

/* Rows with these ports, whose identity is the port. */
static void fill(size_t n, const uint16_t *ports)
{
	table.n = 0;
	table.view = at.view;
	for (size_t i = 0; i < n; i++) {
		struct top_row *row = top_table_add(&table);

		assert_non_null(row);
		row->id = (struct top_id){ports[i], 1};
		row->socket.local_port = ports[i];
		row->who.pid = ports[i];
		table.order[i] = (uint32_t)i;
	}
}
#define FILL(...) fill(sizeof((uint16_t[]){__VA_ARGS__}) / 2, (uint16_t[]){__VA_ARGS__})

static void settle(unsigned page)
{
	top_state_settle(&at, &table, page);
}

static uint16_t selected(void)
{
	const struct top_row *row = top_state_row(&at, &table);

	return row ? row->socket.local_port : 0;
}

static const struct top_place *place(void)
{
	return &at.places[at.view];
}

static enum top_wish press(const char *keys)
{
	enum top_wish wish = WISH_NOTHING;

	for (; *keys; keys++)
		wish = top_state_key(&at, (uint32_t)*keys);
	return wish;
}

static int begin(void **state)
{
	top_state_init(&at);
	FILL(10, 20, 30, 40, 50);
	settle(3);
	return 0;
}

static int end(void **state)
{
	top_table_free(&table);
	return 0;
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

static void every_action_has_one_key_and_a_help(void **state)
{
	for (unsigned action = ACT_NONE + 1; action < ACT_COUNT; action++) {
		unsigned found = 0;

		for (size_t i = 0; i < top_n_keys; i++) {
			if (top_keys[i].action != (enum top_action)action)
				continue;
			found++;
			assert_true(*top_keys[i].name && *top_keys[i].help && top_keys[i].keys[0]);
		}
		assert_int_equal(found, 1);
	}
	for (size_t i = 0; i < top_n_keys; i++)
		for (unsigned k = 0; k < 3 && top_keys[i].keys[k]; k++)
			assert_int_equal(top_action_of(top_keys[i].keys[k]), top_keys[i].action);
	assert_int_equal(top_action_of('x'), ACT_NONE);
}

static void views_by_number_and_tab(void **state)
{
	assert_int_equal(press("3"), WISH_READ);
	assert_int_equal(at.view, TOP_CONNECTIONS);
	assert_int_equal(top_state_key(&at, TOP_KEY_TAB), WISH_READ);
	assert_int_equal(at.view, TOP_EPHEMERAL);
	press("5");
	top_state_key(&at, TOP_KEY_TAB);
	assert_int_equal(at.view, TOP_PORTS);
	top_state_key(&at, TOP_KEY_BACK_TAB);
	assert_int_equal(at.view, TOP_EVENTS);
}

/* --- the selected row -------------------------------------------------------------------------------------
 */

static void moving_stays_within_the_table(void **state)
{
	press("k");
	settle(3);
	assert_int_equal(selected(), 10);
	press("jjjjjjjjjj");
	settle(3);
	assert_int_equal(selected(), 50);
	assert_int_equal(place()->first, 2);
	press("g");
	settle(3);
	assert_int_equal(selected(), 10);
	assert_int_equal(place()->first, 0);
	press("G");
	settle(3);
	assert_int_equal(selected(), 50);
	top_state_key(&at, TOP_KEY_PAGE_UP);
	settle(3);
	assert_int_equal(selected(), 20);
}

static void the_row_is_known_by_what_it_is(void **state)
{
	press("j");
	settle(3);
	assert_int_equal(selected(), 20);
	FILL(5, 6, 10, 20, 30, 40);
	settle(3);
	assert_int_equal(selected(), 20);
	assert_int_equal(place()->first, 0); /* it does not jump there by itself */
	press("f");
	settle(3);
	assert_int_equal(place()->first, 1); /* but with follow */
}

static void another_takes_its_place_when_it_goes(void **state)
{
	press("j");
	settle(3);
	FILL(10, 30, 40);
	settle(3);
	assert_int_equal(selected(), 30);
	FILL(10);
	settle(3);
	assert_int_equal(selected(), 10);
	table.n = 0;
	settle(3);
	assert_null(top_state_row(&at, &table));
	assert_int_equal(at.selected.pid, 0);
}

static void nobody_has_moved_the_first_row_is_selected(void **state)
{
	FILL(5, 10, 20);
	settle(3);
	assert_int_equal(selected(), 5);
}

static void events_stay_with_the_newest(void **state)
{
	press("5");
	FILL(1, 2, 3, 4, 5);
	settle(3);
	assert_int_equal(selected(), 5);
	FILL(1, 2, 3, 4, 5, 6, 7);
	settle(3);
	assert_int_equal(selected(), 7);
	press("k");
	settle(3);
	FILL(1, 2, 3, 4, 5, 6, 7, 8);
	settle(3);
	assert_int_equal(selected(), 6);
	press("G");
	settle(3);
	FILL(1, 2, 3, 4, 5, 6, 7, 8, 9);
	settle(3);
	assert_int_equal(selected(), 9);
}

static void sorting_goes_round_the_columns_shown(void **state)
{
	at.n_shown[TOP_PORTS] = 3;
	at.shown[TOP_PORTS][0] = 0;
	at.shown[TOP_PORTS][1] = 4; /* SERVICE, which is no order */
	at.shown[TOP_PORTS][2] = 5; /* PID */
	press("s");
	assert_int_equal(place()->sort, 5);
	assert_string_equal(at.message, "sorted by PID");
	press("s");
	assert_int_equal(place()->sort, 0);
	press("S");
	settle(3);
	assert_int_equal(selected(), 50);
}

/* --- lines that are typed ---------------------------------------------------------------------------------
 */

static void a_filter_is_tried_with_each_key(void **state)
{
	press("/");
	assert_int_equal(at.mode, MODE_FILTER);
	assert_int_equal(press("p"), WISH_FILTER);
	top_state_filter(&at, "expected a key", 0);
	assert_int_equal(top_state_key(&at, TOP_KEY_ENTER), WISH_DRAW);
	assert_int_equal(at.mode, MODE_FILTER); /* what is wrong stays in sight */
	assert_string_equal(at.filter, "");
	assert_int_equal(press("ort 80"), WISH_FILTER);
	top_state_filter(&at, NULL, 0);
	assert_string_equal(at.filter, "port 80");
	top_state_key(&at, TOP_KEY_ENTER);
	assert_int_equal(at.mode, MODE_TABLE);
}

static void escape_brings_the_filter_back(void **state)
{
	press("/x");
	top_state_filter(&at, NULL, 0);
	top_state_key(&at, TOP_KEY_ENTER);
	press("/yz");
	top_state_filter(&at, NULL, 0);
	assert_string_equal(at.filter, "xyz");
	assert_int_equal(top_state_key(&at, TOP_KEY_ESCAPE), WISH_FILTER);
	assert_string_equal(at.edit.text, "x");
	assert_int_equal(at.mode, MODE_TABLE);
}

static void escape_backs_out_one_step(void **state)
{
	press("/x");
	top_state_filter(&at, NULL, 0);
	top_state_key(&at, TOP_KEY_ENTER);
	press(" ");
	assert_true(at.frozen);
	press("?");
	top_state_key(&at, TOP_KEY_ESCAPE);
	assert_int_equal(at.mode, MODE_TABLE);
	assert_true(at.frozen);
	top_state_key(&at, TOP_KEY_ESCAPE);
	assert_false(at.frozen);
	assert_string_equal(at.filter, "x");
	assert_int_equal(top_state_key(&at, TOP_KEY_ESCAPE), WISH_FILTER);
	assert_string_equal(at.edit.text, "");
}

static void the_line_is_edited(void **state)
{
	press("/abd");
	top_state_key(&at, TOP_KEY_LEFT);
	press("c");
	assert_string_equal(at.edit.text, "abcd");
	top_state_key(&at, 0xe9); /* é */
	assert_string_equal(at.edit.text, "abcéd");
	top_state_key(&at, TOP_KEY_BACKSPACE);
	top_state_key(&at, TOP_KEY_DELETE);
	assert_string_equal(at.edit.text, "abc");
	assert_int_equal(top_state_key(&at, 0x01), WISH_NOTHING); /* a control character is no text */
	assert_int_equal(top_state_key(&at, 0x202e), WISH_NOTHING);
	top_state_key(&at, TOP_KEY_ERASE);
	assert_string_equal(at.edit.text, "");
	for (unsigned i = 0; i < 2 * LINE_EDIT_MAX; i++)
		top_state_key(&at, 0x4e2d);
	assert_true(at.edit.length < LINE_EDIT_MAX);
	assert_int_equal(at.edit.length % 3, 0);
}

static void type_delay(const char *text)
{
	press("d");
	top_state_key(&at, TOP_KEY_ERASE);
	press(text);
	top_state_key(&at, TOP_KEY_ENTER);
}

static void the_delay_is_bounded(void **state)
{
	type_delay("0.5");
	assert_int_equal(at.delay_ns, 500000000);
	type_delay("0.01");
	assert_true(at.message_is_error);
	type_delay("nan");
	assert_true(at.message_is_error);
	type_delay("1e300");
	assert_true(at.message_is_error);
	type_delay("2 apples");
	assert_true(at.message_is_error);
	assert_int_equal(at.delay_ns, 500000000);
	type_delay("2s");
	assert_int_equal(at.delay_ns, 2000000000);
	assert_int_equal(at.mode, MODE_TABLE);
}

/* --- what is done to the world ----------------------------------------------------------------------------
 */

static void a_signal_is_confirmed_with_a_name(void **state)
{
	strcpy(table.rows[0].who.comm, "nginx");
	table.rows[0].who.start_ns = 99;
	settle(3);
	press("K");
	assert_int_equal(at.mode, MODE_SIGNAL);
	assert_string_equal(at.edit.text, "TERM");
	top_state_key(&at, TOP_KEY_ENTER);
	assert_int_equal(at.mode, MODE_CONFIRM);
	/* The table moves on: it is still the same process. */
	FILL(5, 10);
	settle(3);
	assert_int_equal(press("y"), WISH_SIGNAL);
	assert_int_equal(at.victim.pid, 10);
	assert_int_equal(at.victim.start_ns, 99);
	assert_int_equal(at.victim.signal, 15);
	assert_string_equal(at.victim.comm, "nginx");
}

static void only_yes_is_yes(void **state)
{
	static const uint32_t others[] = {'n', TOP_KEY_ENTER, ' ', TOP_KEY_ESCAPE, 'q', 'K'};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		press("K");
		top_state_key(&at, TOP_KEY_ENTER);
		assert_int_equal(top_state_key(&at, others[i]), WISH_DRAW);
		assert_int_equal(at.mode, MODE_TABLE);
	}
}

static void type_signal(const char *name)
{
	press("K");
	top_state_key(&at, TOP_KEY_ERASE);
	press(name);
	top_state_key(&at, TOP_KEY_ENTER);
}

static void signals_by_name_and_number(void **state)
{
	type_signal("sigkill");
	assert_int_equal(at.victim.signal, 9);
	press("n");
	type_signal("2");
	assert_int_equal(at.victim.signal, 2);
	press("n");
	type_signal("0");
	assert_int_equal(at.mode, MODE_TABLE);
	assert_true(at.message_is_error);
	type_signal("BLUE");
	assert_int_equal(at.mode, MODE_TABLE);
}

static void nobody_is_signalled_from_a_recording(void **state)
{
	at.recording = true;
	press("K");
	assert_int_equal(at.mode, MODE_TABLE);
	at.recording = false;
	table.rows[0].who.pid = 0;
	settle(3);
	press("K");
	assert_int_equal(at.mode, MODE_TABLE);
	assert_true(at.message_is_error);
}

static void only_a_recording_has_a_clock(void **state)
{
	assert_int_equal(press("p"), WISH_DRAW);
	at.recording = true;
	assert_int_equal(press("p"), WISH_PAUSE);
	assert_int_equal(press("<"), WISH_SLOWER);
	assert_int_equal(press(">"), WISH_FASTER);
	assert_int_equal(top_state_key(&at, TOP_KEY_LEFT), WISH_BACK);
	assert_int_equal(top_state_key(&at, TOP_KEY_RIGHT), WISH_FORWARD);
}

static void q_leaves_the_help_first(void **state)
{
	press("?");
	assert_int_equal(press("q"), WISH_DRAW);
	assert_int_equal(press("q"), WISH_QUIT);
	assert_int_equal(top_state_key(&at, TOP_KEY_ENTER), WISH_DETAILS);
	assert_int_equal(top_state_key(&at, TOP_KEY_ENTER), WISH_DRAW);
	assert_int_equal(at.mode, MODE_TABLE);
}

static void text_is_scrolled(void **state)
{
	press("?");
	at.n_lines = 10;
	at.page = 4;
	press("jj");
	assert_int_equal(at.scroll, 2);
	press("G");
	assert_int_equal(at.scroll, 6);
	press("k");
	assert_int_equal(at.scroll, 5);
	press("g");
	assert_int_equal(at.scroll, 0);
	assert_int_equal(place()->cursor, 0);
}

static void files_have_the_views_name(void **state)
{
	strcpy(at.stamp, "20261121-010203");
	press("3w");
	assert_string_equal(at.edit.text, "portsnoop-connections-20261121-010203.txt");
	assert_int_equal(top_state_key(&at, TOP_KEY_ENTER), WISH_WRITE);
	press("w");
	top_state_key(&at, TOP_KEY_ERASE);
	assert_int_equal(top_state_key(&at, TOP_KEY_ENTER), WISH_DRAW);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_action_has_one_key_and_a_help),
		CASE(views_by_number_and_tab),
		CASE(moving_stays_within_the_table),
		CASE(the_row_is_known_by_what_it_is),
		CASE(another_takes_its_place_when_it_goes),
		CASE(nobody_has_moved_the_first_row_is_selected),
		CASE(events_stay_with_the_newest),
		CASE(sorting_goes_round_the_columns_shown),
		CASE(a_filter_is_tried_with_each_key),
		CASE(escape_brings_the_filter_back),
		CASE(escape_backs_out_one_step),
		CASE(the_line_is_edited),
		CASE(the_delay_is_bounded),
		CASE(a_signal_is_confirmed_with_a_name),
		CASE(only_yes_is_yes),
		CASE(signals_by_name_and_number),
		CASE(nobody_is_signalled_from_a_recording),
		CASE(only_a_recording_has_a_clock),
		CASE(q_leaves_the_help_first),
		CASE(text_is_scrolled),
		CASE(files_have_the_views_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
