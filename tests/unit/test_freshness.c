/* SPDX-License-Identifier: GPL-2.0-only */
/* When an instance looks at holders before it answers. */
#include "core/freshness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000ull
#define S  1000000000ull

static void a_fresh_look_is_enough(void **state)
{
	const struct freshness quick = {.age_ns = 2 * S, .took_ns = 1 * MS};
	const struct freshness slow = {.age_ns = 2 * S, .took_ns = 900 * MS};

	assert_false(freshness_look_first(&quick));
	assert_false(freshness_look_first(&slow));
	assert_false(freshness_look_afterwards(&quick));
}

static void an_old_one_is_renewed_first_if_that_is_quick(void **state)
{
	const struct freshness quick = {.age_ns = 2 * S + 1, .took_ns = 15 * MS - 1};
	const struct freshness slow = {.age_ns = 2 * S + 1, .took_ns = 15 * MS};

	assert_true(freshness_look_first(&quick));
	assert_false(freshness_look_first(&slow));
	assert_true(freshness_look_afterwards(&slow));
}

static void a_minute_is_too_old(void **state)
{
	const struct freshness old = {.age_ns = 60 * S, .took_ns = 900 * MS};
	const struct freshness older = {.age_ns = 60 * S + 1, .took_ns = 900 * MS};

	assert_false(freshness_look_first(&old));
	assert_true(freshness_look_first(&older));
}

static void who_asks_for_it_gets_it_and_a_loss_is_made_good_first(void **state)
{
	const struct freshness wanted = {.age_ns = 0, .took_ns = 900 * MS, .wanted = true};
	const struct freshness damaged = {.age_ns = 0, .took_ns = 900 * MS, .damaged = true};

	assert_true(freshness_look_first(&wanted));
	assert_true(freshness_look_first(&damaged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_look_is_enough),
		cmocka_unit_test(an_old_one_is_renewed_first_if_that_is_quick),
		cmocka_unit_test(a_minute_is_too_old),
		cmocka_unit_test(who_asks_for_it_gets_it_and_a_loss_is_made_good_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
