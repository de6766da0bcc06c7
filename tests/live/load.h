/* SPDX-License-Identifier: GPL-2.0-only */
/* Many connections as fast as they go: two clients, and a server of two processes that share a listener. */
#ifndef LIVE_LOAD_H
#define LIVE_LOAD_H

#include "act.h"

enum load_ending { CLIENT_FIRST, SERVER_FIRST, CLIENT_RESETS };

struct load {
	enum load_ending ending;
	unsigned count;	    /* of connections */
	const char *server; /* address */
	bool silent;	    /* put nothing down: only the numbers matter */
};

/* Does it all and waits for it. Events: 1 bind, 1 listen, count connects and accepts, 2 count + 1 closes. */
void load_run(struct scene *scene, const struct load *load);

#endif
