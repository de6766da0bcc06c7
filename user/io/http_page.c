/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/http_page.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* zlib's largest, with gzip's header */
#define GZIP_LEVEL  1	      /* labels repeat: more effort gains little */
#define GZIP_MEMORY 8

struct http_page {
	atomic_uint owners;
	uint64_t begun_ns;
	struct http_bytes text, gzip;
	bool tried; /* gzip is what it will be */
};

struct http_page *http_page_new(char *text, size_t length, uint64_t begun_ns)
{
	struct http_page *page = calloc(1, sizeof(*page));

	if (!page) {
		free(text);
		return NULL;
	}
	page->owners = 1;
	page->begun_ns = begun_ns;
	page->text = (struct http_bytes){text, length};
	return page;
}

struct http_page *http_page_hold(struct http_page *page)
{
	if (page)
		atomic_fetch_add_explicit(&page->owners, 1, memory_order_relaxed);
	return page;
}

void http_page_drop(struct http_page *page)
{
	if (!page || atomic_fetch_sub_explicit(&page->owners, 1, memory_order_acq_rel) != 1)
		return;
	free((void *)page->text.at);
	free((void *)page->gzip.at);
	free(page);
}

uint64_t http_page_begun_ns(const struct http_page *page)
{
	return page->begun_ns;
}

struct http_bytes http_page_text(const struct http_page *page)
{
	return page->text;
}

static struct http_bytes compress_whole(struct http_bytes text)
{
	z_stream stream = {.next_in = (void *)text.at, .avail_in = (uInt)text.length};
	struct http_bytes gzip = {NULL, 0};
	unsigned char *out = malloc(text.length);

	if (!out || deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
				 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(out);
		return gzip;
	}
	stream.next_out = out;
	stream.avail_out = (uInt)text.length; /* what is not shorter is of no use */
	if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
		gzip = (struct http_bytes){out, stream.total_out};
	else
		free(out);
	deflateEnd(&stream);
	return gzip;
}

struct http_bytes http_page_gzip(struct http_page *page)
{
	if (!page->tried && page->text.length > 0 && page->text.length <= UINT_MAX)
		page->gzip = compress_whole(page->text);
	page->tried = true;
	return page->gzip;
}
