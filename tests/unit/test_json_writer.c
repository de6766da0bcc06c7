/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/json_writer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int setup(void **state)
{
	struct json_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	json_begin(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	json_free(*state);
	free(*state);
	return 0;
}

/* Ends the document, compares, and begins the next one. */
static void assert_document(struct json_writer *w, const char *expected)
{
	assert_int_equal(json_finish(w), 0);
	assert_string_equal(w->data, expected);
	assert_int_equal(w->length, strlen(expected));
	json_begin(w);
}

static void assert_fails(struct json_writer *w, int error)
{
	assert_int_equal(json_finish(w), error);
	json_begin(w);
}

static void values_are_nested_and_separated(void **state)
{
	struct json_writer *w = *state;

	json_object(w, NULL);
	json_string(w, "a", "x");
	json_object(w, "b");
	json_object_end(w);
	json_array(w, "c");
	json_uint(w, NULL, 1);
	json_int(w, NULL, -2);
	json_array(w, NULL);
	json_array_end(w);
	json_object(w, NULL);
	json_bool(w, "t", true);
	json_bool(w, "f", false);
	json_object_end(w);
	json_array_end(w);
	json_uint(w, "d", 3);
	json_object_end(w);
	assert_document(w, "{\"a\":\"x\",\"b\":{},\"c\":[1,-2,[],{\"t\":true,\"f\":false}],\"d\":3}");
	json_uint(w, NULL, 7);
	assert_document(w, "7");
}

static void commas_begin_anew_in_each_container(void **state)
{
	struct json_writer *w = *state;

	json_array(w, NULL);
	for (unsigned i = 1; i <= 2; i++) {
		json_object(w, NULL);
		json_uint(w, "a", i);
		json_uint(w, "b", i);
		json_object_end(w);
	}
	json_array_end(w);
	assert_document(w, "[{\"a\":1,\"b\":1},{\"a\":2,\"b\":2}]");
}

static void integers_are_exact(void **state)
{
	struct json_writer *w = *state;
	char expected[32];

	/* Around each power of ten, where the number of digits changes. */
	for (uint64_t power = 1;; power *= 10) {
		for (int d = -1; d <= 1; d++) {
			json_uint(w, NULL, power + d);
			snprintf(expected, sizeof(expected), "%" PRIu64, power + d);
			assert_document(w, expected);
			json_int(w, NULL, -(int64_t)(power / 2 + d));
			snprintf(expected, sizeof(expected), "%" PRId64, -(int64_t)(power / 2 + d));
			assert_document(w, expected);
		}
		if (power > UINT64_MAX / 10)
			break;
	}
	json_uint(w, NULL, UINT64_MAX);
	assert_document(w, "18446744073709551615");
	json_int(w, NULL, INT64_MIN);
	assert_document(w, "-9223372036854775808");
	json_int(w, NULL, INT64_MAX);
	assert_document(w, "9223372036854775807");
	json_int(w, NULL, 0);
	assert_document(w, "0");
}

static void assert_double(struct json_writer *w, double value, int decimals, const char *expected)
{
	json_double(w, NULL, value, decimals);
	assert_document(w, expected);
}

static void doubles_are_rounded(void **state)
{
	struct json_writer *w = *state;

	assert_double(w, 0, 0, "0");
	assert_double(w, 0, 3, "0.000");
	assert_double(w, 1.25, 1, "1.3");
	assert_double(w, 12.345678, 3, "12.346");
	assert_double(w, 0.001, 9, "0.001000000");
	assert_double(w, 0.999999, 2, "1.00");
	assert_double(w, 9.5, 0, "10");
	assert_double(w, 0.49999999999999994, 0, "0");
	assert_double(w, -3.75, 2, "-3.75");
	assert_double(w, -0.001, 2, "0.00");
	assert_double(w, -0.0, 1, "0.0");
	assert_double(w, 4294967296.5, 2, "4294967296.50");
	assert_double(w, 9007199254740993.0, 1, "9007199254740992.0");
	assert_double(w, 0x1p63, 1, "9223372036854775808.0");
	assert_double(w, -0x1p64, 0, "-18446744073709551616");
	/* Decimals out of range are brought into it. */
	assert_double(w, 0.5, 12, "0.500000000");
	assert_double(w, 2.25, -1, "2");
}

static void the_largest_double_fits(void **state)
{
	struct json_writer *w = *state;
	char expected[400];

	snprintf(expected, sizeof(expected), "%.9f", -DBL_MAX);
	assert_double(w, -DBL_MAX, 9, expected);
}

static void what_json_cannot_say_is_left_out(void **state)
{
	struct json_writer *w = *state;

	json_object(w, NULL);
	json_double(w, "a", NAN, 1);
	json_double(w, "b", INFINITY, 1);
	json_double(w, "c", -INFINITY, 1);
	json_string(w, "d", NULL);
	json_bool(w, "e", true);
	json_object_end(w);
	assert_document(w, "{\"e\":true}");
}

static void a_locale_changes_nothing(void **state)
{
	static const char *const comma_locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
	struct json_writer *w = *state;
	bool set = false;

	for (size_t i = 0; i < COUNT(comma_locales) && !set; i++)
		set = setlocale(LC_ALL, comma_locales[i]) != NULL;
	if (!set)
		skip();
	assert_double(w, 1234567.5, 1, "1234567.5");
	assert_double(w, 0x1p64, 1, "18446744073709551616.0");
	setlocale(LC_ALL, "C");
}

static void assert_escaped(struct json_writer *w, const char *in, size_t length, const char *expected)
{
	char quoted[256];

	snprintf(quoted, sizeof(quoted), "\"%s\"", expected);
	json_string_n(w, NULL, in, length);
	assert_document(w, quoted);
}

#define BYTES(literal) literal, sizeof(literal) - 1

static void control_characters_are_escaped(void **state)
{
	struct json_writer *w = *state;
	char expected[8], in;

	assert_escaped(w, BYTES("\"\\/"), "\\\"\\\\/");
	assert_escaped(w, BYTES("\b\f\n\r\t"), "\\b\\f\\n\\r\\t");
	assert_escaped(w, BYTES("a\0b"), "a\\u0000b");
	for (in = 1; in < 0x20; in++) {
		if (strchr("\b\f\n\r\t", in))
			continue;
		snprintf(expected, sizeof(expected), "\\u%04x", in);
		assert_escaped(w, &in, 1, expected);
	}
	assert_escaped(w, BYTES("~\x7f"), "~\\u007f");
	for (unsigned char c = 0x80; c < 0xa0; c++) {
		const char c1[] = {'\xc2', (char)c};

		snprintf(expected, sizeof(expected), "\\u%04x", c);
		assert_escaped(w, c1, sizeof(c1), expected);
	}
	assert_escaped(w, BYTES("\xc2\xa0"), "\xc2\xa0");
}

static void layout_characters_are_escaped(void **state)
{
	assert_escaped(*state, BYTES("a\xe2\x80\xae\xe2\x80\xa8z"), "a\\u202e\\u2028z");
}

#define BAD "\xef\xbf\xbd"

/* The examples of Unicode 15.0, tables 3-8 to 3-11, and cuts at the end. */
static void invalid_utf8_is_replaced(void **state)
{
	struct json_writer *w = *state;

	assert_escaped(w, BYTES("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"), BAD BAD BAD BAD BAD BAD BAD BAD "A");
	assert_escaped(w, BYTES("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"), BAD BAD BAD BAD BAD BAD BAD BAD "A");
	assert_escaped(w, BYTES("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"), BAD BAD BAD BAD BAD "A" BAD BAD "B");
	assert_escaped(w, BYTES("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), BAD BAD BAD BAD "A");
	assert_escaped(w, BYTES("\xc3"), BAD);
	assert_escaped(w, BYTES("\xe2\x82"), BAD);
	assert_escaped(w, BYTES("\xf0\x9f\x90\""), BAD "\\\"");
}

static void valid_utf8_stays(void **state)
{
	assert_escaped(*state,
		       BYTES("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3 \xf4\x8f\xbf\xbf \xef\xbf\xbd"),
		       "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3 \xf4\x8f\xbf\xbf \xef\xbf\xbd");
}

/* Every length up to beyond the first growths, made of what needs all the room it asked for. */
static void the_buffer_grows(void **state)
{
	static const char worst[2100 / 6] = {0};
	static const char keys[] = "kkkkkk";

	for (size_t length = 20; length < 2100; length++) {
		struct json_writer w = {0};
		size_t rest = length - strlen("{\"\":0,\"\":\"\"}");
		const char *key = keys + strlen(keys) - rest % 6;

		json_begin(&w);
		json_object(&w, NULL);
		json_uint(&w, "", 0);
		json_string_n(&w, key, worst, rest / 6);
		json_object_end(&w);
		assert_int_equal(json_finish(&w), 0);
		assert_int_equal(w.length, length);
		assert_true(w.length < w.capacity);
		assert_int_equal(strlen(w.data), length);
		json_free(&w);
	}
}

static void the_buffer_is_reused(void **state)
{
	struct json_writer *w = *state;
	const char *data;

	json_uint(w, NULL, 1);
	assert_int_equal(json_finish(w), 0);
	data = w->data;
	json_begin(w);
	json_uint(w, NULL, 2);
	assert_document(w, "2");
	assert_ptr_equal(w->data, data);
}

static void depth_is_limited(void **state)
{
	struct json_writer *w = *state;

	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array(w, NULL);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array_end(w);
	assert_document(w, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
	for (int i = 0; i < JSON_DEPTH_MAX + 1; i++)
		json_array(w, NULL);
	for (int i = 0; i < JSON_DEPTH_MAX + 1; i++)
		json_array_end(w);
	assert_fails(w, -E2BIG);
}

static void size_is_limited(void **state)
{
	struct json_writer *w = *state;

	/* Refused before a byte of it is read. */
	json_string_n(w, NULL, "", SIZE_MAX / 6 + 2);
	assert_fails(w, -E2BIG);
	json_string_n(w, NULL, "", JSON_SIZE_MAX / 6);
	assert_fails(w, -E2BIG);
}

static void misuse_is_noticed(void **state)
{
	struct json_writer *w = *state;

	assert_fails(w, -EINVAL); /* nothing at all */
	json_object(w, NULL);
	assert_fails(w, -EINVAL); /* not closed */
	json_object(w, NULL);
	json_array_end(w);
	assert_fails(w, -EINVAL); /* closed as another */
	json_object_end(w);
	assert_fails(w, -EINVAL); /* closed without having been opened */
	json_uint(w, NULL, 1);
	json_uint(w, NULL, 2);
	assert_fails(w, -EINVAL); /* two at the top */
	json_object(w, NULL);
	json_uint(w, NULL, 1);
	json_object_end(w);
	assert_fails(w, -EINVAL); /* no key */
	json_array(w, NULL);
	json_uint(w, "a", 1);
	json_array_end(w);
	assert_fails(w, -EINVAL); /* a key */
	json_uint(w, "a", 1);
	assert_fails(w, -EINVAL); /* a key at the top */
}

static void the_first_error_sticks(void **state)
{
	struct json_writer *w = *state;

	json_object(w, NULL);
	json_array_end(w);
	json_string_n(w, "a", "", SIZE_MAX);
	json_object_end(w);
	assert_int_equal(json_finish(w), -EINVAL);
	assert_int_equal(json_finish(w), -EINVAL);
	json_begin(w);
	json_bool(w, NULL, false);
	assert_document(w, "false");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_are_nested_and_separated),
		TEST(commas_begin_anew_in_each_container),
		TEST(integers_are_exact),
		TEST(doubles_are_rounded),
		TEST(the_largest_double_fits),
		TEST(what_json_cannot_say_is_left_out),
		TEST(a_locale_changes_nothing),
		TEST(control_characters_are_escaped),
		TEST(layout_characters_are_escaped),
		TEST(invalid_utf8_is_replaced),
		TEST(valid_utf8_stays),
		TEST(the_buffer_grows),
		TEST(the_buffer_is_reused),
		TEST(depth_is_limited),
		TEST(size_is_limited),
		TEST(misuse_is_noticed),
		TEST(the_first_error_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
