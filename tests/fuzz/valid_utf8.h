/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion for the fuzz targets: decodes by arithmetic and compares with the shortest form, unlike
 * io/utf8.c, which goes by byte ranges. They share no code, so that they do not share mistakes.
 */
#ifndef TESTS_FUZZ_VALID_UTF8_H
#define TESTS_FUZZ_VALID_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the first sequence, and its code point; 0 if it is ill-formed. */
static inline size_t valid_utf8(const uint8_t *in, size_t length, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = 0;
	uint32_t code;

	while (size < 8 && in[0] & 0x80u >> size)
		size++;
	if (size == 0) {
		*ret_code = in[0];
		return 1;
	}
	if (size == 1 || size > 4 || size > length)
		return 0;
	code = in[0] & 0xffu >> (size + 1);
	for (size_t i = 1; i < size; i++) {
		if ((in[i] & 0xc0) != 0x80)
			return 0;
		code = code * 64 + in[i] % 64;
	}
	if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return size;
}

/* What must not reach a terminal or a reader of lines raw. */
static inline int is_dangerous(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

#endif
