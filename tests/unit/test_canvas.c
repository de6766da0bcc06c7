/* SPDX-License-Identifier: GPL-2.0-only */
/* A screen in memory: nothing leaves its cell, whatever bytes it has; and a whole screen of top at every
 * size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "model_fixture.h"
#include "top_scene.h"

static struct canvas canvas;

static int begin(void **state)
{
	canvas = (struct canvas){.utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL};
	assert_true(canvas.utf8);
	return canvas_resize(&canvas, 4, 10);
}

static int end(void **state)
{
	canvas_free(&canvas);
	return 0;
}

static unsigned put(unsigned y, unsigned x, unsigned width, const char *text)
{
	return canvas_put(&canvas, y, x, width, STYLE_PLAIN, text, strlen(text));
}

static const char *line(unsigned y)
{
	static char buf[4096];

	return canvas_text(&canvas, y, buf);
}

static void text_stays_in_its_columns(void **state)
{
	assert_int_equal(put(0, 2, 3, "abcdef"), 3);
	assert_string_equal(line(0), "  abc");
	assert_int_equal(put(1, 8, 100, "abcdef"), 2);
	assert_string_equal(line(1), "        ab");
	assert_int_equal(put(4, 0, 5, "x"), 0);
	assert_int_equal(put(0, 10, 5, "x"), 0);
	assert_string_equal(line(2), "");
}

static void hostile_bytes_take_one_cell_each(void **state)
{
	assert_int_equal(put(0, 0, 10, "a\x1b[2Jb"), 6);
	assert_string_equal(line(0), "a?[2Jb");
	put(1, 0, 10, "\n\r\t\x7f\xc2\x9b|");
	assert_string_equal(line(1), "?????|");
	put(2, 0, 10, "\xff\xe2\x82|\xe2\x80\xae|"); /* broken, cut, right-to-left override */
	assert_string_equal(line(2), "??|?|");
	put(3, 0, 10, "e\xcc\x81\xcc\x81\xcc\x81|"); /* accents upon accents */
	assert_string_equal(line(3), "e???|");
}

static void wide_characters_are_whole_or_not_there(void **state)
{
	assert_int_equal(put(0, 0, 5, "中文中"), 4);
	assert_string_equal(line(0), "中文");
	put(0, 1, 1, "x"); /* on the second half of the first */
	assert_string_equal(line(0), " x文");
	put(0, 2, 1, "y"); /* on the first half of the other */
	assert_string_equal(line(0), " xy");
}

static void ascii_is_all_that_some_terminals_have(void **state)
{
	canvas.utf8 = false;
	put(0, 0, 10, "a→b µs…中");
	assert_string_equal(line(0), "a>b us~?");
}

/* --- a whole screen ---------------------------------------------------------------------------------------
 */

struct desk {
	struct fixture *f;
	struct top_scene scene;
};

static void listens(struct desk *desk, uint64_t cookie, uint16_t port, const char *comm)
{
	struct fixture *f = desk->f;

	make_fact(&f->record, REC_LISTEN, (uint32_t)(700 + cookie), cookie, port);
	snprintf(f->record.fact.task.comm, REC_COMM_LEN, "%s", comm);
	f->record.fact.socket.state = TCP_LISTEN;
	apply(f);
	top_scene_take(&desk->scene, f->model, &f->change);
}

static void open_desk(struct desk *desk, void **state)
{
	static const char *const names[] = {"nginx", "\x1b]0;title\x07", "a\nb", "\xff\xc0\x80",
					    "\302\23331m"};

	assert_int_equal(setup(state), 0);
	desk->f = *state;
	assert_true(top_scene_open(&desk->scene));
	apply_meta(desk->f, META_HOST, 0, "host\x1b[31m");
	for (unsigned i = 0; i < 40; i++)
		listens(desk, i + 1, (uint16_t)(8000 + i), names[i % 5]);
}

static void close_desk(struct desk *desk, void **state)
{
	top_scene_close(&desk->scene);
	teardown(state);
}

