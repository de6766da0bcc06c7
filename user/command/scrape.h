/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who wants the tables as they are now, whenever it asks: what no event tells of sockets is looked at first,
 * or everything, where no event comes at all. Of its time that takes a fiftieth at most: who asks sooner has
 * what the last look found.
 */
#ifndef PORTSNOOP_COMMAND_SCRAPE_H
#define PORTSNOOP_COMMAND_SCRAPE_H

#include "command/repair.h"
#include "core/model.h"
#include "loop.h"
#include "source/enrich.h"
#include "source/live.h"
#include "source/overflow.h"

#include <stdbool.h>
#include <stdint.h>

struct scrape;

struct scrape_plan {
	bool silent; /* no events: whatever the tables have comes from looks */
	/* Everything is attached, the first look was made, privileges were given up. */
	int (*begin)(void *context, struct scrape *scrape);
	/* The look that was asked for is there. What these return, if not 0, ends the trace. */
	int (*looked)(void *context);
	int (*hangup)(void *context); /* SIGHUP came */
	void (*tick)(void *context);  /* a second has gone by, and the loop is alive */
	void *context;
};

struct scrape {
	const struct scrape_plan *plan;
	struct loop *loop;
	struct repair *repair;
	struct live *live;
	struct enrich *enrich;
	struct model *model;
	struct overflow *overflow;
	uint64_t begun_ns;   /* the look that is under way, or the last one; CLOCK_BOOTTIME */
	uint64_t took_ns;    /* the last one */
	uint64_t keys;	     /* of the counters, when they were read last */
	uint64_t retired_ns; /* keys of control groups that are gone were taken out; CLOCK_BOOTTIME */
	bool asked;
	int timer;
};

/* Where walks put what they find, once enrich and overflow are filled. */
struct sink scrape_walk_sink(struct scrape *scrape);
/* Everything is borrowed; calls plan->begin(). 0, a negative errno, or what that returned. */
int scrape_open(struct scrape *scrape, const struct scrape_plan *plan);
/* Calls plan->looked(), at once or later. 0, or what that returned. */
int scrape_ask(struct scrape *scrape);
/* Reads what the kernel counted; the control groups in it have their names in the tables then. As
 * counters_read(). */
int scrape_read_counters(struct scrape *scrape, const struct counters_reader *reader);
/* Once a second: control groups are asked for their names while they are there. */
int scrape_tick(struct scrape *scrape);

#endif
