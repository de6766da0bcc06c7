/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a series is about, once as labels and once as a filter's subject; and which keys of the filter
 * language ask about labels.
 */
#ifndef PORTSNOOP_CORE_METRICS_LABELS_H
#define PORTSNOOP_CORE_METRICS_LABELS_H

#include "core/describe.h"
#include "core/endpoint.h"
#include "core/filter.h"
#include "core/metrics.h"
#include "core/model.h"

/* Zero or NULL: not known, or no label of it. */
struct labels_of {
	const char *executable;
	const char *cgroup; /* path: tells the container */
	const char *state;
	const struct endpoint *local; /* a listener's; its address is a label then */
	uint32_t netns;
	int error;
	uint16_t protocol;
	uint16_t local_port, server_port;
	uint8_t direction;
};

/* Labels and subject, and the texts that they lie in. Must not be copied. */
struct labels_room {
	struct metric_labels labels;
	struct filter_subject subject;
	struct filter_process process;
	char local_port[8], server_port[8], netns[12];
	char error[ERROR_TYPE_MAX], container[CGROUP_PART_TEXT_MAX], address[ENDPOINT_TEXT_MAX];
};

void labels_fill(struct labels_room *room, const struct model *model, const struct labels_of *of);

/* Whether a filter asks about labels only. NULL, or the key that does not. */
const char *labels_unknown_key(const struct filter *filter);

#endif
