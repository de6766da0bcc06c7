/* SPDX-License-Identifier: GPL-2.0-only */
/* A live trace from attach to summary: the kernel as source, a pipeline, a loop. */
#ifndef PORTSNOOP_COMMAND_SESSION_H
#define PORTSNOOP_COMMAND_SESSION_H

#include "command/child.h"
#include "command/scrape.h"
#include "command/show.h"
#include "options.h"
#include "pipeline.h"
#include "source/fault.h"

/*
 * Runs until a signal, --count, --duration, the end of the child or of the reader, or the show's
 * own. child and show may be NULL. 0, or a
 * negative errno: of the output or the recording, or of the source with *fault in words.
 */
int session_run(const struct options *options, struct pipeline *pipeline, struct child *child,
		const struct show_plan *show, struct fault *fault);

/* The same with counters in the kernel, for who asks for the tables again and again. */
int session_run_scraped(const struct options *options, struct pipeline *pipeline,
			const struct scrape_plan *scrape, struct fault *fault);

#endif
