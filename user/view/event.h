/* SPDX-License-Identifier: GPL-2.0-only */
/* One change as a line: text for people, JSON for programs. Views read the model and never alter it. */
#ifndef PORTSNOOP_VIEW_EVENT_H
#define PORTSNOOP_VIEW_EVENT_H

#include "core/model.h"
#include "io/json_writer.h"

#include <stdbool.h>
#include <stdint.h>

struct view_options {
	bool colour;
	bool numeric; /* no user, service or container names */
	bool no_args; /* no command lines */
	bool verbose;
	int32_t utc_offset_s; /* of the viewer, seconds east of UTC */
};

/* Events printed so far, by kind: what `summary` tells. */
struct view_tally {
	uint64_t events[REC_KIND_COUNT];
	uint64_t ready_ns; /* time of the ready record: the trace's duration counts from it */
};

/* Writes one JSON object (no newline) as docs/schema.json says; nothing when the kind is not public. */
void event_json(struct json_writer *writer, const struct model *model, const struct change *change,
		const struct view_tally *tally, const struct view_options *options);

/* A line of text with newline, in buf (NUL-terminated, cut at size). Returns its length; 0 when the kind is
 * not public. Whole in EVENT_TEXT_MAX bytes, whatever names processes have. */
size_t event_text(char *buf, size_t size, const struct model *model, const struct change *change,
		  const struct view_tally *tally, const struct view_options *options);

/* The column titles that stand above the events. */
size_t event_text_header(char *buf, size_t size, const struct view_options *options);

#define EVENT_TEXT_MAX 16384

#endif
