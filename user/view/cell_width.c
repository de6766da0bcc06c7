/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/cell_width.h"

#include "io/utf8.h"

#include <wchar.h>

/* What our own texts have beyond ASCII. */
static uint32_t in_ascii(uint32_t code)
{
	switch (code) {
	case 0x2192: /* → */
		return '>';
	case 0x2190: /* ← */
		return '<';
	case 0xb5: /* µ */
		return 'u';
	case 0x2026: /* … */
		return '~';
	case 0x2014: /* — */
	case 0x2500: /* ─ */
		return '-';
	case 0xb7: /* · */
		return '.';
	default:
		return CELL_REPLACEMENT;
	}
}

size_t cell_take(const char *text, size_t length, bool utf8, uint32_t *ret_code, unsigned *ret_width)
{
	uint32_t code;
	size_t taken = utf8_decode(text, length, &code);
	int width = 1;

	if (code == UTF8_INVALID || utf8_is_control(code) || utf8_is_layout(code)) {
		code = CELL_REPLACEMENT;
	} else if (code >= 0x80 && !utf8) {
		code = in_ascii(code);
	} else if (code >= 0x80) {
		width = wcwidth((wchar_t)code);
		if (width < 1 || width > 2) {
			code = CELL_REPLACEMENT;
			width = 1;
		}
	}
	*ret_code = code;
	*ret_width = (unsigned)width;
	return taken;
}

size_t cell_text_width(const char *text, size_t length, bool utf8)
{
	size_t columns = 0;

	while (length) {
		uint32_t code;
		unsigned width;
		size_t taken = cell_take(text, length, utf8, &code, &width);

		columns += width;
		text += taken;
		length -= taken;
	}
	return columns;
}
