/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_glob(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool expected;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ab", false},
		{"a*", "a", true},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"*ab", "aab", true},
		{"*aab*", "aaab", true},
		{"**", "x", true},
		{"*?", "", false},
		{"?*?", "ab", true},
		{"a?c", "a\xc5\xbc\x63", true},
		{"??", "\xc5\xbc", false},
		{"?", "\xf0\x9f\x90\x8d", true},
		{"?", "\xff", true},
		{"?a", "\xc5\x61", true},
		{"\\*", "*", true},
		{"\\*", "x", false},
		{"\\?x", "?x", true},
		{"\\\\", "\\", true},
		{"*\\*", "ab*", true},
		{"*\\*", "ab", false},
		{"\\", "\\", true},
		{"[a]", "a", false},
		{"[a]", "[a]", true},
		{"/system.slice/*", "/system.slice/a/b", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (glob_match(cases[i].pattern, cases[i].text) != cases[i].expected)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

/* Trying every star again would take longer than the universe. */
static void test_many_stars(void **state)
{
	char pattern[201], text[401];

	for (size_t i = 0; i < 200; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[199] = 'b';
	pattern[200] = '\0';
	memset(text, 'a', 400);
	text[400] = '\0';
	assert_false(glob_match(pattern, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_many_stars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
