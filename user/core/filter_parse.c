/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The grammar, by recursive descent; only parentheses recurse.
 *
 *     or:         and { ("or" | "||") and }
 *     and:        comparison { ["and" | "&&"] comparison }
 *     comparison: { "not" | "!" } ( "(" or ")" | KEY [VALUE] )
 */
#include "core/filter_error.h"
#include "core/filter_program.h"
#include "core/filter_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct filter_lexer lexer;
	struct filter_token token; /* the next one to be judged */
	const struct filter_resolver *resolver;
	struct filter *filter;
	struct filter_error *error;
	unsigned int depth;
};

struct key_entry {
	const char *text;
	enum filter_value_kind value;
};

static const struct key_entry keys[] = {
#define X(name, text, value) [KEY_##name] = {text, value},
	FILTER_KEY_LIST(X)
#undef X
};

/* X cannot look ahead, so every name but the first brings its comma. */
#define X(name, text, value) ", " text
static const char key_names[] = FILTER_KEY_LIST(X);
#undef X

#define fail(parser, column, ...)                                                                            \
	(filter_error_set((parser)->error, (parser)->lexer.words, (parser)->lexer.n_words, column,           \
			  __VA_ARGS__),                                                                      \
	 -EINVAL)

/* How the current token is called in a message. */
static const char *found(const struct parser *parser, char *buf)
{
	if (parser->token.kind == TOKEN_END)
		return "the end of the filter";
	return filter_error_found(parser->token.text, parser->token.length, buf);
}

static int parser_next(struct parser *parser, bool value)
{
	parser->token = filter_lex_next(&parser->lexer, value);
	if (parser->token.kind != TOKEN_UNCLOSED)
		return 0;
	return fail(parser, parser->token.column,
		    "a quote that does not end; expected another one (a quote itself is written \\\")");
}

