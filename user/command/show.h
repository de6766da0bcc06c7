/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Somebody who is shown the tables of a live trace, once or again and again. What no event tells of sockets
 * is looked at each time before. Of its time it takes a fiftieth at most.
 */
#ifndef PORTSNOOP_COMMAND_SHOW_H
#define PORTSNOOP_COMMAND_SHOW_H

#include "command/repair.h"
#include "core/model.h"
#include "loop.h"

#include <stdbool.h>
#include <stdint.h>

struct show_plan {
	uint64_t first_ns, every_ns; /* after `ready`, and at least after each time */
	int (*show)(void *context);  /* what it returns, if not 0, ends the trace */
	void *context;
	/* When the trace has begun; what it returns, if not 0, ends it. NULL: nothing is to be done then.
	 * partial: not everything can be seen here. */
	int (*open)(void *context, struct loop *loop, bool partial);
	bool shows_events; /* too, so that it is looked who is in the way of binds */
	/* Shows nothing of a connection but what events tell, so that all are looked at only now and then. */
	bool by_events;
	bool keeps_remains; /* of each look until the next: it looks at the tables in between, too */
};

struct show {
	const struct show_plan *plan;
	struct loop *loop;
	struct repair *repair;
	struct model *model;
	uint64_t begun_ns; /* the look that is under way */
	uint64_t whole_ns; /* the last one at all sockets; 0: none yet */
	bool partial;	   /* not all events are seen */
	int timer;
};

/* Everything is borrowed. 0 or a negative errno. */
int show_open(struct show *show, const struct show_plan *plan, struct loop *loop, struct repair *repair,
	      struct model *model, bool partial);

#endif