static void show(struct desk *desk, unsigned rows, unsigned columns)
{
	assert_int_equal(top_scene_read(&desk->scene, desk->f->model, desk->f->now_ns), 0);
	top_layout_reset(&desk->scene.layout);
	assert_int_equal(canvas_resize(&canvas, rows, columns), 0);
	top_scene_draw(&desk->scene, desk->f->model, &canvas);
}

/* No control character, whatever names processes have. */
static void check_cells(void)
{
	for (size_t i = 0; i < (size_t)canvas.rows * canvas.columns; i++)
		assert_true(canvas.cells[i].code == 0 || canvas.cells[i].code >= ' ');
	for (size_t i = 0; i < (size_t)canvas.rows * canvas.columns; i++)
		assert_false(canvas.cells[i].code >= 0x7f && canvas.cells[i].code < 0xa0);
}

static void every_view_at_every_size(void **state)
{
	static const unsigned sizes[][2] = {{1, 1},   {2, 20},	{4, 8},	   {5, 40},  {10, 40},
					    {24, 80}, {25, 79}, {50, 160}, {60, 200}};
	struct desk desk;

	open_desk(&desk, state);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned view = 0; view < TOP_VIEWS; view++) {
			desk.scene.state.view = (enum top_view)view;
			for (unsigned mode = 0; mode <= MODE_CONFIRM; mode++) {
				desk.scene.state.mode = (enum top_mode)mode;
				show(&desk, sizes[i][0], sizes[i][1]);
				check_cells();
			}
			desk.scene.state.mode = MODE_TABLE;
		}
	close_desk(&desk, state);
}

static bool screen_has(const char *text)
{
	for (unsigned y = 0; y < canvas.rows; y++)
		if (strstr(line(y), text))
			return true;
	return false;
}

static void a_small_screen_shows_what_matters(void **state)
{
	struct desk desk;

	open_desk(&desk, state);
	show(&desk, 10, 40);
	assert_true(screen_has("PORT"));
	assert_true(screen_has("PROCESS"));
	assert_true(screen_has("8000"));
	assert_true(screen_has("nginx"));
	assert_true(screen_has("8005")); /* ten lines, six of them rows */
	assert_false(screen_has("8006"));
	assert_false(screen_has("ADDRESS"));
	close_desk(&desk, state);
}

static void the_selected_line_is_marked(void **state)
{
	struct desk desk;
	unsigned marked = 0;

	open_desk(&desk, state);
	show(&desk, 20, 80);
	top_state_key(&desk.scene.state, 'j');
	show(&desk, 20, 80);
	for (unsigned y = 0; y < canvas.rows; y++) {
		if (!canvas.cells[y * canvas.columns].marked)
			continue;
		marked++;
		assert_non_null(strstr(line(y), "8001"));
	}
	assert_int_equal(marked, 1);
	close_desk(&desk, state);
}

static void a_figure_is_whole_or_not_there(void **state)
{
	struct top_line text;

	assert_int_equal(canvas_resize(&canvas, 2, 20), 0);
	top_line_begin(&text);
	top_line_put(&text, STYLE_DIM, "ports ");
	top_line_put(&text, STYLE_PLAIN, "1234");
	top_line_put(&text, STYLE_DIM, "  listening ");
	top_line_put(&text, STYLE_PLAIN, "5678");
	assert_int_equal(canvas_put_line(&canvas, 0, 0, 20, &text), 10);
	assert_string_equal(line(0), "ports 1234 …");
	canvas_clear(&canvas);
	top_line_begin(&text);
	top_line_put(&text, STYLE_PLAIN, "28232 ports; 12345 in use");
	canvas_put_line(&canvas, 1, 0, 17, &text);
	assert_string_equal(line(1), "28232 ports; …");
}

/* Nothing of the details is cut, and what goes on stands further in. */
static void long_lines_go_on_below(void **state)
{
	static const char *const lines[] = {"title", "    a command with words of which some do not fit",
					    "    aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"};
	struct desk desk;

	open_desk(&desk, state);
	desk.scene.lines = lines;
	desk.scene.n_lines = 3;
	desk.scene.state.mode = MODE_DETAILS;
	show(&desk, 20, 30);
	assert_true(screen_has("    a command with words of"));
	assert_true(screen_has("        which some do not fit"));
	assert_true(screen_has("    aaaaaaaaaabbbbbbbbbbcccccc"));
	assert_true(screen_has("        ccccdddddddddd"));
	assert_int_equal(desk.scene.state.n_lines, 5);
	desk.scene.state.scroll = 4;
	show(&desk, 7, 30); /* so few lines that it must be scrolled to see the end */
	assert_true(screen_has("        ccccdddddddddd"));
	assert_false(screen_has("title"));
	close_desk(&desk, state);
}

