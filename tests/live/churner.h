/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that do random things with sockets, in two network namespaces; others with another LIVE_SEED.
 * A round ends when each has done its acts and nothing is under way to one of them; some sockets stay under
 * way to their own sender.
 */
#ifndef LIVE_CHURNER_H
#define LIVE_CHURNER_H

#include "inventory.h"
#include "puppet.h"

#define CHURNERS 8 /* half of them in each namespace */

struct churner {
	pid_t pid;
	int pid_fd;
	int go, done;	      /* gates */
	int inbox[2];	      /* what others pass to it: from, to */
	int stash[2];	      /* what it passes to itself */
	unsigned incarnation; /* how often it was killed */
};

struct churn {
	struct scene *scene;
	struct board *board;
	struct puppet elsewhere; /* lives in the other namespace */
	struct places places;
	struct churner churners[CHURNERS];
	unsigned acts; /* of each, a round */
	uint64_t seed;
};

void churn_start(struct scene *scene, struct churn *churn, unsigned acts);
void churn_round(struct churn *churn);
void churn_stop(struct churn *churn);
/* Acts that were done so far. */
uint64_t churn_acts(const struct churn *churn);
unsigned churn_killed(const struct churn *churn);

#endif