/* Makes room for one more of size bytes each in a growing array. */
static int make_room(void **array, size_t used, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 16;
	void *grown;

	if (used < *room)
		return 0;
	grown = reallocarray(*array, wanted, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = wanted;
	return 0;
}

/* Appends an operation. column is where a filter that is too long stops being read. */
static int add_op(struct parser *parser, size_t column, struct filter_op op)
{
	struct filter *filter = parser->filter;
	void *ops = filter->ops;
	int r;

	if (filter->n_ops >= FILTER_SIZE_MAX)
		return fail(parser, column,
			    "the filter is too long here; expected at most %d comparisons and operators",
			    FILTER_SIZE_MAX);
	r = make_room(&ops, filter->n_ops, &filter->ops_room, sizeof(op));
	filter->ops = ops;
	if (!r)
		filter->ops[filter->n_ops++] = op;
	return r;
}

static int add_value(struct parser *parser, size_t column, struct filter_value value)
{
	struct filter *filter = parser->filter;
	void *values = filter->values;
	int r;

	if (filter->n_values >= FILTER_SIZE_MAX)
		return fail(parser, column, "too many values; expected at most %d in all", FILTER_SIZE_MAX);
	r = make_room(&values, filter->n_values, &filter->values_room, sizeof(value));
	filter->values = values;
	if (r)
		return r;
	filter->values[filter->n_values++] = value;
	if (value.text)
		filter->text_used += strlen(filter->text + filter->text_used) + 1;
	return 0;
}

static int parse_item(struct parser *parser, enum filter_key key, const struct filter_item *item)
{
	char expected[FILTER_EXPECTED_SIZE], quoted[FILTER_FOUND_SIZE];
	struct filter *filter = parser->filter;
	struct filter_value value;
	const char *problem = filter_value_read(keys[key].value, item, parser->resolver,
						filter->text + filter->text_used, &value);

	if (!problem)
		return add_value(parser, item->column, value);
	return fail(parser, item->column, "%s %s; expected %s",
		    filter_error_found(item->text, item->length, quoted), problem,
		    filter_value_expected(keys[key].value, expected));
}

/* The value of key: items between commas. */
static int parse_value(struct parser *parser, enum filter_key key)
{
	char expected[FILTER_EXPECTED_SIZE], buf[FILTER_FOUND_SIZE];
	struct filter_items items;
	struct filter_item item;
	int r = parser_next(parser, true);

	if (r)
		return r;
	if (parser->token.kind != TOKEN_WORD)
		return fail(parser, parser->token.column, "found %s after '%s'; expected %s",
			    found(parser, buf), keys[key].text,
			    filter_value_expected(keys[key].value, expected));
	items = filter_items_of(&parser->token);
	while (!r && filter_item_next(&items, &item))
		r = parse_item(parser, key, &item);
	return r;
}

static enum filter_key key_find(const struct filter_token *token)
{
	enum filter_key key = 0;

	while (key < KEY_COUNT && (strlen(keys[key].text) != token->length ||
				   memcmp(keys[key].text, token->text, token->length)))
		key++;
	return key;
}

/* The key before a sign that other languages put between key and value; KEY_COUNT: there is none. */
static enum filter_key key_before_sign(const struct filter_token *token)
{
	struct filter_token before = *token;
	enum filter_key key;

	for (before.length = 0; before.length < token->length; before.length++)
		if (token->text[before.length] == '=' || token->text[before.length] == ':')
			break;
	key = before.length < token->length ? key_find(&before) : KEY_COUNT;
	return key < KEY_COUNT && keys[key].value != VALUE_NONE ? key : KEY_COUNT;
}

static int fail_without_key(struct parser *parser)
{
	const struct filter_token *token = &parser->token;
	bool is_word = token->kind == TOKEN_WORD;
	enum filter_key meant = is_word ? key_before_sign(token) : KEY_COUNT;
	char buf[FILTER_FOUND_SIZE];

	if (meant < KEY_COUNT)
		return fail(parser, token->column,
			    "unknown key %s; between '%s' and its value belongs a space", found(parser, buf),
			    keys[meant].text);
	return fail(parser, token->column, "%s%s; expected%s %s", is_word ? "unknown key " : "found ",
		    found(parser, buf), is_word ? "" : " a key:", key_names + strlen(", "));
}

/* KEY [VALUE] */
static int parse_test(struct parser *parser)
{
	enum filter_key key = parser->token.kind == TOKEN_WORD ? key_find(&parser->token) : KEY_COUNT;
	struct filter_op op = {.kind = OP_TEST, .key = key, .target = parser->filter->n_values};
	size_t column = parser->token.column;
	int r = 0;

	if (key == KEY_COUNT)
		return fail_without_key(parser);
	if (keys[key].value != VALUE_NONE)
		r = parse_value(parser, key);
	op.n_values = parser->filter->n_values - op.target;
	if (!r)
		r = add_op(parser, column, op);
	return r ? r : parser_next(parser, false);
}

static int parse_or(struct parser *parser);

static int parse_parentheses(struct parser *parser)
{
	size_t column = parser->token.column;
	char buf[FILTER_FOUND_SIZE];
	int r;

	if (parser->depth == FILTER_DEPTH_MAX)
		return fail(parser, column, "found another '('; expected at most %d inside each other",
			    FILTER_DEPTH_MAX);
	parser->depth++;
	r = parser_next(parser, false);
	if (!r)
		r = parse_or(parser);
	if (r)
		return r;
	parser->depth--;
	if (parser->token.kind != TOKEN_CLOSE)
		return fail(parser, parser->token.column, "found %s; expected ')' for the '(' before",
			    found(parser, buf));
	return parser_next(parser, false);
}

/* Any number of `not`, then one comparison or parenthesis. Two negations are none. */
static int parse_comparison(struct parser *parser)
{
	size_t column = parser->token.column;
	bool negate = false;
	int r = 0;

	while (!r && parser->token.kind == TOKEN_NOT) {
		negate = !negate;
		r = parser_next(parser, false);
	}
	if (!r)
		r = parser->token.kind == TOKEN_OPEN ? parse_parentheses(parser) : parse_test(parser);
	if (!r && negate)
		r = add_op(parser, column, (struct filter_op){.kind = OP_NEGATE});
	return r;
}

/* What stands to the right of an operator: parsed, and skipped when the left side decides alone. */
static int parse_right(struct parser *parser, size_t column, enum filter_op_kind skip,
		       int (*parse)(struct parser *))
{
	struct filter *filter = parser->filter;
	size_t at = filter->n_ops;
	int r = add_op(parser, column, (struct filter_op){.kind = skip});

	if (!r)
		r = parse(parser);
	if (!r)
		filter->ops[at].target = filter->n_ops;
	return r;
}

static bool begins_comparison(enum filter_token_kind kind)
{
	return kind == TOKEN_WORD || kind == TOKEN_OPEN || kind == TOKEN_NOT;
}

static int parse_and(struct parser *parser)
{
	int r = parse_comparison(parser);

	while (!r && (parser->token.kind == TOKEN_AND || begins_comparison(parser->token.kind))) {
		size_t column = parser->token.column;

		if (parser->token.kind == TOKEN_AND)
			r = parser_next(parser, false);
		if (!r)
			r = parse_right(parser, column, OP_SKIP_IF_FALSE, parse_comparison);
	}
	return r;
}

static int parse_or(struct parser *parser)
{
	int r = parse_and(parser);

	while (!r && parser->token.kind == TOKEN_OR) {
		size_t column = parser->token.column;

		r = parser_next(parser, false);
		if (!r)
			r = parse_right(parser, column, OP_SKIP_IF_TRUE, parse_and);
	}
	return r;
}

static struct filter *filter_new(char *const words[], size_t n_words)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	size_t size = 1;

	/* Items do not overlap and are a byte apart, so no more than this comes out of decoding them all. */
	for (size_t i = 0; i < n_words; i++)
		size += FILTER_ITEM_SIZE(strlen(words[i]) + 1);
	if (filter)
		filter->text = malloc(size);
	if (filter && filter->text)
		return filter;
	free(filter);
	return NULL;
}

/* The whole filter, from its first token on. */
static int parse_all(struct parser *parser)
{
	int r = parse_or(parser);

	if (!r && parser->token.kind != TOKEN_END)
		r = fail(parser, parser->token.column,
			 "found ')' without a '(' before; expected 'and', 'or', a key or the end");
	return r;
}

int filter_parse(char *const words[], size_t n_words, const struct filter_resolver *resolver,
		 struct filter **ret_filter, struct filter_error *error)
{
	struct parser parser = {
		.lexer = {.words = words, .n_words = n_words}, .resolver = resolver, .error = error};
	int r = parser_next(&parser, false);

	if (!r && parser.token.kind != TOKEN_END) {
		parser.filter = filter_new(words, n_words);
		r = parser.filter ? parse_all(&parser) : -ENOMEM;
	}
	if (r)
		filter_free(parser.filter);
	else
		*ret_filter = parser.filter;
	return r;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	free(filter->ops);
	free(filter->values);
	free(filter->text);
	free(filter);
}
