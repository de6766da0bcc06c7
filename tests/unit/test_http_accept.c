/* SPDX-License-Identifier: GPL-2.0-only */
/* What clients say that they take, and what they get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/http_accept.h"

#include <errno.h>
#include <string.h>

#define OM   HTTP_OPENMETRICS
#define TEXT HTTP_TEXT
#define NONE (-1)

static int format_for(const char *accept)
{
	struct http_wish wish = {0};
	enum http_format format;

	http_accept(&wish, accept);
	return http_wish_format(&wish, &format) ? NONE : (int)format;
}

static const struct {
	const char *accept;
	int format;
} formats[] = {
	{"", TEXT},
	{"*/*", TEXT},
	/* Prometheus 2.42, 2.55 and 3 */
	{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
	 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	 OM},
	{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
	 "version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/"
	 "plain;version=0.0.4;q=0.3,"
	 "*/*;q=0.2",
	 OM},
	{"text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT},
	/* a browser */
	{"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", TEXT},
	{"application/openmetrics-text", OM},
	{"Application/OpenMetrics-Text ; Version=\"1.0.0\"", OM},
	{"application/openmetrics-text;version=2.0.0", TEXT},
	{"application/openmetrics-text;version=0.0.1", TEXT},
	{"application/openmetrics-text;q=0.4,text/plain;q=0.5", TEXT},
	{"application/openmetrics-text;q=0.5,text/plain;q=0.5", OM},
	{"text/plain;q=0.5,application/openmetrics-text;q=0.5", OM},
	{"application/openmetrics-text;q=0", TEXT},
	{"application/openmetrics-text;q=0.000,*/*", TEXT},
	{"text/plain;q=0", NONE},
	{"text/plain;q=0,application/openmetrics-text;q=0.001", OM},
	{"*/*;q=0", NONE},
	{"*/*;q=0,text/plain;q=0.1", TEXT},
	{"text/*", TEXT},
	{"text/*;q=0.2,application/*;q=0.8", OM},
	{"application/*", OM},
	{"image/png", TEXT},
	{"image/png,application/openmetrics-text;q=0.5", OM},
	{"text/plain;version=1.0.0", TEXT},
	/* malformed: as if it were not there */
	{"application/openmetrics-text;q=2", TEXT},
	{"application/openmetrics-text;q=1.0001", TEXT},
	{"application/openmetrics-text;q=.5", TEXT},
	{"application/openmetrics-text;q=", TEXT},
	{"application/openmetrics-text;q", TEXT},
	{"application/openmetrics-text;q=0.1x", TEXT},
	{"application/openmetrics-text;q=-1", TEXT},
	{"application/openmetrics-text text/plain", TEXT},
	{"application/openmetrics-text;version=\"1.0.0", TEXT},
	{"x;y=\"a,application/openmetrics-text\"", TEXT},
	{"x;y=\"a\\\",\",application/openmetrics-text", OM},
	{",,, ,application/openmetrics-text,,", OM},
	{";;;,=,\",", TEXT},
};

static void formats_are_chosen(void **state)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (format_for(formats[i].accept) != formats[i].format)
			fail_msg("\"%s\": %d instead of %d", formats[i].accept, format_for(formats[i].accept),
				 formats[i].format);
}

static void several_headers_are_one(void **state)
{
	struct http_wish wish = {0};
	enum http_format format = HTTP_TEXT;

	http_accept(&wish, "text/plain;q=0.3");
	http_accept(&wish, "application/openmetrics-text;q=0.4");
	assert_int_equal(http_wish_format(&wish, &format), 0);
	assert_int_equal(format, HTTP_OPENMETRICS);
}

static void nothing_is_touched_on_failure(void **state)
{
	struct http_wish wish = {0};
	enum http_format format = HTTP_FORMATS;

	http_accept(&wish, "*/*;q=0");
	assert_int_equal(http_wish_format(&wish, &format), -ENOENT);
	assert_int_equal(format, HTTP_FORMATS);
}

static bool gzip_for(const char *accept)
{
	struct http_wish wish = {0};

	http_accept_encoding(&wish, accept);
	return http_wish_gzip(&wish);
}

static void encodings(void **state)
{
	assert_true(gzip_for("gzip"));
	assert_true(gzip_for("GZip"));
	assert_true(gzip_for("x-gzip"));
	assert_true(gzip_for("deflate, gzip;q=0.1, br"));
	assert_true(gzip_for("gzip, identity"));
	assert_true(gzip_for("identity;q=0, *"));
	assert_true(gzip_for("gzip;q=0.5, *;q=0.7"));
	assert_false(gzip_for(""));
	assert_false(gzip_for("identity"));
	assert_false(gzip_for("*"));
	assert_false(gzip_for("gzip;q=0"));
	assert_false(gzip_for("gzip;q=0, *"));
	assert_false(gzip_for("gzip;q=0.5, identity"));
	assert_false(gzip_for("gzip;q=5"));
	assert_false(gzip_for("gzipped"));
	assert_false(gzip_for("deflate, br, zstd"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_chosen),
		cmocka_unit_test(several_headers_are_one),
		cmocka_unit_test(nothing_is_touched_on_failure),
		cmocka_unit_test(encodings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
