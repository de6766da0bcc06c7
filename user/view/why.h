/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a bind would succeed, who is in the way and what would help: text for people, or JSON rows. */
#ifndef PORTSNOOP_VIEW_WHY_H
#define PORTSNOOP_VIEW_WHY_H

#include "core/bind_outcome.h"
#include "view/who.h"

/* All borrowed. */
struct why_answer {
	struct who_options
		who; /* spec: the port that is asked for; home_netns: the namespace that it is about */
	const struct bind_wish *wish;
	const struct bind_inventory *inventory;
	const struct bind_conflict *conflicts;
	struct bind_verdict verdict;
	enum bind_outcome outcome;
	enum bind_doubt doubt;	 /* of BIND_UNKNOWN */
	const char *doubt_label; /* what confines the process; NULL: nothing more is known */
	const char *device;	 /* NULL: none */
	uint32_t pid;		 /* who asks; 0: nobody in particular */
};

/* The whole answer. 0, -ENOMEM, or -EIO. Does not flush. */
int why_print(FILE *out, const struct model *model, const struct why_answer *answer);

#endif
