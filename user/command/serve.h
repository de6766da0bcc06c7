/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A long-running portsnoop answers others from its tables: a question is a REC_ASK, the answer the tables as
 * records. One question a connection. Slow and dead clients cost their buffer for some seconds, no more.
 */
#ifndef PORTSNOOP_COMMAND_SERVE_H
#define PORTSNOOP_COMMAND_SERVE_H

#include "command/repair.h"
#include "core/model.h"
#include "loop.h"

#include <stdbool.h>

struct serve;

struct serve_plan {
	struct loop *loop;
	struct repair *repair;
	struct model *model;
	bool keeps_remains; /* somebody else looks at what ends without an event, so it stays in the tables */
	/* Puts what has happened by now into the tables. What it returns, if not 0, ends the loop. */
	int (*catch_up)(void *context);
	void *context;
};

/*
 * Serves unless another one does or nobody may (*ret_serve is NULL then, and it is no error). What the plan
 * points to is borrowed. 0 or -ENOMEM.
 */
int serve_open(const struct serve_plan *plan, struct serve **ret_serve);
/* Drops clients that take nothing. Once a second. */
void serve_tick(struct serve *serve);
void serve_close(struct serve *serve);

#endif
