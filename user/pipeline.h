/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From records to lines: save, decode, apply, filter, show. It only wires: what records mean is the core's
 * business, what lines look like the views'.
 */
#ifndef PORTSNOOP_PIPELINE_H
#define PORTSNOOP_PIPELINE_H

#include "core/filter.h"
#include "core/model.h"
#include "io/recording.h"
#include "source/sink.h"
#include "view/event.h"

#include <stdbool.h>
#include <stdint.h>

/* Whoever wants to hear of every change as it is applied. */
typedef void pipeline_watch_fn(void *context, const struct model *model, const struct change *change);

struct pipeline_options {
	bool print; /* lines to standard output */
	bool json;
	bool ephemeral; /* only events in which the kernel assigned a port, or took such a port back */
	bool holders;	/* also when a process begins or ceases to hold a socket */
	uint64_t count; /* stop after so many events; 0: never */
	struct view_options view;
	struct model_limits limits;    /* of the tables; zeros: the defaults */
	const struct filter *filter;   /* borrowed */
	struct recording_writer *save; /* borrowed; NULL: none */
	pipeline_watch_fn *watch;      /* NULL: nobody */
	void *watch_context;
};

/* What a sink of a pipeline returns besides 0 and negative errnos: enough was printed. */
#define PIPELINE_ENOUGH 1

struct pipeline;

/* NULL when there is no memory. */
struct pipeline *pipeline_new(const struct pipeline_options *options, int out_fd);
struct sink pipeline_sink(struct pipeline *pipeline);
/* As if no record had come. For who prints nothing meanwhile. 0, or a negative errno: then it is of no more
 * use. */
int pipeline_clear(struct pipeline *pipeline);
/* Everything printed so far is on its way. 0 or a negative errno. */
int pipeline_flush(struct pipeline *pipeline);
/* Everything recorded so far can be read from the file, should we be killed. 0 or a negative errno. */
int pipeline_keep(struct pipeline *pipeline);
const struct model *pipeline_model(const struct pipeline *pipeline);
/* The same for who may take out what ends without an event. */
struct model *pipeline_tables(struct pipeline *pipeline);
/* CLOCK_BOOTTIME of the latest record. */
uint64_t pipeline_time_ns(const struct pipeline *pipeline);
/* Records that were damaged and left out (recordings only). */
uint64_t pipeline_damaged(const struct pipeline *pipeline);
/* Whether any `lost` line was there to see. */
bool pipeline_lost(const struct pipeline *pipeline);
/* The error of the recording, if that is what failed; 0 otherwise. */
int pipeline_save_error(const struct pipeline *pipeline);
void pipeline_free(struct pipeline *pipeline);

#endif
