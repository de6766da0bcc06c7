/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/http_accept.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define QUALITY_MAX 1000

struct span {
	const char *at;
	size_t length;
};

/* One entry of a list: a name, and what of its parameters matters. */
struct item {
	struct span name, version;
	int quality;
	bool sound;
};

static bool is(const struct span *span, const char *word)
{
	return span->length == strlen(word) && strncasecmp(span->at, word, span->length) == 0;
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static struct span take_word(const char **at)
{
	struct span word = {*at, strcspn(*at, " \t,;=\"")};

	*at += word.length;
	return word;
}

/* Without its quotes; what is escaped in it stays so, as no value that matters has any. */
static struct span take_quoted(const char **at, bool *sound)
{
	struct span text = {++*at, 0};

	while (**at && **at != '"')
		*at += **at == '\\' && (*at)[1] ? 2 : 1;
	text.length = (size_t)(*at - text.at);
	if (**at)
		++*at;
	else
		*sound = false;
	return text;
}

/* 0, 0.5, 1.000: a digit and at most three behind the point. Negative: none of these. */
static int quality_of(const struct span *value)
{
	int quality, unit = QUALITY_MAX / 10;

	if (value->length < 1 || value->length > 5 || (value->at[0] != '0' && value->at[0] != '1'))
		return -EINVAL;
	if (value->length > 1 && value->at[1] != '.')
		return -EINVAL;
	quality = (value->at[0] - '0') * QUALITY_MAX;
	for (size_t i = 2; i < value->length; i++, unit /= 10) {
		if (value->at[i] < '0' || value->at[i] > '9')
			return -EINVAL;
		quality += (value->at[i] - '0') * unit;
	}
	return quality <= QUALITY_MAX ? quality : -EINVAL;
}

static void take_parameter(const char **at, struct item *item)
{
	struct span name = take_word(at), value = {"", 0};

	*at = skip_blanks(*at);
	if (**at == '=') {
		*at = skip_blanks(*at + 1);
		value = **at == '"' ? take_quoted(at, &item->sound) : take_word(at);
		*at = skip_blanks(*at);
	}
	if (is(&name, "q"))
		item->quality = quality_of(&value);
	else if (is(&name, "version"))
		item->version = value;
	item->sound &= item->quality >= 0;
}

/* To the next comma that stands in no quotes. */
static void leave_item(const char **at)
{
	bool sound;

	while (**at && **at != ',') {
		if (**at == '"')
			take_quoted(at, &sound);
		else
			++*at;
	}
}

static bool next_item(const char **at, struct item *ret_item)
{
	struct item item = {.quality = QUALITY_MAX, .sound = true};

	*at += strspn(*at, " \t,");
	if (!**at)
		return false;
	item.name = take_word(at);
	*at = skip_blanks(*at);
	while (**at == ';') {
		*at = skip_blanks(*at + 1);
		take_parameter(at, &item);
	}
	item.sound &= item.name.length > 0 && (!**at || **at == ',');
	leave_item(at);
	*ret_item = item;
	return true;
}

/* Of entries that say as much the better one counts. */
static void consider(struct http_rank *rank, int specific, int quality)
{
	if (!specific) /* it is about something else */
		return;
	if (specific > rank->specific || (specific == rank->specific && quality > rank->quality))
		*rank = (struct http_rank){specific, quality};
}

static int fits(const struct item *item, const char *type, const char *types, const char *version)
{
	if (is(&item->name, type))
		return !item->version.length || is(&item->version, version) ? 3 : 0;
	if (is(&item->name, types))
		return 2;
	return is(&item->name, "*/*") ? 1 : 0;
}

void http_accept(struct http_wish *wish, const char *value)
{
	struct item item;

	while (next_item(&value, &item)) {
		if (!item.sound)
			continue;
		consider(&wish->formats[HTTP_TEXT], fits(&item, "text/plain", "text/*", "0.0.4"),
			 item.quality);
		consider(&wish->formats[HTTP_OPENMETRICS],
			 fits(&item, "application/openmetrics-text", "application/*", "1.0.0"), item.quality);
	}
}

void http_accept_encoding(struct http_wish *wish, const char *value)
{
	struct item item;

	while (next_item(&value, &item)) {
		bool any = is(&item.name, "*");

		if (!item.sound)
			continue;
		if (any || is(&item.name, "gzip") || is(&item.name, "x-gzip"))
			consider(&wish->gzip, any ? 1 : 3, item.quality);
		if (any || is(&item.name, "identity"))
			consider(&wish->identity, any ? 1 : 3, item.quality);
	}
}

/* OpenMetrics only goes to those who name it: a browser's or curl's anything is text. */
int http_wish_format(const struct http_wish *wish, enum http_format *ret_format)
{
	const struct http_rank *text = &wish->formats[HTTP_TEXT], *open = &wish->formats[HTTP_OPENMETRICS];

	if (open->specific == 3 && open->quality > 0 && open->quality >= text->quality)
		*ret_format = HTTP_OPENMETRICS;
	else if (text->quality > 0 || !text->specific)
		*ret_format =
			open->specific == 2 && open->quality > text->quality ? HTTP_OPENMETRICS : HTTP_TEXT;
	else if (open->quality > 0)
		*ret_format = HTTP_OPENMETRICS;
	else
		return -ENOENT;
	return 0;
}

bool http_wish_gzip(const struct http_wish *wish)
{
	if (wish->gzip.quality <= 0)
		return false;
	/* One star for both says no more than that nothing matters: then it is not worth the time. */
	if (wish->gzip.specific < 3 && wish->identity.specific < 3)
		return false;
	return wish->identity.specific < 3 || wish->gzip.quality >= wish->identity.quality;
}

const char *http_content_type(enum http_format format)
{
	return format == HTTP_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
					  : "text/plain; version=0.0.4; charset=utf-8";
}
