/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of a command that looks once: filled by one walk over the kernel, or from a recording. */
#ifndef PORTSNOOP_COMMAND_FILL_H
#define PORTSNOOP_COMMAND_FILL_H

#include "pipeline.h"
#include "source/sink.h"

#include <stdbool.h>

/* What will not be shown need not be looked at. */
struct fill {
	bool connections;  /* for themselves, or to count those of a listener */
	bool descriptions; /* executables, arguments, parents, control groups */
	/* What else goes into the stream when the walk is done; NULL: nothing. 0 or a negative errno. */
	int (*more)(void *context, const struct sink *sink);
	void *context;
};

/* Both complain themselves. EXIT_DONE, EXIT_LOST when a recording was cut, or why there is nothing to show.
 */
int fill_from_kernel(struct pipeline *pipeline, const struct fill *fill);
int fill_from_recording(struct pipeline *pipeline, const char *path);

#endif
