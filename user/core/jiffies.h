/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's timers count in jiffies; how many make a second is nowhere told, but can be reckoned. */
#ifndef PORTSNOOP_CORE_JIFFIES_H
#define PORTSNOOP_CORE_JIFFIES_H

#include <stdint.h>

/*
 * CONFIG_HZ, from jiffies_64 and CLOCK_MONOTONIC at about the same moment: both begin at boot, jiffies five
 * minutes before their lower half overflows (INITIAL_JIFFIES). 0: none of the usual values fits.
 */
uint32_t jiffies_hz(uint64_t jiffies, uint64_t monotonic_ns);

#endif
