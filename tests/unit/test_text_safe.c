/* SPDX-License-Identifier: GPL-2.0-only */
/* text_safe() and the UTF-8 decoder below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/text_safe.h"
#include "io/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Bytes with NULs inside: a literal and its length. */
#define BYTES(literal) literal, sizeof(literal) - 1

static void assert_safe(const char *in, size_t in_len, const char *expected)
{
	char out[256];

	assert_int_equal(text_safe(out, sizeof(out), in, in_len), strlen(expected));
	assert_string_equal(out, expected);
}

static void printable_text_stays(void **state)
{
	assert_safe(BYTES(""), "");
	assert_safe(BYTES("nginx: worker ~"), "nginx: worker ~");
	assert_safe(BYTES("C:\\x1b"), "C:\\x1b");
	assert_safe(BYTES("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3"),
		    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3");
	/* The first ones behind C1, and the ones around the surrogates. */
	assert_safe(BYTES("\xc2\xa0\xed\x9f\xbf\xee\x80\x80"), "\xc2\xa0\xed\x9f\xbf\xee\x80\x80");
}

static void control_characters_are_shown(void **state)
{
	assert_safe(BYTES("\x1b[2J"), "\\x1b[2J");
	assert_safe(BYTES("a\0b\nc\td\x7f"), "a\\x00b\\x0ac\\x09d\\x7f");
	assert_safe(BYTES("\xc2\x9b"
			  "2J\xc2\x80\xc2\x85"),
		    "\\xc2\\x9b2J\\xc2\\x80\\xc2\\x85");
}

static void invalid_utf8_is_shown(void **state)
{
	assert_safe(BYTES("\x9b\xff"), "\\x9b\\xff");
	assert_safe(BYTES("\xc0\xaf"), "\\xc0\\xaf");
	assert_safe(BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80");
	assert_safe(BYTES("\xe2\x82"), "\\xe2\\x82");
	assert_safe(BYTES("\xe2\x82z"), "\\xe2\\x82z");
	assert_safe(BYTES("\xf0\x9f\x90"), "\\xf0\\x9f\\x90");
}

static void reordering_is_shown(void **state)
{
	assert_safe(BYTES("a\xe2\x80\xae"
			  "b"),
		    "a\\u{202e}b");
	assert_safe(BYTES("\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9"), "\\u{202a}\\u{2066}\\u{2069}");
	assert_safe(BYTES("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"), "\\u{200e}\\u{200f}\\u{061c}");
	assert_safe(BYTES("\xe2\x80\xa8\xe2\x80\xa9"), "\\u{2028}\\u{2029}");
	/* Their neighbours are ordinary. */
	assert_safe(BYTES("\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xaa"),
		    "\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xaa");
}

/* Every size of out: the longest run of whole pieces that fits, a NUL behind it, nothing beyond. */
static void a_cut_spares_sequences(void **state)
{
	static const char in[] = "a\xe2\x82\xac\x1b\xe2\x80\xae\xf0\x9f\x90\xb3z\xf0\x9f\x90";
	static const char *const pieces[] = {"a", "\xe2\x82\xac",   "\\x1b", "\\u{202e}", "\xf0\x9f\x90\xb3",
					     "z", "\\xf0\\x9f\\x90"};
	char expected[64], out[64];

	for (size_t size = 1; size <= sizeof(out); size++) {
		expected[0] = '\0';
		for (size_t i = 0; i < COUNT(pieces) && strlen(expected) + strlen(pieces[i]) < size; i++)
			strcat(expected, pieces[i]);
		memset(out, '#', sizeof(out));
		assert_int_equal(text_safe(out, size, in, strlen(in)), strlen(expected));
		assert_string_equal(out, expected);
		for (size_t i = size; i < sizeof(out); i++)
			assert_int_equal(out[i], '#');
	}
	out[0] = '#';
	assert_int_equal(text_safe(out, 0, in, strlen(in)), 0);
	assert_int_equal(out[0], '#');
}

static void the_advised_size_suffices(void **state)
{
	static const char in[] = "\xff\xff\xc2\x9b\xd8\x9c\xf0\x9f\x90\x01";
	char out[TEXT_SAFE_SIZE(sizeof(in) - 1)];

	assert_int_equal(text_safe(out, sizeof(out), in, sizeof(in) - 1), sizeof(out) - 1);
}

/* Every code point, encoded here by the book, comes back; one byte less is its maximal subpart. */
static void every_code_point_is_decoded(void **state)
{
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		unsigned char text[4];
		size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
		uint32_t got;

		for (size_t i = size - 1, rest = code; i > 0; i--, rest >>= 6)
			text[i] = 0x80 | (rest & 0x3f);
		text[0] = leads[size] | code >> (6 * (size - 1));
		if (code >= 0xd800 && code < 0xe000) {
			assert_int_equal(utf8_decode(text, size, &got), 1);
			assert_int_equal(got, UTF8_INVALID);
			continue;
		}
		assert_int_equal(utf8_decode(text, size, &got), size);
		assert_int_equal(got, code);
		if (size == 1)
			continue;
		assert_int_equal(utf8_decode(text, size - 1, &got), size - 1);
		assert_int_equal(got, UTF8_INVALID);
	}
}

static void ill_formed_sequences_are_refused(void **state)
{
	static const struct {
		const char *text;
		size_t subpart;
	} cases[] = {
		{"\x80", 1},
		{"\xbf", 1},
		{"\xc0\x80", 1},
		{"\xc1\xbf", 1},
		{"\xc3\x28", 1},
		{"\xe0\x80\x80", 1},
		{"\xe0\x9f\xbf", 1},
		{"\xe2\x28\xa1", 1},
		{"\xe2\x82\x28", 2},
		{"\xed\xa0\x80", 1},
		{"\xed\xbf\xbf", 1},
		{"\xf0\x80\x80\x80", 1},
		{"\xf0\x8f\xbf\xbf", 1},
		{"\xf0\x9f\x90\x28", 3},
		{"\xf4\x90\x80\x80", 1},
		{"\xf5\x80\x80\x80", 1},
		{"\xf8\x88\x80\x80\x80", 1},
		{"\xfe", 1},
		{"\xff", 1},
		{"\xf1\x80\xc0\x80", 2},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t code;

		assert_int_equal(utf8_decode(cases[i].text, strlen(cases[i].text), &code), cases[i].subpart);
		assert_int_equal(code, UTF8_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable_text_stays),
		cmocka_unit_test(control_characters_are_shown),
		cmocka_unit_test(invalid_utf8_is_shown),
		cmocka_unit_test(reordering_is_shown),
		cmocka_unit_test(a_cut_spares_sequences),
		cmocka_unit_test(the_advised_size_suffices),
		cmocka_unit_test(every_code_point_is_decoded),
		cmocka_unit_test(ill_formed_sequences_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
