/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether holders are looked at before a question is answered. Most of what changes them is told by events;
 * what none tells (a descriptor in a message, dup, a close by one of several) only looking finds.
 */
#ifndef PORTSNOOP_CORE_FRESHNESS_H
#define PORTSNOOP_CORE_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

#define FRESHNESS_OLD_NS     2000000000ull  /* looked at again: first, if that is quick, or else meanwhile */
#define FRESHNESS_QUICK_NS   15000000ull    /* nobody minds waiting for that */
#define FRESHNESS_TOO_OLD_NS 60000000000ull /* looked at first, however long it takes */

struct freshness {
	uint64_t age_ns;  /* of the last look */
	uint64_t took_ns; /* the last look */
	bool wanted;	  /* who asks said so */
	bool damaged;	  /* something was lost and is not made good yet */
};

/* Before the answer. */
bool freshness_look_first(const struct freshness *freshness);
/* The answer went out without: for the next one who asks. */
bool freshness_look_afterwards(const struct freshness *freshness);

#endif
