/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands above the tables of top: where, how much happens, what was lost, how long until which limit. */
#ifndef PORTSNOOP_VIEW_TOP_HEAD_H
#define PORTSNOOP_VIEW_TOP_HEAD_H

#include "view/top.h"
#include "view/top_state.h"

#include <stdbool.h>
#include <stdint.h>

/* Read from the tables, at every refresh. */
struct top_counts {
	uint32_t ports, listeners, connections, time_wait, processes;
	struct rec_socket fullest; /* the listener whose accept queue is fullest, if it holds anything */
	uint32_t queue_length, queue_limit;
};
void top_count(const struct model *model, struct top_counts *ret_counts);

/* Costs a look at every connection, so whoever asks decides how often. */
struct top_forecast {
	bool any;		/* a destination; nothing below otherwise */
	struct rec_socket ends; /* of the destination with the fewest ports left */
	double used_ratio;
	uint32_t available;
	bool will_be_exhausted;
	uint32_t exhausted_in_seconds;
};
/* 0 or -ENOMEM. */
int top_foresee(const struct top_source *source, struct top_forecast *ret_forecast);

struct top_clock {
	bool recording;
	bool paused;
	double speed;
	uint64_t begin_ns, end_ns; /* of the recording */
};

#define TOP_HEAD_LINES 3
struct top_head {
	struct top_line left[TOP_HEAD_LINES], right[TOP_HEAD_LINES];
};
/* kernel: as uname(2) has it; "" is not known. frozen_ns: since when; 0: it is not. partial: hooks are
 * missing. utf8: the sparkline may be one. */
struct top_head_facts {
	const char *kernel;
	const struct top_counts *counts;
	const struct top_forecast *forecast;
	const struct top_clock *clock;
	uint64_t frozen_ns;
	bool partial, utf8;
};
void top_head_make(struct top_head *head, const struct top_source *source,
		   const struct top_head_facts *facts);

#endif
