/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/jiffies.h"

#define NS_PER_S 1000000000
#define LEAD_S	 300 /* of INITIAL_JIFFIES */

/* Ticks that were lost in a virtual machine make jiffies fall behind a little. */
static int fits(uint64_t seconds, uint64_t expected)
{
	uint64_t slack = expected / 20 + 2;

	return seconds + slack >= expected && seconds <= expected + slack;
}

uint32_t jiffies_hz(uint64_t jiffies, uint64_t monotonic_ns)
{
	static const uint32_t usual[] = {250, 1000, 100, 300};

	for (unsigned i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		uint64_t initial = (uint32_t) - (LEAD_S * (int32_t)usual[i]);

		if (jiffies >= initial && fits((jiffies - initial) / usual[i], monotonic_ns / NS_PER_S))
			return usual[i];
	}
	return 0;
}
