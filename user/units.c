/* SPDX-License-Identifier: GPL-2.0-only */
#include "units.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

/* Even added to the time of day, a value below does not wrap. */
#define VALUE_END UINT64_C(9000000000000000000)

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

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* As many decimal digits as there are. False: none, or more than fits. */
static bool read_whole(const char **text, uint64_t *ret_value)
{
	const char *at = *text;
	uint64_t value = 0;

	for (; is_digit(*at); at++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return false;
	if (at == *text)
		return false;
	*text = at;
	*ret_value = value;
	return true;
}

/* What the decimals are of factor, rounded down. Those too small to matter to it are left out. */
static uint64_t fraction_of(const char *decimals, uint64_t factor)
{
	uint64_t value = 0, parts = 1;

	for (; is_digit(*decimals) && parts <= UINT64_MAX / factor / 10; decimals++) {
		value = value * 10 + (uint64_t)(*decimals - '0');
		parts *= 10;
	}
	return value * factor / parts;
}

static const struct unit *find_unit(const struct unit *unit, const char *suffix)
{
	while (unit->suffix && strcasecmp(unit->suffix, suffix))
		unit++;
	return unit->suffix ? unit : NULL;
}

/* Digits, decimals if there is a point, a unit: no sign, no blank, no exponent, and a point in any locale. */
static int parse(const char *text, const struct unit units[], uint64_t *ret_value)
{
	const char *decimals = "";
	const struct unit *unit;
	uint64_t whole, value;

	if (!read_whole(&text, &whole))
		return -EINVAL;
	if (text[0] == '.' && is_digit(text[1])) {
		decimals = ++text;
		while (is_digit(*text))
			text++;
	}
	unit = find_unit(units, text);
	if (!unit || __builtin_mul_overflow(whole, unit->factor, &value) || value >= VALUE_END)
		return -EINVAL;
	value += fraction_of(decimals, unit->factor);
	if (value >= VALUE_END)
		return -EINVAL;
	*ret_value = value;
	return 0;
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
	uint64_t value;

	if (!read_whole(&text, &value) || *text || !value)
		return -EINVAL;
	*ret_count = value;
	return 0;
}
