/* SPDX-License-Identifier: GPL-2.0-only */
/* What top shows, from wherever records come: it collects as they are applied, and reads the tables on
 * demand. */
#ifndef PORTSNOOP_COMMAND_TOP_TABLES_H
#define PORTSNOOP_COMMAND_TOP_TABLES_H

#include "command/top_frozen.h"
#include "options.h"
#include "pipeline.h"
#include "view/top_head.h"
#include "view/top_state.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct top_tables {
	const struct options *options;
	struct pipeline *pipeline;
	struct rates *rates;
	struct departed *departed;
	struct backlog *backlog;
	struct history *history;
	struct top_frozen *frozen; /* what was there when the view was frozen; NULL: it is not */
	struct filter *filter;	   /* NULL: everything */
	struct top_table table;
	struct top_counts counts;
	struct top_forecast forecast;
	struct top_head head;
	uint64_t foreseen_ns, foresight_ns; /* when it was made, and how long that took */
	struct top_clock clock;
	char kernel[65];
	bool partial;
};

/* 0 or -ENOMEM. */
int top_tables_open(struct top_tables *tables, const struct options *options);
void top_tables_close(struct top_tables *tables);
/* From nothing: for a recording that is played again. 0 or -ENOMEM, and it is as it was. */
int top_tables_restart(struct top_tables *tables);
/* What the tables are at this moment; now_ns: CLOCK_BOOTTIME. */
struct top_source top_tables_source(const struct top_tables *tables, const struct top_state *state,
				    uint64_t now_ns);
struct top_page top_tables_page(const struct top_tables *tables, const struct top_state *state);
/* A refresh is due: folds rates, counts, foresees as often as it may. */
void top_tables_tick(struct top_tables *tables, const struct top_state *state, uint64_t now_ns);
/* Reads the view anew. 0 or -ENOMEM. */
int top_tables_read(struct top_tables *tables, const struct top_state *state, uint64_t now_ns);
/* The header as it is now. */
void top_tables_head(struct top_tables *tables, const struct top_state *state, uint64_t now_ns, bool utf8);
/* Freezing, with what is read at this moment, and going on. 0 or -ENOMEM. */
int top_tables_freeze(struct top_tables *tables, const struct top_state *state, uint64_t now_ns);
/* What the rows on the screen are of: the tables at this moment, or when the view was frozen. 0 or -ENOMEM.
 */
int top_tables_shown(const struct top_tables *tables, const struct top_state *state, uint64_t now_ns,
		     struct top_source *ret_source);
/* A frame without a terminal. 0 or a negative errno. */
int top_tables_print(struct top_tables *tables, const struct top_state *state, uint64_t now_ns, FILE *out);

#endif
