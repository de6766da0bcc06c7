/* SPDX-License-Identifier: GPL-2.0-only */
/* Instants as people write them, without the C library's time zones and locks. */
#ifndef PORTSNOOP_VIEW_CIVIL_TIME_H
#define PORTSNOOP_VIEW_CIVIL_TIME_H

#include <stdint.h>

#define CIVIL_TIME_MAX 40

/* 2026-11-21T01:02:03.123456789Z. Returns buf. */
const char *civil_rfc3339(int64_t wall_ns, char buf[CIVIL_TIME_MAX]);
/* 01:02:03.123, utc_offset_s east of UTC. Returns buf. */
const char *civil_clock(int64_t wall_ns, int32_t utc_offset_s, char buf[CIVIL_TIME_MAX]);

#endif
