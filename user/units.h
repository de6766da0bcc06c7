/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes and durations as people write them: decimal digits, no sign, blank or exponent. */
#ifndef PORTSNOOP_UNITS_H
#define PORTSNOOP_UNITS_H

#include <stdint.h>

/* "4096", "64K", "8M", "1G" (powers of 1024; a final B is allowed), with decimals. 0 or -EINVAL. */
int units_parse_size(const char *text, uint64_t *ret_bytes);
/* "5" (seconds), "500ms", "250us", "10ns", "2s", "5m", "1h", with decimals. 0 or -EINVAL. */
int units_parse_duration(const char *text, uint64_t *ret_ns);
/* A whole number above zero. 0 or -EINVAL. */
int units_parse_count(const char *text, uint64_t *ret_count);

#endif
