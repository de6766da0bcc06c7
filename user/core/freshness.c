/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/freshness.h"

bool freshness_look_first(const struct freshness *freshness)
{
	if (freshness->wanted || freshness->damaged || freshness->age_ns > FRESHNESS_TOO_OLD_NS)
		return true;
	return freshness->age_ns > FRESHNESS_OLD_NS && freshness->took_ns < FRESHNESS_QUICK_NS;
}

bool freshness_look_afterwards(const struct freshness *freshness)
{
	return freshness->age_ns > FRESHNESS_OLD_NS;
}
