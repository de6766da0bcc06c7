/* SPDX-License-Identifier: GPL-2.0-only */
/* What a terminal would obey is shown instead. Knows nothing of columns, colours or where the text goes. */
#include "io/text_safe.h"

#include <string.h>

#include "io/utf8.h"

static const char hex_digits[] = "0123456789abcdef";

/* The longest thing that stands for one sequence: an ill-formed one of three bytes. */
#define PIECE_MAX (3 * 4)

static size_t escape_bytes(char *piece, const char *in, size_t size)
{
	char *p = piece;

	for (size_t i = 0; i < size; i++) {
		*p++ = '\\';
		*p++ = 'x';
		*p++ = hex_digits[(unsigned char)in[i] >> 4];
		*p++ = hex_digits[in[i] & 15];
	}
	return p - piece;
}

/* All layout characters lie in the basic plane: four digits are enough. */
static size_t escape_code(char *piece, uint32_t code)
{
	char *p = piece;

	*p++ = '\\';
	*p++ = 'u';
	*p++ = '{';
	for (int shift = 12; shift >= 0; shift -= 4)
		*p++ = hex_digits[code >> shift & 15];
	*p++ = '}';
	return p - piece;
}

/* Puts what stands for the first sequence of in into piece; *ret_taken is how much of in it stands for. */
static size_t make_piece(char *piece, const char *in, size_t in_len, size_t *ret_taken)
{
	uint32_t code;
	size_t taken = utf8_decode(in, in_len, &code);

	*ret_taken = taken;
	if (code == UTF8_INVALID || utf8_is_control(code))
		return escape_bytes(piece, in, taken);
	if (utf8_is_layout(code))
		return escape_code(piece, code);
	memcpy(piece, in, taken);
	return taken;
}

/* Most names are plain: printable ASCII as far as this. */
static size_t plain_length(const char *in, size_t in_len)
{
	size_t length = 0;

	while (length < in_len && in[length] >= ' ' && in[length] <= '~')
		length++;
	return length;
}

size_t text_safe(char *out, size_t out_size, const char *in, size_t in_len)
{
	char piece[PIECE_MAX];
	size_t length, taken, size;

	if (out_size == 0)
		return 0;
	length = plain_length(in, in_len < out_size - 1 ? in_len : out_size - 1);
	memcpy(out, in, length);
	in += length;
	in_len -= length;
	while (in_len > 0) {
		size = make_piece(piece, in, in_len, &taken);
		if (size >= out_size - length)
			break;
		memcpy(out + length, piece, size);
		length += size;
		in += taken;
		in_len -= taken;
	}
	out[length] = '\0';
	return length;
}
