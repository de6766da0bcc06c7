/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/) and the text format 0.0.4. Label
 * values are hostile bytes: what is no UTF-8 becomes U+FFFD, since scrapers refuse the whole answer over one.
 */
#include "view/metrics_text.h"

#include "io/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 65536
#define EXACT	   9007199254740992.0 /* 2^53: whole numbers up to here are exact */

struct writer {
	char *data;
	size_t length, room;
	int error;
	enum exposition exposition;
	const struct metrics *metrics;
};

static bool make_room(struct writer *writer, size_t length)
{
	size_t room = writer->room ? writer->room : FIRST_ROOM;
	char *data;

	if (writer->error || writer->length + length < writer->room)
		return !writer->error;
	while (room <= writer->length + length)
		room *= 2;
	data = realloc(writer->data, room);
	if (!data) {
		writer->error = -ENOMEM;
		return false;
	}
	writer->data = data;
	writer->room = room;
	return true;
}

static void put_bytes(struct writer *writer, const char *bytes, size_t length)
{
	if (!make_room(writer, length))
		return;
	memcpy(writer->data + writer->length, bytes, length);
	writer->length += length;
	writer->data[writer->length] = '\0';
}

static void put(struct writer *writer, const char *text)
{
	put_bytes(writer, text, strlen(text));
}

static void put_natural(struct writer *writer, uint64_t value)
{
	char text[20], *at = text + sizeof(text);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	put_bytes(writer, at, (size_t)(text + sizeof(text) - at));
}

/* Whole numbers whole, which nearly all are; others with all digits that count. */
static void put_number(struct writer *writer, double value)
{
	char text[40];

	if (value >= 0 && value < EXACT && value == (double)(uint64_t)value) {
		put_natural(writer, (uint64_t)value);
		return;
	}
	if (value > -EXACT && value < EXACT && value == (double)(int64_t)value)
		snprintf(text, sizeof(text), "%" PRId64, (int64_t)value);
	else
		snprintf(text, sizeof(text), "%.15g", value);
	put(writer, text);
}

/* --- labels -----------------------------------------------------------------------------------------------
 */

/* How many bytes from here on are told as they are; nearly always all. */
static size_t plain_length(const char *value, size_t length)
{
	size_t n = 0;
	unsigned char c;

	while (n < length && (c = (unsigned char)value[n]) >= ' ' && c < 0x7f && c != '"' && c != '\\')
		n++;
	return n;
}

static void put_escaped(struct writer *writer, const char *value)
{
	size_t left = strlen(value);

	while (left) {
		size_t plain = plain_length(value, left), n;
		uint32_t code;

		put_bytes(writer, value, plain);
		value += plain;
		left -= plain;
		if (!left)
			break;
		n = utf8_decode(value, left, &code);
		if (code == UTF8_INVALID)
			put(writer, "\xef\xbf\xbd");
		else if (code == '\n')
			put(writer, "\\n");
		else if (code == '"' || code == '\\')
			put_bytes(writer, code == '"' ? "\\\"" : "\\\\", 2);
		else
			put_bytes(writer, value, n);
		value += n;
		left -= n;
	}
}

static void put_label(struct writer *writer, bool *first, const char *name, const char *value)
{
	put(writer, *first ? "{" : ",");
	*first = false;
	put(writer, name);
	put(writer, "=\"");
	put_escaped(writer, value);
	put(writer, "\"");
}

/* An empty value is no label. le: of a bucket, or NULL. */
static void put_labels(struct writer *writer, const struct metric_series *series, const char *le)
{
	uint32_t shown = metrics_labels_of(writer->metrics, series->family);
	const char *value = series->text;
	bool first = true;

	for (int i = 0; i < LABEL_COUNT; i++) {
		if (!(shown >> i & 1))
			continue;
		if (*value)
			put_label(writer, &first, metric_label_name((enum metric_label)i), value);
		value += strlen(value) + 1;
	}
	if (le)
		put_label(writer, &first, "le", le);
	put(writer, first ? " " : "} ");
}

/* --- samples ----------------------------------------------------------------------------------------------
 */

