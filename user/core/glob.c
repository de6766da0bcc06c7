/* SPDX-License-Identifier: GPL-2.0-only */
/* Of all stars only the last needs to be tried again: what an earlier one could take, the last one can. */
#include "core/glob.h"

#include <stddef.h>

/* Behind one character. A stray continuation byte counts as a character of its own. */
static const char *character_end(const char *text)
{
	unsigned char first = (unsigned char)*text++;
	int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;

	while (more-- && ((unsigned char)*text & 0xc0) == 0x80)
		text++;
	return text;
}

/* Takes one element other than a star off both. False: it does not fit. */
static bool element_match(const char **pattern, const char **text)
{
	if (**pattern == '?') {
		++*pattern;
		*text = character_end(*text);
		return true;
	}
	if (**pattern == '\\' && (*pattern)[1])
		++*pattern;
	return *(*pattern)++ == *(*text)++;
}

bool glob_match(const char *pattern, const char *text)
{
	const char *after_star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			after_star = ++pattern;
			retry = text;
			continue;
		}
		if (*pattern && element_match(&pattern, &text))
			continue;
		if (!after_star)
			return false;
		pattern = after_star;
		text = ++retry;
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
