/* SPDX-License-Identifier: GPL-2.0-only */
/* Instants as text, against the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "view/civil_time.h"

#define NS_PER_S INT64_C(1000000000)

static void assert_rfc3339(int64_t wall_ns, const char *expected)
{
	char buf[CIVIL_TIME_MAX];

	assert_string_equal(civil_rfc3339(wall_ns, buf), expected);
}

static void known_instants(void **state)
{
	assert_rfc3339(0, "1970-01-01T00:00:00.000000000Z");
	assert_rfc3339(1795222923123456789, "2026-11-21T01:02:03.123456789Z");
	assert_rfc3339(951782399999999999, "2000-02-28T23:59:59.999999999Z");
	assert_rfc3339(951782400000000000, "2000-02-29T00:00:00.000000000Z");
	assert_rfc3339(4107542400000000000, "2100-03-01T00:00:00.000000000Z");
}

/* A clock that was never set may lie before 1970. */
static void before_the_epoch(void **state)
{
	assert_rfc3339(-1, "1969-12-31T23:59:59.999999999Z");
	assert_rfc3339(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
	assert_rfc3339(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
}

static void every_day_is_the_one_of_the_c_library(void **state)
{
	for (int64_t day = -100000; day < 100000; day++) {
		time_t seconds = (time_t)(day * 86400 + (day * 7919) % 86400);
		char expected[CIVIL_TIME_MAX];
		struct tm tm;

		assert_non_null(gmtime_r(&seconds, &tm));
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
		assert_rfc3339(seconds * NS_PER_S, expected);
	}
}

static void assert_clock(int64_t wall_ns, int32_t offset, const char *expected)
{
	char buf[CIVIL_TIME_MAX];

	assert_string_equal(civil_clock(wall_ns, offset, buf), expected);
}

static void clock_of_the_viewer(void **state)
{
	assert_clock(1795222923123999999, 0, "01:02:03.123");
	assert_clock(1795222923123999999, 5 * 3600 + 1800, "06:32:03.123");
	assert_clock(1795222923123999999, -2 * 3600, "23:02:03.123");
	assert_clock(-1, 0, "23:59:59.999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants),
		cmocka_unit_test(before_the_epoch),
		cmocka_unit_test(every_day_is_the_one_of_the_c_library),
		cmocka_unit_test(clock_of_the_viewer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
