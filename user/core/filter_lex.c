/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/filter_lex.h"

#include <string.h>

/* Reads the bytes of a word one by one and knows which of them are quoted. */
struct reader {
	const char *at, *end;
	const char *quote_at; /* where the open quote began */
	char quote;	      /* that is open, or 0 */
	bool whole;
};

enum piece { PIECE_PLAIN, PIECE_QUOTED, PIECE_ESCAPED, PIECE_MARK };

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool is_blank(char c)
{
	return is_one_of(c, " \t\n\r\v\f");
}

/* The next byte and what it is. The backslash of an escape is skipped; a quote itself is a mark. */
static enum piece piece_next(struct reader *reader, char *ret_c)
{
	const char *at = reader->at++;

	*ret_c = *at;
	if (*at == '\\' && reader->at < reader->end && is_one_of(*reader->at, "\"'\\*?,")) {
		*ret_c = *reader->at++;
		return PIECE_ESCAPED;
	}
	if (reader->quote && *at != reader->quote)
		return PIECE_QUOTED;
	if (reader->quote) {
		reader->quote = 0;
		return PIECE_MARK;
	}
	if (*at != '"' && (reader->whole || *at != '\''))
		return PIECE_PLAIN;
	reader->quote = *at;
	reader->quote_at = at;
	return PIECE_MARK;
}

/* && or ||: one of them alone is an ordinary byte. */
static bool is_double(const char *at, char c)
{
	return at[0] == c && at[1] == c;
}

static bool ends_word(const char *at)
{
	return is_blank(*at) || is_one_of(*at, "()") || is_double(at, '&') || is_double(at, '|');
}

/* A word up to what ends it, or all of it when it is a whole value. */
static void lex_word(struct filter_token *token)
{
	struct reader reader = {.at = token->text, .whole = token->whole};
	char c;

	reader.end = token->text + strlen(token->text);
	while (reader.at < reader.end) {
		if (!reader.quote && !reader.whole && ends_word(reader.at))
			break;
		piece_next(&reader, &c);
	}
	token->kind = TOKEN_WORD;
	token->length = (size_t)(reader.at - token->text);
	if (!reader.quote)
		return;
	token->kind = TOKEN_UNCLOSED;
	token->column += (size_t)(reader.quote_at - token->text);
}

/* Operators made of signs: they are so wherever they stand in lexed text. */
static bool lex_sign(struct filter_token *token)
{
	const char *at = token->text;

	token->length = 1;
	if (*at == '(')
		token->kind = TOKEN_OPEN;
	else if (*at == ')')
		token->kind = TOKEN_CLOSE;
	else if (*at == '!')
		token->kind = TOKEN_NOT;
	else if (is_double(at, '&') || is_double(at, '|'))
		token->kind = *at == '&' ? TOKEN_AND : TOKEN_OR;
	else
		return false;
	if (token->kind == TOKEN_AND || token->kind == TOKEN_OR)
		token->length = 2;
	return true;
}

static bool token_reads(const struct filter_token *token, const char *text)
{
	return token->length == strlen(text) && !memcmp(token->text, text, token->length);
}

/* Operators that are words: not where a value is expected. */
static void lex_operator_word(struct filter_token *token)
{
	if (token_reads(token, "and"))
		token->kind = TOKEN_AND;
	else if (token_reads(token, "or"))
		token->kind = TOKEN_OR;
	else if (token_reads(token, "not"))
		token->kind = TOKEN_NOT;
}

static void lexer_next_word(struct filter_lexer *lexer)
{
	/* Behind the last word there is no blank: the end is where the text ends. */
	lexer->base += strlen(lexer->words[lexer->word]) + (lexer->word + 1 < lexer->n_words);
	lexer->word++;
	lexer->offset = 0;
}

/* Goes to the next byte that means something. False: there is none. */
static bool lexer_skip(struct filter_lexer *lexer, bool value)
{
	while (lexer->word < lexer->n_words) {
		const char *word = lexer->words[lexer->word];

		if (value && !lexer->offset)
			return true;
		while (is_blank(word[lexer->offset]))
			lexer->offset++;
		if (word[lexer->offset])
			return true;
		lexer_next_word(lexer);
	}
	return false;
}

struct filter_token filter_lex_next(struct filter_lexer *lexer, bool value)
{
	struct filter_token token = {.kind = TOKEN_END, .text = "", .column = lexer->base};

	if (!lexer_skip(lexer, value)) {
		token.column = lexer->base;
		return token;
	}
	token.text = lexer->words[lexer->word] + lexer->offset;
	token.column = lexer->base + lexer->offset;
	token.whole = value && !lexer->offset;
	if (token.whole || !lex_sign(&token)) {
		lex_word(&token);
		if (!value && token.kind == TOKEN_WORD)
			lex_operator_word(&token);
	}
	lexer->offset += token.length;
	if (token.whole)
		lexer_next_word(lexer);
	return token;
}

struct filter_items filter_items_of(const struct filter_token *token)
{
	struct filter_item all = {token->text, token->length, token->column, token->whole};

	return (struct filter_items){.rest = all};
}

bool filter_item_next(struct filter_items *items, struct filter_item *ret_item)
{
	struct filter_item *rest = &items->rest;
	struct reader reader = {.at = rest->text, .end = rest->text + rest->length, .whole = rest->whole};
	struct filter_item item = *rest;
	size_t taken;
	char c = 0;

	if (items->done)
		return false;
	items->done = true;
	while (reader.at < reader.end) {
		if (piece_next(&reader, &c) != PIECE_PLAIN || c != ',')
			continue;
		items->done = false;
		break;
	}
	taken = (size_t)(reader.at - rest->text);
	item.length = taken - !items->done;
	rest->text += taken;
	rest->length -= taken;
	rest->column += taken;
	*ret_item = item;
	return true;
}

void filter_item_decode(const struct filter_item *item, bool pattern, char *out, bool *ret_wild)
{
	struct reader reader = {.at = item->text, .end = item->text + item->length, .whole = item->whole};

	*ret_wild = false;
	while (reader.at < reader.end) {
		char c;
		enum piece piece = piece_next(&reader, &c);
		bool wild = piece != PIECE_ESCAPED && is_one_of(c, "*?");

		if (piece == PIECE_MARK)
			continue;
		if (pattern && !wild && is_one_of(c, "\\*?"))
			*out++ = '\\';
		*out++ = c;
		*ret_wild = *ret_wild || wild;
	}
	*out = '\0';
}
