/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client puts into Accept and Accept-Encoding: first byte 0 or 1 for which, the rest is the header.
 * Read to its end and no further; splitting it at its first comma, outside quotes, into two headers changes
 * nothing.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/http_accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void (*read_header)(struct http_wish *wish, const char *value);

static void check_ranks(const struct http_wish *wish)
{
	const struct http_rank *const ranks[] = {&wish->formats[HTTP_TEXT], &wish->formats[HTTP_OPENMETRICS],
						 &wish->gzip, &wish->identity};

	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
		assert(ranks[i]->specific >= 0 && ranks[i]->specific <= 3);
		assert(ranks[i]->quality >= 0 && ranks[i]->quality <= 1000);
		assert(ranks[i]->specific || !ranks[i]->quality);
	}
}

/* Text has no quotes before at. */
static int splits_cleanly(const char *text, const char *at)
{
	return at && !memchr(text, '"', (size_t)(at - text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_header read;
	struct http_wish wish = {0}, halves = {0};
	enum http_format format = HTTP_FORMATS;
	char *text, *comma;

	if (size < 1)
		return 0;
	read = data[0] & 1 ? http_accept_encoding : http_accept;
	/* Allocated to size, so that the sanitizer sees one byte too many. */
	text = malloc(size);
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	read(&wish, text);
	check_ranks(&wish);
	if (http_wish_format(&wish, &format) == 0)
		assert(format < HTTP_FORMATS);
	else
		assert(format == HTTP_FORMATS && wish.formats[HTTP_TEXT].specific);
	if (http_wish_gzip(&wish))
		assert(wish.gzip.quality > 0);
	comma = strchr(text, ',');
	if (splits_cleanly(text, comma)) {
		*comma = '\0';
		read(&halves, text);
		read(&halves, comma + 1);
		assert(memcmp(&wish, &halves, sizeof(wish)) == 0);
	}
	free(text);
	return 0;
}
