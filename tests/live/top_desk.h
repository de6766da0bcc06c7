/* SPDX-License-Identifier: GPL-2.0-only */
/* A load that stands still, and top on a terminal beside it. */
#ifndef LIVE_TOP_DESK_H
#define LIVE_TOP_DESK_H

#include "screen.h"

#define TOP_PORT 8620

struct top_load {
	struct scene *scene;
	pid_t pid;
	int ready, go_on; /* gates */
	bool more;	  /* listen on the next port, too, when told to go on */
	const char *comm;
};

/* A process of that name that listens on TOP_PORT, with 3 connections, and 2 that wait in a queue of 16. */
void top_load_start(struct top_load *load, struct scene *scene, const char *comm, bool more);
/* On to its next act: it listens on the next port, too; it closes that. */
void top_load_go_on(struct top_load *load);
/* top with these arguments, of what is in the scenario's namespace alone. */
void top_open(struct screen *screen, struct scene *scene, unsigned columns, unsigned rows,
	      const char *arguments);
/* Its way out, and tmux's. */
void top_leave(struct screen *screen);

#endif
