/* SPDX-License-Identifier: GPL-2.0-only */
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{"", 1},	   {"B", 1},	       {"K", 1ull << 10}, {"KB", 1ull << 10},
	{"M", 1ull << 20}, {"MB", 1ull << 20}, {"G", 1ull << 30}, {"GB", 1ull << 30},
	{NULL, 0}};

static const struct unit durations[] = {
	{"", 1000000000ull}, {"s", 1000000000ull},  {"ms", 1000000},	     {"us", 1000},
	{"ns", 1},	     {"m", 60000000000ull}, {"h", 3600000000000ull}, {NULL, 0}};

static int parse(const char *text, const struct unit units[], uint64_t *ret_value)
{
	double value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	value = strtod(text, &end);
	for (const struct unit *unit = units; unit->suffix; unit++) {
		if (strcasecmp(end, unit->suffix))
			continue;
		value *= (double)unit->factor;
		if (!(value < 9e18))
			return -EINVAL;
		*ret_value = (uint64_t)value;
		return 0;
	}
	return -EINVAL;
}

int units_parse_size(const char *text, uint64_t *ret_bytes)
{
	return parse(text, sizes, ret_bytes);
}

int units_parse_duration(const char *text, uint64_t *ret_ns)
{
	return parse(text, durations, ret_ns);
}

int units_parse_count(const char *text, uint64_t *ret_count)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || !value)
		return -EINVAL;
	*ret_count = value;
	return 0;
}
