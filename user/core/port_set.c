/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_set.h"

#include <ctype.h>
#include <stdlib.h>

void port_set_add(struct port_set *set, uint16_t port)
{
	set->words[port / 64] |= 1ull << port % 64;
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
	return set->words[port / 64] >> port % 64 & 1;
}

unsigned port_set_count(const struct port_set *set, uint16_t low, uint16_t high)
{
	unsigned count = 0;

	for (unsigned word = low / 64u; word <= high / 64u; word++) {
		uint64_t bits = set->words[word];

		if (word == low / 64u)
			bits &= UINT64_MAX << low % 64;
		if (word == high / 64u)
			bits &= UINT64_MAX >> (63 - high % 64);
		count += (unsigned)__builtin_popcountll(bits);
	}
	return count;
}

static bool take_port(const char **at, uint16_t *ret_port)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	value = strtoul(*at, &end, 10);
	*at = end;
	*ret_port = (uint16_t)value;
	return value <= UINT16_MAX;
}

bool port_set_add_list(struct port_set *set, const char *list)
{
	const char *at = list;
	uint16_t low, high;

	while (*at && *at != '\n') {
		if (!take_port(&at, &low))
			return false;
		high = low;
		if (*at == '-') {
			at++;
			if (!take_port(&at, &high) || high < low)
				return false;
		}
		for (unsigned port = low; port <= high; port++)
			port_set_add(set, (uint16_t)port);
		if (*at == ',')
			at++;
		else if (*at && *at != '\n')
			return false;
	}
	return true;
}
