/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether the books close: what was done against what was delivered, dropped and skipped. */
#ifndef LIVE_BOOKS_H
#define LIVE_BOOKS_H

#include "tool.h"

struct books {
	uint64_t delivered[EVENT_KIND_COUNT]; /* lines, wherever */
	uint64_t ours[EVENT_KIND_COUNT];      /* lines of the scenario's namespace */
	uint64_t emitted[EVENT_KIND_COUNT], dropped[EVENT_KIND_COUNT];
	uint64_t ring, skipped;	    /* lost, by stage, all kinds */
	uint64_t lost;		    /* all stages */
	uint64_t told;		    /* sum of the counts of the `lost` lines */
	uint64_t dropped_all_kinds; /* of the summary's books */
};

/* Reads the tool's output; checks what must hold of any output. */
void books_read(const struct tool *tool, struct books *books);
/*
 * So many events of this kind happened in the scenario's namespace: each was delivered, dropped or skipped,
 * and there are no more in the books than `others` did elsewhere. (A dropped event has no namespace any
 * more.)
 */
void books_check(const struct tool *tool, const struct books *books, enum event_kind kind, uint64_t done,
		 uint64_t others);

#endif
