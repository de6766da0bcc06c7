/* SPDX-License-Identifier: GPL-2.0-only */
/* When a count of losses is believed. */
#include "core/settled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The count after these looks, the last of which is final or not. */
static uint64_t after(const uint64_t *looks, size_t n, bool final)
{
	struct settled settled = {.count = 0};
	uint64_t before = 0;

	for (size_t i = 0; i < n; i++) {
		settled_look(&settled, looks[i], final && i + 1 == n);
		assert_true(settled.count >= before);
		before = settled.count;
	}
	return settled.count;
}

#define AFTER(final, ...)                                                                                    \
	after((const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t),   \
	      final)

static void one_look_is_not_believed(void **state)
{
	assert_int_equal(AFTER(false, 1), 0);
	assert_int_equal(AFTER(false, 0, 7), 0);
}

static void two_are(void **state)
{
	assert_int_equal(AFTER(false, 1, 1), 1);
	assert_int_equal(AFTER(false, 3, 5), 3);
	assert_int_equal(AFTER(false, 3, 5, 5), 5);
}

/* Told too early, it would stand for the next one, which then nobody would hear of. */
static void what_a_rescue_takes_back_was_none(void **state)
{
	assert_int_equal(AFTER(false, 1, 0), 0);
	assert_int_equal(AFTER(false, 1, 0, 1), 0);
	assert_int_equal(AFTER(false, 1, 0, 1, 1), 1);
	assert_int_equal(AFTER(false, 4, 2, 2), 2);
}

static void the_last_look_is_final(void **state)
{
	assert_int_equal(AFTER(true, 1), 1);
	assert_int_equal(AFTER(true, 3, 2), 2);
	assert_int_equal(AFTER(true, 3, 3, 2), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_look_is_not_believed),
		cmocka_unit_test(two_are),
		cmocka_unit_test(what_a_rescue_takes_back_was_none),
		cmocka_unit_test(the_last_look_is_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
