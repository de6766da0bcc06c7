/* SPDX-License-Identifier: GPL-2.0-only */
/* The two sources of a trace: hooks, and the iterators that walk over what is there. */
#ifndef PORTSNOOP_COMMAND_SOURCES_H
#define PORTSNOOP_COMMAND_SOURCES_H

#include "source/fault.h"
#include "source/live.h"
#include "source/snapshot.h"

/*
 * Loads both and attaches the hooks; the kernel's types, which the options may leave out, are read for it. 0,
 * or a negative errno with *fault in words; one of the two may be there then, too, and is to be closed.
 */
int sources_open(struct live_options live_options, struct snapshot_options snapshot_options,
		 struct live **ret_live, struct snapshot **ret_snapshot, struct fault *fault);

#endif
