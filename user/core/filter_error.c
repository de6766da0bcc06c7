/* SPDX-License-Identifier: GPL-2.0-only */
/* What a parse error looks like. The only part of the filter that formats text; it prints nothing. */
#include "core/filter_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DOTS "..."

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Words may hold anything; one line must stay one line and no terminal must obey it. Lengths stay. */
static void blank_controls(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if (*at < ' ' || *at == 0x7f) {
			*at = ' ';
		} else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
			at[0] = ' ';
			at[1] = ' ';
		}
	}
}

const char *filter_error_found(const char *text, size_t length, char *buf)
{
	size_t room = FILTER_FOUND_SIZE - sizeof("''");

	if (length <= room) {
		snprintf(buf, FILTER_FOUND_SIZE, "'%.*s'", (int)length, text);
		return buf;
	}
	length = room - strlen(DOTS);
	while (length && is_continuation(text[length]))
		length--;
	snprintf(buf, FILTER_FOUND_SIZE, "'%.*s" DOTS "'", (int)length, text);
	return buf;
}

/* The bytes [start, start + size - 1) of the words joined by blanks. Returns the length of all of them. */
static size_t line_copy(char *const words[], size_t n_words, size_t start, char *buf, size_t size)
{
	size_t column = 0, used = 0;

	for (size_t i = 0; i < n_words; i++) {
		size_t length = strlen(words[i]) + (i + 1 < n_words);

		for (size_t j = 0; j < length; j++, column++)
			if (column >= start && used + 1 < size)
				buf[used++] = words[i][j] ? words[i][j] : ' ';
	}
	buf[used] = '\0';
	return column;
}

/* Marks that text was cut, without leaving parts of a character beside the mark. */
static void mark_cut(char *text, bool before, bool after)
{
	size_t length = strlen(text), i = strlen(DOTS);

	if (before) {
		memcpy(text, DOTS, i);
		while (is_continuation(text[i]))
			text[i++] = '.';
	}
	if (after) {
		i = length - strlen(DOTS);
		while (i && is_continuation(text[i]))
			text[i--] = '.';
		memset(text + i, '.', length - i);
	}
}

static void error_place(struct filter_error *error, char *const words[], size_t n_words, size_t column)
{
	size_t room = sizeof(error->text) - 1, start = 0;
	size_t length = line_copy(words, n_words, 0, error->text, sizeof(error->text));

	if (length > room) {
		start = column > room / 2 ? column - room / 2 : 0;
		if (start > length - room)
			start = length - room;
		line_copy(words, n_words, start, error->text, sizeof(error->text));
		mark_cut(error->text, start > 0, start + room < length);
	}
	blank_controls(error->text);
	error->column = column - start;
}

void filter_error_set(struct filter_error *error, char *const words[], size_t n_words, size_t column,
		      const char *format, ...)
{
	va_list args;

	if (!error)
		return;
	error_place(error, words, n_words, column);
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	blank_controls(error->message);
}

int filter_error_format(const struct filter_error *error, char *buf, size_t size)
{
	int caret = 0;

	/* A caret stands under a character, not under a byte. */
	for (size_t i = 0; i < error->column && error->text[i]; i++)
		caret += !is_continuation(error->text[i]);
	return snprintf(buf, size, "%s\n  %s\n  %*s^", error->message, error->text, caret, "");
}
