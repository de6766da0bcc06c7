/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of argv as tokens, and a value as the items between its commas. Quotes and escapes are known here
 * and nowhere else; keys and what they take are not known here. Allocates nothing: tokens and items point
 * into argv. Columns are byte offsets into the words joined by single blanks.
 */
#ifndef PORTSNOOP_CORE_FILTER_LEX_H
#define PORTSNOOP_CORE_FILTER_LEX_H

#include <stdbool.h>
#include <stddef.h>

struct filter_lexer {
	char *const *words;
	size_t n_words;
	size_t word;   /* the current one */
	size_t offset; /* in it */
	size_t base;   /* column of its beginning */
};

enum filter_token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_UNCLOSED, /* a quote that does not end; column is that of the quote */
};

struct filter_token {
	enum filter_token_kind kind;
	const char *text; /* as it was written, with quotes and escapes; not NUL-terminated */
	size_t length;
	size_t column;
	bool whole; /* a whole argv word taken as a value */
};

/* One alternative of a value, as it was written. */
struct filter_item {
	const char *text;
	size_t length;
	size_t column;
	bool whole;
};

/* A value on its way through filter_item_next(). */
struct filter_items {
	struct filter_item rest;
	bool done;
};

/* value: a key stands before, so a word is its value, and an argv word that begins here is it whole. */
struct filter_token filter_lex_next(struct filter_lexer *lexer, bool value);

struct filter_items filter_items_of(const struct filter_token *token);
/* False: there was no further item. An item may be empty. */
bool filter_item_next(struct filter_items *items, struct filter_item *ret_item);
/*
 * Writes the item without quotes and escapes to out, NUL-terminated. As a pattern for glob_match(), what
 * would be special there and is not meant so gets a backslash. *ret_wild: it has a * or ? that was not
 * escaped. out holds FILTER_ITEM_SIZE(item length).
 */
#define FILTER_ITEM_SIZE(length) (2 * (length) + 1)
void filter_item_decode(const struct filter_item *item, bool pattern, char *out, bool *ret_wild);

#endif
