/* SPDX-License-Identifier: GPL-2.0-only */
/* What doubts make of a verdict. */
#include "core/bind_outcome.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct bind_verdict granted = {.error = 0}, refused = {.error = EADDRINUSE};

static bind_doubts only(enum bind_doubt doubt)
{
	return 1u << doubt;
}

static void without_doubts_it_is_the_verdict(void **state)
{
	enum bind_doubt doubt;

	assert_int_equal(bind_outcome(&granted, 0, &doubt), BIND_YES);
	assert_int_equal(doubt, DOUBT_NONE);
	assert_int_equal(bind_outcome(&refused, 0, &doubt), BIND_NO);
	assert_int_equal(doubt, DOUBT_NONE);
}

static void what_may_forbid_makes_a_yes_unknown(void **state)
{
	static const enum bind_doubt doubts[] = {DOUBT_SECCOMP, DOUBT_LSM, DOUBT_LANDLOCK, DOUBT_BPF_LSM};
	enum bind_doubt doubt;

	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		assert_int_equal(bind_outcome(&granted, only(doubts[i]), &doubt), BIND_UNKNOWN);
		assert_int_equal(doubt, doubts[i]);
		assert_int_equal(bind_outcome(&refused, only(doubts[i]), &doubt), BIND_NO);
	}
}

static void what_may_change_it_makes_all_unknown(void **state)
{
	static const enum bind_doubt doubts[] = {DOUBT_CGROUP, DOUBT_PROTOCOL, DOUBT_CHANGING};
	enum bind_doubt doubt;

	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		assert_int_equal(bind_outcome(&granted, only(doubts[i]), &doubt), BIND_UNKNOWN);
		assert_int_equal(bind_outcome(&refused, only(doubts[i]), &doubt), BIND_UNKNOWN);
		assert_int_equal(doubt, doubts[i]);
	}
}

static void a_habit_that_is_not_known(void **state)
{
	const struct bind_verdict unknown = {.error = EADDRINUSE, .unknown = true};
	enum bind_doubt doubt;

	assert_int_equal(bind_outcome(&unknown, 0, &doubt), BIND_UNKNOWN);
	assert_int_equal(doubt, DOUBT_HABIT);
}

static void each_doubt_has_words(void **state)
{
	for (unsigned i = DOUBT_NONE + 1; i < DOUBT_COUNT; i++) {
		assert_non_null(bind_doubt_text(i));
		assert_true(*bind_doubt_text(i));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_doubts_it_is_the_verdict),
		cmocka_unit_test(what_may_forbid_makes_a_yes_unknown),
		cmocka_unit_test(what_may_change_it_makes_all_unknown),
		cmocka_unit_test(a_habit_that_is_not_known),
		cmocka_unit_test(each_doubt_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
