/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The series of a scrape: what is told under the same labels adds up. A family has so many series at most;
 * what is told beyond that goes to its series `other`, all of whose labels read so, and is counted. A series
 * that has a place keeps it for as long as it is told, so that no counter jumps.
 */
#ifndef PORTSNOOP_CORE_METRICS_H
#define PORTSNOOP_CORE_METRICS_H

#include "core/metric_family.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_SERIES_DEFAULT	10000 /* of a family; histograms a tenth, since each has many lines */
#define METRICS_LABELS_ALL	UINT32_MAX
#define METRICS_LABEL_VALUE_MAX 256 /* bytes; a longer one is cut */

/* What is left NULL, or is no label of the family, is absent. Hostile bytes. */
struct metric_labels {
	const char *value[LABEL_COUNT];
};

/* Whom the last of these happened to. */
struct metric_exemplar {
	uint32_t pid;	 /* 0: there is none */
	int64_t wall_ns; /* since the epoch */
};

struct metric_histogram {
	uint64_t buckets[SPAN_BOUNDS + 1]; /* not cumulated */
	double sum_s;
};

struct metric_series {
	double value;
	struct metric_histogram *histogram; /* of its family's type; else NULL */
	struct metric_exemplar exemplar;
	char *text; /* values of the family's labels that are shown, each with its NUL */
	size_t length;
	enum metric_family family;
	bool told; /* at this scrape */
	struct metric_series *next;
};

struct metrics_options {
	size_t series;	 /* most of a family; 0: the default */
	uint32_t labels; /* bit per enum metric_label that is shown */
};

struct metrics;

/* What a series takes, with its lines on the pages of a scrape. */
#define METRICS_PAGES	 3   /* that there are at once: one is made, others are on their way */
#define METRICS_LINE_MAX 160 /* of a line, without the values of its labels */

/* NULL when there is no memory. */
struct metrics *metrics_new(const struct metrics_options *options);
void metrics_free(struct metrics *metrics);

/* What follows is told anew; what is not told until metrics_end() goes. */
void metrics_begin(struct metrics *metrics);
void metrics_end(struct metrics *metrics);

/* How much new series may take from now on; that is not limited before. */
void metrics_set_room(struct metrics *metrics, size_t bytes);
/* Whether one has found no room since then. */
bool metrics_lacks_room(const struct metrics *metrics);

/* Without memory for a series of its own it is told as `other`, without any it is left out, and counted. */
void metrics_add(struct metrics *metrics, enum metric_family family, const struct metric_labels *labels,
		 double value);
/* The same of a value that may have an exemplar. */
void metrics_add_example(struct metrics *metrics, enum metric_family family,
			 const struct metric_labels *labels, double value,
			 const struct metric_exemplar *exemplar);
/* The same of durations. */
void metrics_add_span(struct metrics *metrics, enum metric_family family, const struct metric_labels *labels,
		      const struct span *span);
/* The same under `other`. */
void metrics_add_other(struct metrics *metrics, enum metric_family family, double value);
void metrics_add_other_span(struct metrics *metrics, enum metric_family family, const struct span *span);

/* What was counted under `other` so far. */
uint64_t metrics_dropped(const struct metrics *metrics);
void metrics_count_dropped(struct metrics *metrics, uint64_t n);
size_t metrics_series_count(const struct metrics *metrics);
size_t metrics_series_limit(const struct metrics *metrics);
uint32_t metrics_labels_of(const struct metrics *metrics, enum metric_family family);
/* The first of a family, in the order in which they came; NULL: it has none. */
const struct metric_series *metrics_first(const struct metrics *metrics, enum metric_family family);

#endif
