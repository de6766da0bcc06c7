/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/errno_name.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The C library knows them too; it prefers the POSIX name of this one. */
static void test_as_the_c_library(void **state)
{
	for (int number = -1; number < 512; number++) {
		const char *expected = number == EOPNOTSUPP ? "EOPNOTSUPP" : strerrorname_np(number);

		if (number <= 0 || !expected)
			assert_null(errno_name(number));
		else
			assert_string_equal(errno_name(number), expected);
	}
}

static void test_both_ways(void **state)
{
	size_t n = 0;

	for (int number = 1; number < 1000; number++) {
		if (!errno_name(number))
			continue;
		assert_int_equal(errno_from_name(errno_name(number)), number);
		n++;
	}
	assert_int_equal(n, 131 + 19); /* 1-133 without 41 and 58, and those of the kernel */
}

static void test_names(void **state)
{
	assert_int_equal(errno_from_name("EADDRINUSE"), EADDRINUSE);
	assert_int_equal(errno_from_name("eaddrinuse"), EADDRINUSE);
	assert_int_equal(errno_from_name("EWOULDBLOCK"), EAGAIN);
	assert_int_equal(errno_from_name("ENOTSUP"), ENOTSUP);
	assert_int_equal(errno_from_name("EDEADLOCK"), EDEADLOCK);
	assert_string_equal(errno_name(512), "ERESTARTSYS");
	assert_int_equal(errno_from_name("ENOPE"), 0);
	assert_int_equal(errno_from_name(""), 0);
	assert_null(errno_name(1 << 30));
	assert_null(errno_name(-98));
}

static void test_words(void **state)
{
	char hole[64];

	assert_string_equal(errno_words(EPERM), "Operation not permitted");
	assert_string_equal(errno_words(524), "ENOTSUPP");
	snprintf(hole, sizeof(hole), "%s", strerror(520)); /* which stays only until the next call */
	assert_string_equal(errno_words(520), hole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_c_library),
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
