/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/) and the text format 0.0.4. There
 * are megabytes of it on a host with many listeners: room is made for a line at a time, and what lines have
 * in common is made once.
 */
#include "view/metrics_text.h"

#include "view/label_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 65536
#define EXACT	   9007199254740992.0 /* 2^53: whole numbers up to here are exact */
#define PREFIX_MAX 32		      /* `,process_executable_name="`, copied whole as that is quicker */
#define BOUND_MAX  24
#define NUMBER_MAX 40
#define SAMPLE_MAX (LABEL_COUNT * (PREFIX_MAX + 1) + 512) /* of a line without the values of its labels */

struct label_prefix {
	char text[PREFIX_MAX];
	size_t length;
};

struct writer {
	char *data;
	size_t length, room;
	int error;
	enum exposition exposition;
	const struct metrics *metrics;
	/* Of the family that is under way: */
	struct label_prefix prefixes[LABEL_COUNT];
	size_t n_prefixes;
	char bounds[SPAN_BOUNDS][BOUND_MAX];
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

static void put(struct writer *writer, const char *text)
{
	size_t length = strlen(text);

	if (!make_room(writer, length))
		return;
	memcpy(writer->data + writer->length, text, length + 1);
	writer->length += length;
}

/* What follows writes where there is room for a whole line, and returns where it ends. */
static char *add(char *at, const char *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

static char *add_natural(char *to, uint64_t value)
{
	char text[20], *at = text + sizeof(text);

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	return add(to, at, (size_t)(text + sizeof(text) - at));
}

/* Whole numbers whole, which nearly all are; others with all digits that count. */
static char *add_number(char *to, double value)
{
	if (value >= 0 && value < EXACT && value == (double)(uint64_t)value)
		return add_natural(to, (uint64_t)value);
	if (value > -EXACT && value < EXACT && value == (double)(int64_t)value)
		return to + snprintf(to, NUMBER_MAX, "%" PRId64, (int64_t)value);
	return to + snprintf(to, NUMBER_MAX, "%.15g", value);
}

/* --- labels -----------------------------------------------------------------------------------------------
 */

/* `{` and the labels that are there; nothing when none is. */
static char *add_labels(const struct writer *writer, char *at, const struct metric_series *series)
{
	const char *value = series->text, *end = value + series->length;
	char *begin = at;

	for (size_t i = 0; i < writer->n_prefixes; i++) {
		const struct label_prefix *prefix = &writer->prefixes[i];

		if (!*value) { /* an empty value is no label */
			value++;
			continue;
		}
		memcpy(at, prefix->text, PREFIX_MAX);
		at = label_value_put(at + prefix->length, &value, end);
		*at++ = '"';
	}
	if (at > begin)
		*begin = '{';
	return at;
}

static void read_prefixes(struct writer *writer, enum metric_family family)
{
	uint32_t shown = metrics_labels_of(writer->metrics, family);

	writer->n_prefixes = 0;
	for (int i = 0; i < LABEL_COUNT; i++) {
		struct label_prefix *prefix = &writer->prefixes[writer->n_prefixes];

		if (!(shown >> i & 1))
			continue;
		prefix->length = (size_t)snprintf(prefix->text, PREFIX_MAX, ",%s=\"",
						  metric_label_name((enum metric_label)i));
		writer->n_prefixes++;
	}
}

/* --- samples ----------------------------------------------------------------------------------------------
 */

static size_t most_of_line(const struct metric_series *series)
{
	return SAMPLE_MAX + LABEL_VALUE_GROWTH * series->length;
}

static char *add_exemplar(const struct writer *writer, char *at, const struct metric_exemplar *exemplar)
{
	if (writer->exposition != EXPOSITION_OPENMETRICS || !exemplar->wall_ns)
		return at;
	return at + sprintf(at, " # {process_pid=\"%" PRIu32 "\"} 1 %" PRId64 ".%03" PRId64, exemplar->pid,
			    exemplar->wall_ns / 1000000000, exemplar->wall_ns / 1000000 % 1000);
}

static char *add_name(char *at, const struct metric_family_row *row, const char *suffix)
{
	at = add(at, row->name, strlen(row->name));
	return add(at, suffix, strlen(suffix));
}

static void put_sample(struct writer *writer, const struct metric_series *series,
		       const struct metric_family_row *row)
{
	static const char *const suffixes[] = {[METRIC_COUNTER] = "_total", [METRIC_INFO] = "_info"};
	const char *suffix = row->type == METRIC_GAUGE ? "" : suffixes[row->type];
	char *at, *labels;

	if (!make_room(writer, most_of_line(series)))
		return;
	labels = add_name(writer->data + writer->length, row, suffix);
	at = add_labels(writer, labels, series);
	if (at > labels)
		*at++ = '}';
	*at++ = ' ';
	at = add_number(at, series->value);
	at = add_exemplar(writer, at, &series->exemplar);
	*at++ = '\n';
	writer->length = (size_t)(at - writer->data);
}

/* --- histograms -------------------------------------------------------------------------------------------
 */

/* As numbers of seconds that both formats' readers take for the same: with a point. */
static void read_bounds(struct writer *writer, const uint64_t *bounds_ns)
{
	for (unsigned i = 0; i < SPAN_BOUNDS; i++) {
		char *text = writer->bounds[i];

		snprintf(text, BOUND_MAX - 2, "%.9g", (double)bounds_ns[i] / 1e9);
		if (!strpbrk(text, ".e"))
			strcat(text, ".0");
	}
}

/* All lines of a bucket begin with the same bytes. */
static char *add_buckets(const struct writer *writer, char *at, const struct metric_series *series,
			 uint64_t *ret_count)
{
	const char *begin = at;
	char *labels = add_name(at, metric_family(series->family), "_bucket"), *same;
	uint64_t so_far = 0;

	same = add_labels(writer, labels, series);
	same = add(same, same == labels ? "{le=\"" : ",le=\"", 5);
	for (unsigned i = 0; i <= SPAN_BOUNDS; i++) {
		const char *bound = i < SPAN_BOUNDS ? writer->bounds[i] : "+Inf";

		so_far += series->histogram->buckets[i];
		at = i ? add(at, begin, (size_t)(same - begin)) : same;
		at = add(at, bound, strlen(bound));
		at = add(at, "\"} ", 3);
		at = add_natural(at, so_far);
		*at++ = '\n';
	}
	*ret_count = so_far;
	return at;
}

static char *add_sum(const struct writer *writer, char *at, const struct metric_series *series,
		     const char *suffix, double value)
{
	char *labels = add_name(at, metric_family(series->family), suffix);

	at = add_labels(writer, labels, series);
	if (at > labels)
		*at++ = '}';
	*at++ = ' ';
	at = add_number(at, value);
	*at++ = '\n';
	return at;
}

static void put_histogram(struct writer *writer, const struct metric_series *series)
{
	uint64_t count;
	char *at;

	if (!make_room(writer, (SPAN_BOUNDS + 3) * most_of_line(series)))
		return;
	at = add_buckets(writer, writer->data + writer->length, series, &count);
	at = add_sum(writer, at, series, "_count", (double)count);
	at = add_sum(writer, at, series, "_sum", series->histogram->sum_s);
	writer->length = (size_t)(at - writer->data);
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
	read_prefixes(writer, family);
	if (row->type == METRIC_HISTOGRAM)
		read_bounds(writer, row->bounds);
	for (; series; series = series->next)
		if (row->type == METRIC_HISTOGRAM)
			put_histogram(writer, series);
		else
			put_sample(writer, series, row);
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
	writer.data[writer.length] = '\0';
	*ret_text = (struct metrics_text){.data = writer.data, .length = writer.length};
	return 0;
}
