/* SPDX-License-Identifier: GPL-2.0-only */
/* What `export` tells at a scrape: from the kernel's counters, the tables, and of itself. */
#ifndef PORTSNOOP_COMMAND_EXPORT_METRICS_H
#define PORTSNOOP_COMMAND_EXPORT_METRICS_H

#include "command/export_memory.h"
#include "command/scrape.h"
#include "core/filter.h"
#include "core/metrics.h"
#include "core/metrics_counts.h"

#include <stdbool.h>

struct export_source {
	struct metrics *metrics;
	struct metrics_counts *counts;
	const struct model *model;
	const struct filter *filter;
	struct export_memory memory;
	bool silent, measured; /* no events; the kernel measures programs */
	double scrape_s;       /* how long the last one took to make; 0: there was none */
	uint64_t other;	       /* what the kernel counted without labels, when it was looked at last */
};

/* Makes the series anew. The tables are as scrape has just had them looked at. 0 or a negative errno. */
int export_collect(struct export_source *source, struct scrape *scrape);

#endif
