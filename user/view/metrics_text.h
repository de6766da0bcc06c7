/* SPDX-License-Identifier: GPL-2.0-only */
/* Series as text that a scraper reads: OpenMetrics 1.0, or Prometheus's text format 0.0.4. */
#ifndef PORTSNOOP_VIEW_METRICS_TEXT_H
#define PORTSNOOP_VIEW_METRICS_TEXT_H

#include "core/metrics.h"

#include <stddef.h>

enum exposition { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS };

/* What stands in the Content-Type of an answer. */
#define EXPOSITION_TEXT_TYPE	    "text/plain; version=0.0.4; charset=utf-8"
#define EXPOSITION_OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics_text {
	char *data; /* NUL-terminated; of malloc(3), the receiver's */
	size_t length;
};

/* After metrics_end(). 0 or -ENOMEM. */
int metrics_render(const struct metrics *metrics, enum exposition exposition, struct metrics_text *ret_text);

#endif
