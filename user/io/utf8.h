/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A strict UTF-8 decoder (RFC 3629) for bytes that other processes chose, and what of Unicode must not reach
 * a terminal or a line-based reader as it is. Knows nothing of who escapes how.
 */
#ifndef PORTSNOOP_IO_UTF8_H
#define PORTSNOOP_IO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_INVALID UINT32_MAX

/*
 * Decodes the first sequence of text (length bytes, at least 1). Returns how many bytes it takes: at least 1,
 * at most 4. *ret_code is its code point, or UTF8_INVALID when these bytes are the maximal subpart of an
 * ill-formed sequence (Unicode 15.0, section 3.9, U+FFFD Substitution of Maximal Subparts).
 */
size_t utf8_decode(const void *text, size_t length, uint32_t *ret_code);

/* Writes a code point up to 0x10ffff, without NUL; returns its bytes. */
size_t utf8_encode(uint32_t code, char to[4]);

/* C0, DEL or C1: a terminal obeys these. */
bool utf8_is_control(uint32_t code);
/* Invisible, but changes the order of what is around it (Bidi_Control) or ends a line (U+2028, U+2029). */
bool utf8_is_layout(uint32_t code);

#endif
