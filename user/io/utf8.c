/* SPDX-License-Identifier: GPL-2.0-only */
/* The strict UTF-8 decoder. Reads never beyond the length it is given; a NUL is a character like any other.
 */
#include "io/utf8.h"

/* The second byte has a narrower range after these: overlongs, surrogates and what lies above U+10FFFF. */
static void second_byte_range(unsigned char lead, unsigned char *ret_low, unsigned char *ret_high)
{
	*ret_low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*ret_high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
}

size_t utf8_decode(const void *text, size_t length, uint32_t *ret_code)
{
	const unsigned char *in = text;
	unsigned char low, high;
	size_t size, i;
	uint32_t code;

	*ret_code = UTF8_INVALID;
	if (in[0] < 0x80) {
		*ret_code = in[0];
		return 1;
	}
	if (in[0] < 0xc2 || in[0] > 0xf4)
		return 1;
	size = in[0] < 0xe0 ? 2 : in[0] < 0xf0 ? 3 : 4;
	code = in[0] & (0x7fu >> size);
	second_byte_range(in[0], &low, &high);
	for (i = 1; i < size; i++) {
		if (i == length || in[i] < low || in[i] > high)
			return i;
		code = code << 6 | (in[i] & 0x3fu);
		low = 0x80;
		high = 0xbf;
	}
	*ret_code = code;
	return size;
}

bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

bool utf8_is_layout(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

size_t utf8_encode(uint32_t code, char to[4])
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 63));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 63));
		to[2] = (char)(0x80 | (code & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 63));
	to[2] = (char)(0x80 | (code >> 6 & 63));
	to[3] = (char)(0x80 | (code & 63));
	return 4;
}
