/* SPDX-License-Identifier: GPL-2.0-only */
/* Nearly all that is told are plain characters: they are looked at and copied eight at a time. */
#include "view/label_value.h"

#include "io/utf8.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DEL	      0x7f
#define EVERY_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* The highest bit of each byte that is zero, and maybe of some behind it. */
static uint64_t zeros(uint64_t word)
{
	return (word - EVERY_BYTE(1)) & ~word & EVERY_BYTE(0x80);
}

/* The same of each that may not be told as it is: no ASCII, a control character, a quote or a backslash. */
static uint64_t specials(uint64_t word)
{
	return (((word - EVERY_BYTE(' ')) & ~word) | word | zeros(word ^ EVERY_BYTE('"')) |
		zeros(word ^ EVERY_BYTE('\\')) | zeros(word ^ EVERY_BYTE(DEL))) &
	       EVERY_BYTE(0x80);
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < DEL && c != '"' && c != '\\';
}

/* Copies what is told as it is, nearly always all up to the NUL; *from comes to the first byte that is not.
 */
static char *add_plain(char *at, const char **from, const char *end)
{
	const char *next = *from;

	while (end - next >= 8) {
		uint64_t word, found;

		memcpy(&word, next, sizeof(word));
		memcpy(at, &word, sizeof(word));
		found = specials(le64toh(word));
		if (found) {
			unsigned plain = (unsigned)__builtin_ctzll(found) / 8;

			*from = next + plain;
			return at + plain;
		}
		next += 8;
		at += 8;
	}
	while (next < end && is_plain((unsigned char)*next))
		*at++ = *next++;
	*from = next;
	return at;
}

static char *add(char *at, const char *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

/* What a terminal would obey, by its code; the backslash is one of the value's. */
static char *add_escape(char *at, uint32_t code)
{
	char text[16];

	return add(at, text,
		   (size_t)snprintf(text, sizeof(text), utf8_is_layout(code) ? "\\\\u{%04x}" : "\\\\x%02x",
				    code));
}

static char *add_special(char *at, const char **from, const char *end)
{
	uint32_t code;
	size_t n = utf8_decode(*from, strnlen(*from, (size_t)(end - *from)), &code);

	if (code == UTF8_INVALID)
		at = add(at, "\xef\xbf\xbd", 3);
	else if (code == '\n')
		at = add(at, "\\n", 2);
	else if (code == '"' || code == '\\')
		at = add(at, code == '"' ? "\\\"" : "\\\\", 2);
	else if (utf8_is_control(code) || utf8_is_layout(code))
		at = add_escape(at, code);
	else
		at = add(at, *from, n);
	*from += n;
	return at;
}

char *label_value_put(char *at, const char **value, const char *end)
{
	for (;;) {
		at = add_plain(at, value, end);
		if (*value == end || !**value)
			break;
		at = add_special(at, value, end);
	}
	(*value)++;
	return at;
}
