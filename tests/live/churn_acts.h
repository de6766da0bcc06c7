/* SPDX-License-Identifier: GPL-2.0-only */
/* What a churner does: one random act after the other with the sockets that it has. */
#ifndef LIVE_CHURN_ACTS_H
#define LIVE_CHURN_ACTS_H

#include "churner.h"

#include <stdatomic.h>

#define SLOTS	 128
#define CHILDREN 3
#define PORTS	 64

/* What all share. */
struct board {
	_Atomic bool draining;
	_Atomic uint64_t acts;
	_Atomic uint16_t ports[2][PORTS]; /* where somebody listened, in each namespace */
	bool bound_is_listed;		  /* or else no TCP socket may be left only bound */
};

struct actor {
	struct scene *scene;
	struct board *board;
	unsigned place;
	uint64_t random;
	int inbox, stash_to, stash_from;
	int others[CHURNERS]; /* their inboxes */
	int sockets[SLOTS];   /* -1: none */
	pid_t children[CHILDREN];
};

void actor_begin(struct actor *actor);
void actor_act(struct actor *actor);
/* Takes what others have passed. */
void actor_drain(struct actor *actor);

#endif
