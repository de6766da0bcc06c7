/* SPDX-License-Identifier: GPL-2.0-only */
/* How many columns of a terminal a character takes, and what stands for one that cannot be shown. */
#ifndef PORTSNOOP_VIEW_CELL_WIDTH_H
#define PORTSNOOP_VIEW_CELL_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is shown of a character that a terminal obeys, that takes no room of its own or that it does not have.
 */
#define CELL_REPLACEMENT '?'

/*
 * Takes the first character of text (length bytes, at least 1): how many bytes it has. *ret_code is what is
 * to be shown, one column wide or two (*ret_width). utf8: the terminal shows more than ASCII, and the C
 * library's locale (LC_CTYPE) is one of UTF-8.
 */
size_t cell_take(const char *text, size_t length, bool utf8, uint32_t *ret_code, unsigned *ret_width);
/* Of the whole text. */
size_t cell_text_width(const char *text, size_t length, bool utf8);

#endif
