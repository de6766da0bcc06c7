/* SPDX-License-Identifier: GPL-2.0-only */
/* A line that is typed: UTF-8, one character a key. */
#ifndef PORTSNOOP_VIEW_LINE_EDIT_H
#define PORTSNOOP_VIEW_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_EDIT_MAX 512

struct line_edit {
	char text[LINE_EDIT_MAX]; /* NUL-terminated */
	size_t length, cursor;	  /* bytes; the cursor is never inside a character */
};

void line_edit_set(struct line_edit *edit, const char *text);
/* A character or a key of top_keys.h. Whether the text has changed, or the cursor moved. */
bool line_edit_key(struct line_edit *edit, uint32_t key);

#endif
