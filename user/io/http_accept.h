/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the two texts of metrics a client would rather have, and whether compressed: RFC 9110, sections
 * 12.5.1 and 12.5.3. Pure; what is malformed in a header is passed over, as if it were not there.
 */
#ifndef PORTSNOOP_IO_HTTP_ACCEPT_H
#define PORTSNOOP_IO_HTTP_ACCEPT_H

#include <stdbool.h>

enum http_format {
	HTTP_TEXT,	  /* Prometheus' text format 0.0.4 */
	HTTP_OPENMETRICS, /* OpenMetrics 1.0.0 */
	HTTP_FORMATS,
};

/* What is known of one thing that could be had: the most specific entry that is about it. */
struct http_rank {
	int specific; /* 0: nothing said; 1: anything; 2: of this type; 3: this */
	int quality;  /* in thousandths */
};

struct http_wish {
	struct http_rank formats[HTTP_FORMATS];
	struct http_rank gzip, identity;
};

/* Begins as {0}: nothing asked for. A header that comes several times is given several times. */
void http_accept(struct http_wish *wish, const char *value);
void http_accept_encoding(struct http_wish *wish, const char *value);

/*
 * Who names neither gets text, as from every exporter. 0, or -ENOENT when the client has ruled both out.
 */
int http_wish_format(const struct http_wish *wish, enum http_format *ret_format);
bool http_wish_gzip(const struct http_wish *wish);
const char *http_content_type(enum http_format format);

#endif