static void no_hint_is_cut(void **state)
{
	struct desk desk;

	open_desk(&desk, state);
	for (unsigned columns = 20; columns < 120; columns++) {
		const char *last;

		show(&desk, 20, columns);
		assert_ptr_equal(strstr(line(19), "? help"), line(19));
		assert_non_null(strstr(line(19), "1/40"));
		last = strstr(line(19), "Space");
		assert_true(!last || !strncmp(last, "Space freeze", 12));
	}
	close_desk(&desk, state);
}

static void a_wrong_filter_has_a_caret(void **state)
{
	struct desk desk;

	open_desk(&desk, state);
	for (const char *key = "/port x"; *key; key++)
		top_state_key(&desk.scene.state, (uint32_t)*key);
	top_state_filter(&desk.scene.state, "expected a port", 5);
	show(&desk, 20, 80);
	assert_string_equal(line(18), "/port x");
	assert_string_equal(line(19), "      ^ expected a port");
	assert_true(canvas.cursor_shown);
	assert_int_equal(canvas.cursor_x, 7);
	close_desk(&desk, state);
}

/* Whoever types whatever, on a screen of whatever size: what is drawn is a screen, and the cursor is on it.
 */
static void any_keys_at_any_size(void **state)
{
	static const uint32_t others[] = {TOP_KEY_UP,	 TOP_KEY_DOWN,	 TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN,
					  TOP_KEY_ENTER, TOP_KEY_LEFT,	 TOP_KEY_RIGHT,	  TOP_KEY_ESCAPE,
					  TOP_KEY_TAB,	 TOP_KEY_END,	 TOP_KEY_HOME,	  TOP_KEY_BACKSPACE,
					  0x4e2d,	 TOP_KEY_DELETE, 0x202e,	  TOP_KEY_BACK_TAB};
	uint32_t seed = 1;
	struct desk desk;

	open_desk(&desk, state);
	for (unsigned i = 0; i < 4000; i++) {
		uint32_t number = (seed = seed * 1103515245u + 12345u) >> 8;
		uint32_t key = number & 1 ? others[number / 2 % 16] : ' ' + number / 2 % 95;

		desk.scene.state.recording = number >> 12 & 1;
		if (top_state_key(&desk.scene.state, key) == WISH_FILTER)
			top_state_filter(&desk.scene.state, number & 2 ? "wrong" : NULL,
					 desk.scene.state.edit.cursor);
		show(&desk, 1 + number / 64 % 40, 1 + number / 4096 % 150);
		check_cells();
		if (canvas.cursor_shown)
			assert_true(canvas.cursor_y < canvas.rows && canvas.cursor_x < canvas.columns);
	}
	close_desk(&desk, state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text_stays_in_its_columns, begin, end),
		cmocka_unit_test_setup_teardown(hostile_bytes_take_one_cell_each, begin, end),
		cmocka_unit_test_setup_teardown(wide_characters_are_whole_or_not_there, begin, end),
		cmocka_unit_test_setup_teardown(ascii_is_all_that_some_terminals_have, begin, end),
		cmocka_unit_test_setup_teardown(every_view_at_every_size, begin, end),
		cmocka_unit_test_setup_teardown(a_small_screen_shows_what_matters, begin, end),
		cmocka_unit_test_setup_teardown(the_selected_line_is_marked, begin, end),
		cmocka_unit_test_setup_teardown(a_figure_is_whole_or_not_there, begin, end),
		cmocka_unit_test_setup_teardown(long_lines_go_on_below, begin, end),
		cmocka_unit_test_setup_teardown(no_hint_is_cut, begin, end),
		cmocka_unit_test_setup_teardown(a_wrong_filter_has_a_caret, begin, end),
		cmocka_unit_test_setup_teardown(any_keys_at_any_size, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
