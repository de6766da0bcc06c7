/* SPDX-License-Identifier: GPL-2.0-only */
/* How many jiffies make a second, from how many there were since boot. */
#include "core/jiffies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NS_PER_S UINT64_C(1000000000)

static uint64_t after(uint32_t hz, uint64_t seconds)
{
	return (uint32_t) - (300 * (int32_t)hz) + hz * seconds;
}

static void each_usual_value_is_found(void **state)
{
	static const uint32_t usual[] = {100, 250, 300, 1000};
	static const uint64_t seconds[] = {30, 3600, 100 * 86400};

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(jiffies_hz(after(usual[i], seconds[j]), seconds[j] * NS_PER_S),
					 usual[i]);
}

static void a_few_lost_ticks_do_no_harm(void **state)
{
	assert_int_equal(jiffies_hz(after(250, 3500), 3600 * NS_PER_S), 250);
}

static void what_does_not_fit_is_not_known(void **state)
{
	assert_int_equal(jiffies_hz(after(250, 3600), 36000 * NS_PER_S), 0);
	assert_int_equal(jiffies_hz(0, 3600 * NS_PER_S), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_usual_value_is_found),
		cmocka_unit_test(a_few_lost_ticks_do_no_harm),
		cmocka_unit_test(what_does_not_fit_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
