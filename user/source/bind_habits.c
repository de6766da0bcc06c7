/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/bind_habits.h"

#include "system/bind_trial.h"

static enum bind_habit habit_of(int tried)
{
	return tried < 0 ? HABIT_UNKNOWN : tried ? HABIT_YES : HABIT_NO;
}

struct bind_habits bind_habits_try(void)
{
	return (struct bind_habits){
		.udp_wildcards_by_address = habit_of(bind_trial_udp_wildcards_by_address()),
		.mapped_by_address = habit_of(bind_trial_mapped_by_address()),
	};
}
