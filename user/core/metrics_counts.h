/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel side counted, as series: its keys become labels, and what a filter leaves out is not told.
 */
#ifndef PORTSNOOP_CORE_METRICS_COUNTS_H
#define PORTSNOOP_CORE_METRICS_COUNTS_H

#include "core/filter.h"
#include "core/metrics.h"
#include "core/model.h"

#include <portsnoop/counts.h>

struct metrics_counts;

/* Everything is borrowed; filter may be NULL. NULL when there is no memory. */
struct metrics_counts *metrics_counts_new(struct metrics *metrics, const struct model *model,
					  const struct filter *filter);
void metrics_counts_free(struct metrics_counts *counts);

/* Between metrics_begin() and metrics_end(), as source/counters tells it. All return 0. */
int metrics_counts_name(void *context, uint32_t number, const char *text);
int metrics_counts_count(void *context, const struct count_key *key, const struct count *count, bool other);
int metrics_counts_span(void *context, const struct count_key *key, const struct span *span, bool other);

#endif
