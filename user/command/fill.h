/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of a command that looks once: from a portsnoop that runs, by one walk, or from a recording. */
#ifndef PORTSNOOP_COMMAND_FILL_H
#define PORTSNOOP_COMMAND_FILL_H

#include "pipeline.h"
#include "source/sink.h"

#include <stdbool.h>
#include <stdint.h>

/* What will not be shown need not be looked at. */
struct fill {
	bool connections;  /* for themselves, or to count those of a listener */
	bool descriptions; /* executables, arguments, parents */
	bool no_instance;  /* do not ask a portsnoop that runs */
	bool sync;	   /* it must look first */
	bool with_ports;   /* how ports were got, and what namespaces have set about them */
	uint16_t port;	   /* only what has this local port need be there; 0: everything */
	/* What else goes into the stream when the walk is done; NULL: nothing. 0 or a negative errno. */
	int (*more)(void *context, const struct sink *sink);
	void *context;
};

/* Asks a portsnoop that runs; walks when there is none. Both complain themselves. EXIT_DONE, EXIT_LOST when a
 * recording was cut, or why there is nothing to show.
 */
int fill_from_kernel(struct pipeline *pipeline, const struct fill *fill);
int fill_from_recording(struct pipeline *pipeline, const char *path);

#endif
