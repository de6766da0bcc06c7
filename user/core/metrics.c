/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metrics.h"

#include "core/table.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX	(LABEL_COUNT * (METRICS_LABEL_VALUE_MAX + 1))
#define HISTOGRAM_SHARE 10
#define SERIES_OVERHEAD 80 /* of the table and of the allocator */

/* A family's series in the order in which they came. */
struct chain {
	struct metric_series *first, *last;
	size_t n; /* `other` not counted */
};

struct metrics {
	struct metrics_options options;
	struct table *series;
	struct chain chains[FAMILY_COUNT];
	uint64_t dropped;
	size_t room; /* bytes that new series may take */
	bool lacks_room;
};

/* What a series is found by. */
struct wanted {
	enum metric_family family;
	const char *text;
	size_t length;
};

static bool series_equal(const void *row, const void *key)
{
	const struct metric_series *series = row;
	const struct wanted *wanted = key;

	return series->family == wanted->family && series->length == wanted->length &&
	       !memcmp(series->text, wanted->text, wanted->length);
}

struct metrics *metrics_new(const struct metrics_options *options)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return NULL;
	metrics->options = *options;
	if (!metrics->options.series)
		metrics->options.series = METRICS_SERIES_DEFAULT;
	metrics->room = SIZE_MAX;
	metrics->series =
		table_new(sizeof(struct metric_series), metrics_series_limit(metrics), series_equal);
	if (metrics->series)
		return metrics;
	free(metrics);
	return NULL;
}

static void series_drop(struct metrics *metrics, struct metric_series *series)
{
	free(series->histogram);
	free(series->text);
	table_remove(metrics->series, series);
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	for (int family = 0; family < FAMILY_COUNT; family++) {
		struct metric_series *series = metrics->chains[family].first, *next;

		for (; series; series = next) {
			next = series->next;
			series_drop(metrics, series);
		}
	}
	table_free(metrics->series);
	free(metrics);
}

/* --- a scrape ---------------------------------------------------------------------------------------------
 */

static void series_reset(struct metric_series *series)
{
	series->told = false;
	series->value = 0;
	series->exemplar = (struct metric_exemplar){0};
	if (series->histogram)
		*series->histogram = (struct metric_histogram){0};
}

void metrics_begin(struct metrics *metrics)
{
	for (int family = 0; family < FAMILY_COUNT; family++) {
		struct metric_series *series = metrics->chains[family].first;

		for (; series && !metric_family(family)->kept; series = series->next)
			series_reset(series);
	}
}

static bool is_other(const struct metrics *metrics, const struct metric_series *series);

static void chain_sweep(struct metrics *metrics, struct chain *chain)
{
	struct metric_series **link = &chain->first, *series;

	chain->last = NULL;
	while ((series = *link)) {
		if (series->told) {
			chain->last = series;
			link = &series->next;
			continue;
		}
		*link = series->next;
		chain->n -= !is_other(metrics, series);
		series_drop(metrics, series);
	}
}

void metrics_end(struct metrics *metrics)
{
	for (int family = 0; family < FAMILY_COUNT; family++)
		if (!metric_family(family)->kept)
			chain_sweep(metrics, &metrics->chains[family]);
}

/* --- a series ---------------------------------------------------------------------------------------------
 */

uint32_t metrics_labels_of(const struct metrics *metrics, enum metric_family family)
{
	return metric_family(family)->labels & metrics->options.labels;
}

static size_t put_value(char *to, const char *value)
{
	size_t length = value ? strnlen(value, METRICS_LABEL_VALUE_MAX) : 0;

	if (length)
		memcpy(to, value, length);
	to[length] = '\0';
	return length + 1;
}

/* The values that are shown; labels NULL: `other`, in every one of them. */
static size_t make_text(uint32_t shown, const struct metric_labels *labels, char text[TEXT_MAX])
{
	size_t length = 0;

	for (int i = 0; i < LABEL_COUNT; i++)
		if (shown >> i & 1)
			length += put_value(text + length, labels ? labels->value[i] : "other");
	return length;
}

static bool is_other(const struct metrics *metrics, const struct metric_series *series)
{
	uint32_t shown = metrics_labels_of(metrics, series->family);
	char text[TEXT_MAX];
	size_t length = make_text(shown, NULL, text);

	return shown && series->length == length && !memcmp(series->text, text, length);
}

/* Texts are long and many: eight bytes at a time, the last ones with what is missing as zeros. */
static uint64_t hash_of(const struct wanted *wanted)
{
	uint64_t hash = wanted->length, word;
	size_t at = 0;

	for (; wanted->length - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, wanted->text + at, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, wanted->text + at, wanted->length - at);
	return table_hash(hash ^ word, wanted->family);
}

static size_t family_limit(const struct metrics *metrics, enum metric_family family)
{
	size_t limit = metrics->options.series;

	if (metric_family(family)->type == METRIC_HISTOGRAM)
		limit = limit / HISTOGRAM_SHARE ? limit / HISTOGRAM_SHARE : 1;
	return limit;
}

static size_t series_cost(const struct wanted *wanted)
{
	bool measures = metric_family(wanted->family)->type == METRIC_HISTOGRAM;
	size_t lines = measures ? SPAN_BOUNDS + 3 : 1;

	return sizeof(struct metric_series) + SERIES_OVERHEAD + wanted->length +
	       (measures ? sizeof(struct metric_histogram) : 0) +
	       METRICS_PAGES * lines * (METRICS_LINE_MAX + wanted->length);
}

