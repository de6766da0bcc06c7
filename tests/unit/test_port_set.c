/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void counted_within_bounds(void **state)
{
	struct port_set set = {{0}};

	for (unsigned port = 0; port < 65536; port += 7)
		port_set_add(&set, (uint16_t)port);
	for (unsigned low = 0; low < 400; low += 3) {
		for (unsigned high = low; high < 400; high += 5) {
			unsigned expected = 0;

			for (unsigned port = low; port <= high; port++)
				expected += port % 7 == 0;
			assert_int_equal(port_set_count(&set, (uint16_t)low, (uint16_t)high), expected);
		}
	}
	assert_int_equal(port_set_count(&set, 0, 65535), 65536 / 7 + 1);
	assert_true(port_set_has(&set, 65534));
	assert_false(port_set_has(&set, 65535));
}

static void lists(void **state)
{
	static const struct {
		const char *text;
		bool good;
		unsigned count;
	} cases[] = {
		{"", true, 0},
		{"\n", true, 0},
		{"8080", true, 1},
		{"8080\n", true, 1},
		{"8080,9000-9099", true, 101},
		{"0-65535", true, 65536},
		{"1,1,1-2", true, 2},
		{"65536", false, 0},
		{"1-65536", false, 0},
		{"9-8", false, 0},
		{"80 81", false, 1},
		{"-5", false, 0},
		{"80,x", false, 1},
		{"99999999999999999999", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct port_set set = {{0}};

		assert_int_equal(port_set_add_list(&set, cases[i].text), cases[i].good);
		assert_int_equal(port_set_count(&set, 0, 65535), cases[i].count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counted_within_bounds),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
