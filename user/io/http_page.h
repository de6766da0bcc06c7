/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rendered scrape: immutable, counted, handed from the loop to the thread that speaks HTTP. Only the count
 * is touched by both; what is compressed of it is made by the last owner's thread, once.
 */
#ifndef PORTSNOOP_IO_HTTP_PAGE_H
#define PORTSNOOP_IO_HTTP_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct http_page;

struct http_bytes {
	const void *at;
	size_t length;
};

/* Takes text, which free() can free, also on failure. NULL without memory. */
struct http_page *http_page_new(char *text, size_t length, uint64_t begun_ns);
struct http_page *http_page_hold(struct http_page *page);
/* NULL is fine. */
void http_page_drop(struct http_page *page);

/* When the rendering began (CLOCK_MONOTONIC): whatever had happened before is in it. */
uint64_t http_page_begun_ns(const struct http_page *page);
struct http_bytes http_page_text(const struct http_page *page);
/* For one thread. {NULL, 0} without memory, or when it would not be shorter. Lives as long as the page. */
struct http_bytes http_page_gzip(struct http_page *page);

#endif
