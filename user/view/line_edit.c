/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/line_edit.h"

#include "io/utf8.h"
#include "view/top_keys.h"

#include <stdio.h>
#include <string.h>

void line_edit_set(struct line_edit *edit, const char *text)
{
	snprintf(edit->text, sizeof(edit->text), "%s", text);
	edit->length = edit->cursor = strlen(edit->text);
}

static size_t before(const struct line_edit *edit, size_t at)
{
	while (at && ((unsigned char)edit->text[--at] & 0xc0) == 0x80)
		continue;
	return at;
}

static size_t behind(const struct line_edit *edit, size_t at)
{
	if (at < edit->length)
		at++;
	while (at < edit->length && ((unsigned char)edit->text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

static void cut(struct line_edit *edit, size_t from, size_t to)
{
	memmove(edit->text + from, edit->text + to, edit->length - to + 1);
	edit->length -= to - from;
	edit->cursor = from;
}

static bool insert(struct line_edit *edit, uint32_t code)
{
	char bytes[4];
	size_t n;

	if (code > 0x10ffff || utf8_is_control(code) || utf8_is_layout(code))
		return false;
	n = utf8_encode(code, bytes);
	if (edit->length + n >= sizeof(edit->text))
		return false;
	memmove(edit->text + edit->cursor + n, edit->text + edit->cursor, edit->length - edit->cursor + 1);
	memcpy(edit->text + edit->cursor, bytes, n);
	edit->length += n;
	edit->cursor += n;
	return true;
}

bool line_edit_key(struct line_edit *edit, uint32_t key)
{
	switch (key) {
	case TOP_KEY_LEFT:
		edit->cursor = before(edit, edit->cursor);
		return true;
	case TOP_KEY_RIGHT:
		edit->cursor = behind(edit, edit->cursor);
		return true;
	case TOP_KEY_HOME:
		edit->cursor = 0;
		return true;
	case TOP_KEY_END:
		edit->cursor = edit->length;
		return true;
	case TOP_KEY_BACKSPACE:
	case '\b':
		cut(edit, before(edit, edit->cursor), edit->cursor);
		return true;
	case TOP_KEY_DELETE:
		cut(edit, edit->cursor, behind(edit, edit->cursor));
		return true;
	case TOP_KEY_ERASE:
		cut(edit, 0, edit->cursor);
		return true;
	default:
		return insert(edit, key);
	}
}
