/* SPDX-License-Identifier: GPL-2.0-only */
/* Habits of this kernel's bind(2) that none of its types shows, for the rules to go by. */
#ifndef PORTSNOOP_SOURCE_BIND_HABITS_H
#define PORTSNOOP_SOURCE_BIND_HABITS_H

#include "core/bind_conflict.h"

/* Tries them, in a network namespace of its own. What cannot be tried stays HABIT_UNKNOWN. */
struct bind_habits bind_habits_try(void);

#endif