static void put_exemplar(struct writer *writer, const struct metric_exemplar *exemplar)
{
	char text[96];

	if (writer->exposition != EXPOSITION_OPENMETRICS || !exemplar->wall_ns)
		return;
	snprintf(text, sizeof(text), " # {process_pid=\"%" PRIu32 "\"} 1 %" PRId64 ".%03" PRId64,
		 exemplar->pid, exemplar->wall_ns / 1000000000, exemplar->wall_ns / 1000000 % 1000);
	put(writer, text);
}

static void put_sample(struct writer *writer, const struct metric_series *series, const char *suffix,
		       const char *le, double value)
{
	put(writer, metric_family(series->family)->name);
	put(writer, suffix);
	put_labels(writer, series, le);
	put_number(writer, value);
}

/* As a number of seconds that both formats' readers take for the same: with a point. */
static void bound_text(uint64_t bound_ns, char text[32])
{
	snprintf(text, 32, "%.9g", (double)bound_ns / 1e9);
	if (!strpbrk(text, ".e"))
		strcat(text, ".0");
}

static void put_histogram(struct writer *writer, const struct metric_series *series)
{
	const uint64_t *bounds = metric_family(series->family)->bounds;
	const struct metric_histogram *histogram = series->histogram;
	uint64_t so_far = 0;
	char le[32];

	for (unsigned i = 0; i <= SPAN_BOUNDS; i++) {
		so_far += histogram->buckets[i];
		if (i < SPAN_BOUNDS)
			bound_text(bounds[i], le);
		put_sample(writer, series, "_bucket", i < SPAN_BOUNDS ? le : "+Inf", (double)so_far);
		put(writer, "\n");
	}
	put_sample(writer, series, "_count", NULL, (double)so_far);
	put(writer, "\n");
	put_sample(writer, series, "_sum", NULL, histogram->sum_s);
	put(writer, "\n");
}

static void put_series(struct writer *writer, const struct metric_series *series, enum metric_type type)
{
	if (type == METRIC_HISTOGRAM) {
		put_histogram(writer, series);
		return;
	}
	put_sample(writer, series,
		   type == METRIC_COUNTER ? "_total"
		   : type == METRIC_INFO  ? "_info"
					  : "",
		   NULL, series->value);
	put_exemplar(writer, &series->exemplar);
	put(writer, "\n");
}

/* --- families ---------------------------------------------------------------------------------------------
 */

/* 0.0.4 has no family but the sample's own name, and no info. */
static void put_about(struct writer *writer, const struct metric_family_row *row, const char *keyword,
		      const char *text)
{
	bool plain = writer->exposition == EXPOSITION_TEXT;

	put(writer, "# ");
	put(writer, keyword);
	put(writer, " ");
	put(writer, row->name);
	if (plain && row->type == METRIC_COUNTER)
		put(writer, "_total");
	if (plain && row->type == METRIC_INFO)
		put(writer, "_info");
	put(writer, " ");
	put(writer, text);
	put(writer, "\n");
}

static void put_family(struct writer *writer, enum metric_family family)
{
	static const char *const types[] = {"gauge", "counter", "histogram", "info"};
	const struct metric_series *series = metrics_first(writer->metrics, family);
	const struct metric_family_row *row = metric_family(family);
	bool plain = writer->exposition == EXPOSITION_TEXT;

	if (!series)
		return;
	put_about(writer, row, "HELP", row->help);
	put_about(writer, row, "TYPE", plain && row->type == METRIC_INFO ? "gauge" : types[row->type]);
	if (row->unit && !plain)
		put_about(writer, row, "UNIT", row->unit);
	for (; series; series = series->next)
		put_series(writer, series, row->type);
}

int metrics_render(const struct metrics *metrics, enum exposition exposition, struct metrics_text *ret_text)
{
	struct writer writer = {.metrics = metrics, .exposition = exposition};

	put(&writer, ""); /* also of nothing there is a text */
	for (int family = 0; family < FAMILY_COUNT; family++)
		put_family(&writer, (enum metric_family)family);
	if (exposition == EXPOSITION_OPENMETRICS)
		put(&writer, "# EOF\n");
	if (writer.error) {
		free(writer.data);
		return writer.error;
	}
	*ret_text = (struct metrics_text){.data = writer.data, .length = writer.length};
	return 0;
}
