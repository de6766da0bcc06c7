/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When to walk over the kernel's sockets again: after a loss, until nothing is in doubt any more, and as
 * often as holders are to be looked at. It decides when; the walker walks, and the model says what was
 * repaired.
 */
#ifndef PORTSNOOP_COMMAND_REPAIR_H
#define PORTSNOOP_COMMAND_REPAIR_H

#include "core/model.h"
#include "loop.h"
#include "source/sink.h"
#include "source/walker.h"

#include <stdbool.h>
#include <stdint.h>

/* A walk that somebody else needs. */
struct walk_request {
	struct snapshot_walk what; /* a whole one is repeated until nothing is in doubt */
	int (*done)(void *context, int error);
	void *context;
	bool pending, active;
};

struct repair {
	struct loop *loop;
	struct walker *walker;
	const struct model *model;
	struct sink sink;
	struct repairs before;			/* counts when this repair began */
	uint64_t whole_begun_ns, whole_took_ns; /* the last whole walk */
	int timer;
	bool holders;	/* look at descriptors regularly, too */
	bool unwatched; /* no event tells of anything: walks list what ends without one, too */
	bool lost;	/* something was lost since the last walk began */
	bool repairing; /* a loss is being made good */
	bool waiting;	/* the timer will start a walk */
	struct walk_request request;
};

/* Walker and loop are borrowed. 0 or a negative errno. */
int repair_open(struct repair *repair, struct loop *loop, struct walker *walker, const struct sink *sink,
		const struct model *model, bool holders);
/* A whole walk that somebody else made, the first one, has just ended. */
void repair_walked(struct repair *repair, uint64_t begun_ns);
/* Something was lost. 0, or what the sink said. */
int repair_lost(struct repair *repair);
/*
 * Walks as soon as the walker is free, then calls done(), whose non-zero result ends the loop. error: 0, or a
 * negative errno when the walk broke off. One at a time: false while another request is under way.
 */
bool repair_ask(struct repair *repair, const struct snapshot_walk *what,
		int (*done)(void *context, int error), void *context, int *ret_result);
/* The tables lack something that is being looked for. */
bool repair_is_due(const struct repair *repair);
/* How long the last whole walk took. */
uint64_t repair_whole_took_ns(const struct repair *repair);
/* Descriptors are to be looked at again, in their turn: as regularly as for who watches holders. */
void repair_look(struct repair *repair);
/* The walker has something: takes it. The ring must have been drained before. The same. */
int repair_go_on(struct repair *repair);

#endif
