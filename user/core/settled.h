/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A count of losses that may be too high for a moment: a run that was skipped counts at once, its rescue a
 * little later, and a thread can be preempted between the two. What two looks in a row have seen is told.
 */
#ifndef PORTSNOOP_CORE_SETTLED_H
#define PORTSNOOP_CORE_SETTLED_H

#include <stdbool.h>
#include <stdint.h>

struct settled {
	uint64_t count; /* never shrinks */
	uint64_t seen;	/* by the last look */
};

/* final: nothing is under way any more, so this look is believed. */
void settled_look(struct settled *settled, uint64_t count, bool final);

#endif