/* What is about portsnoop itself is little, and never left out. */
static bool is_own(enum metric_family family)
{
	return !(metric_family(family)->labels & ((1u << LABEL_REASON) - 1));
}

/* Takes the room for one. */
static bool room_take(struct metrics *metrics, const struct wanted *wanted)
{
	size_t cost = is_own(wanted->family) ? 0 : series_cost(wanted);

	if (cost > metrics->room) {
		metrics->lacks_room = true;
		return false;
	}
	if (metrics->room != SIZE_MAX)
		metrics->room -= cost;
	return true;
}

static void chain_append(struct chain *chain, struct metric_series *series)
{
	if (chain->last)
		chain->last->next = series;
	else
		chain->first = series;
	chain->last = series;
}

static struct metric_series *series_make(struct metrics *metrics, const struct wanted *wanted, uint64_t hash)
{
	bool measures = metric_family(wanted->family)->type == METRIC_HISTOGRAM;
	struct metric_histogram *histogram = measures ? calloc(1, sizeof(*histogram)) : NULL;
	char *text = malloc(wanted->length + 1);
	struct metric_series *series =
		text && (histogram || !measures) ? table_add(metrics->series, hash) : NULL;

	if (!series) {
		free(histogram);
		free(text);
		return NULL;
	}
	memcpy(text, wanted->text, wanted->length);
	*series = (struct metric_series){
		.histogram = histogram, .text = text, .length = wanted->length, .family = wanted->family};
	chain_append(&metrics->chains[wanted->family], series);
	return series;
}

/* The one with this text; made if there is room, which `other` always has. NULL: there is none. */
static struct metric_series *series_find(struct metrics *metrics, const struct wanted *wanted, bool other)
{
	struct chain *chain = &metrics->chains[wanted->family];
	uint64_t hash = hash_of(wanted);
	struct metric_series *series = table_find(metrics->series, hash, wanted);

	if (series ||
	    (!other && (chain->n >= family_limit(metrics, wanted->family) || !room_take(metrics, wanted))))
		return series;
	series = series_make(metrics, wanted, hash);
	if (series && !other)
		chain->n++;
	return series;
}

/* labels NULL: `other`. */
static struct metric_series *series_of(struct metrics *metrics, enum metric_family family,
				       const struct metric_labels *labels)
{
	uint32_t shown = metrics_labels_of(metrics, family);
	char text[TEXT_MAX];
	struct wanted wanted = {.family = family, .text = text, .length = make_text(shown, labels, text)};
	struct metric_series *series = labels ? series_find(metrics, &wanted, !shown) : NULL;

	if (!series) {
		metrics->dropped += labels != NULL;
		wanted.length = make_text(shown, NULL, text);
		series = series_find(metrics, &wanted, true);
	}
	if (series)
		series->told = true;
	return series;
}

static void tell(struct metrics *metrics, enum metric_family family, const struct metric_labels *labels,
		 double value, const struct metric_exemplar *exemplar)
{
	struct metric_series *series = series_of(metrics, family, labels);

	if (!series)
		return;
	series->value += value;
	if (exemplar && exemplar->wall_ns > series->exemplar.wall_ns)
		series->exemplar = *exemplar;
}

static void tell_span(struct metrics *metrics, enum metric_family family, const struct metric_labels *labels,
		      const struct span *span)
{
	struct metric_series *series = series_of(metrics, family, labels);

	if (!series || !series->histogram)
		return;
	for (unsigned i = 0; i <= SPAN_BOUNDS; i++)
		series->histogram->buckets[i] += span->buckets[i];
	series->histogram->sum_s += (double)span->sum_ns / 1e9;
}

void metrics_add(struct metrics *metrics, enum metric_family family, const struct metric_labels *labels,
		 double value)
{
	tell(metrics, family, labels, value, NULL);
}

void metrics_add_example(struct metrics *metrics, enum metric_family family,
			 const struct metric_labels *labels, double value,
			 const struct metric_exemplar *exemplar)
{
	tell(metrics, family, labels, value, exemplar);
}

void metrics_add_span(struct metrics *metrics, enum metric_family family, const struct metric_labels *labels,
		      const struct span *span)
{
	tell_span(metrics, family, labels, span);
}

void metrics_add_other(struct metrics *metrics, enum metric_family family, double value)
{
	tell(metrics, family, NULL, value, NULL);
}

void metrics_add_other_span(struct metrics *metrics, enum metric_family family, const struct span *span)
{
	tell_span(metrics, family, NULL, span);
}

/* --- what there is ----------------------------------------------------------------------------------------
 */

void metrics_set_room(struct metrics *metrics, size_t bytes)
{
	metrics->room = bytes;
	metrics->lacks_room = false;
}

bool metrics_lacks_room(const struct metrics *metrics)
{
	return metrics->lacks_room;
}

uint64_t metrics_dropped(const struct metrics *metrics)
{
	return metrics->dropped;
}

void metrics_count_dropped(struct metrics *metrics, uint64_t n)
{
	metrics->dropped += n;
}

size_t metrics_series_count(const struct metrics *metrics)
{
	return table_count(metrics->series);
}

size_t metrics_series_limit(const struct metrics *metrics)
{
	return (metrics->options.series + 1) * FAMILY_COUNT;
}

const struct metric_series *metrics_first(const struct metrics *metrics, enum metric_family family)
{
	return metrics->chains[family].first;
}
