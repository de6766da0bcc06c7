/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/label_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define VALUE_MAX 40

/* Exactly as much as is promised to be enough. */
static void expect(const char *value, size_t length, const char *wanted)
{
	char in[VALUE_MAX + 1], out[VALUE_MAX * LABEL_VALUE_GROWTH + LABEL_VALUE_SLACK];
	const char *at = in;
	char *end;

	memcpy(in, value, length);
	in[length] = '\0';
	end = label_value_put(out, &at, in + length + 1);
	assert_ptr_equal(at, in + length + 1);
	assert_true(end <= out + length * LABEL_VALUE_GROWTH);
	assert_int_equal(end - out, strlen(wanted));
	assert_memory_equal(out, wanted, strlen(wanted));
}

static const char *told_as(int c, char text[8])
{
	switch (c) {
	case '\n':
		return "\\n";
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	default:
		sprintf(text, c < ' ' || c == 0x7f ? "\\\\x%02x" : "%c", (unsigned char)c);
		return c >= 0x80 ? "\xef\xbf\xbd" : text;
	}
}

/* Each byte at each place of values of each length: eight are looked at at once. */
static void every_byte_everywhere(void **state)
{
	char value[VALUE_MAX], wanted[VALUE_MAX * LABEL_VALUE_GROWTH], text[8];

	for (size_t length = 1; length <= 20; length++)
		for (size_t place = 0; place < length; place++)
			for (int c = 1; c < 256; c++) {
				memset(value, 'x', sizeof(value));
				value[place] = (char)c;
				snprintf(wanted, sizeof(wanted), "%.*s%s%.*s", (int)place, value,
					 told_as(c, text), (int)(length - place - 1), value + place + 1);
				expect(value, length, wanted);
			}
}

/* What borrows from the byte before it must not be taken for special, nor the other way round. */
static void pairs(void **state)
{
	char value[9] = "xxxxxxxx", wanted[32], first[8], second[8];

	for (int a = 1; a < 0x80; a++)
		for (int b = 1; b < 0x80; b++) {
			value[3] = (char)a;
			value[4] = (char)b;
			snprintf(wanted, sizeof(wanted), "xxx%s%sxxx", told_as(a, first), told_as(b, second));
			expect(value, 8, wanted);
		}
}

/* Whoever reads the metrics in a terminal is not to be deceived. */
static void what_terminals_obey(void **state)
{
	static const char csi[] = "a\xc2\x9b"
				  "b",
			  reversed[] = "a\xe2\x80\xae"
				       "b";

	expect(csi, strlen(csi), "a\\\\x9bb");
	expect(reversed, strlen(reversed), "a\\\\u{202e}b");
}

static void letters_of_other_scripts(void **state)
{
	static const char kept[] = "n\xc3\xa4her\xe2\x82\xac\xf0\x9f\x90\x8d", cut[] = "cut\xe2\x82";

	expect(kept, strlen(kept), kept);
	expect(cut, strlen(cut), "cut\xef\xbf\xbd");
	expect("", 0, "");
}

/* One after the other, as a series has them. */
static void several(void **state)
{
	static const char values[] = "tcp\0\0a\"b\0longer than eight";
	const char *at = values, *end = values + sizeof(values);
	char out[sizeof(values) * LABEL_VALUE_GROWTH + LABEL_VALUE_SLACK], *to = out;

	for (int i = 0; i < 4; i++) {
		to = label_value_put(to, &at, end);
		*to++ = '|';
	}
	*to = '\0';
	assert_ptr_equal(at, end);
	assert_string_equal(out, "tcp||a\\\"b|longer than eight|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_everywhere),
		cmocka_unit_test(pairs),
		cmocka_unit_test(what_terminals_obey),
		cmocka_unit_test(letters_of_other_scripts),
		cmocka_unit_test(several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
