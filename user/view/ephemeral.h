/* SPDX-License-Identifier: GPL-2.0-only */
/* How ephemeral ports are used, for people or as JSON rows (docs/schema.json). */
#ifndef PORTSNOOP_VIEW_EPHEMERAL_H
#define PORTSNOOP_VIEW_EPHEMERAL_H

#include "core/ephemeral.h"
#include "view/event.h"
#include "view/text_parts.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct ephemeral_options {
	struct view_options view;
	bool json;
	bool by_events;	     /* a recording: nobody has looked for TIME_WAIT */
	uint64_t now_ns;     /* CLOCK_BOOTTIME */
	uint32_t only_netns; /* inode; 0: all of them */
	uint32_t home_netns; /* inode of the viewer's own; 0: none is */
};

/* 0, -ENOMEM, or -EIO when the stream has an error. Does not flush. */
int ephemeral_print(FILE *out, const struct model *model, const struct ephemeral_options *options);

/* --- what it is made of --- */

int ephemeral_print_text(FILE *out, const struct model *model, const struct ephemeral *ephemeral,
			 const struct ephemeral_options *options);
int ephemeral_print_json(FILE *out, const struct model *model, const struct ephemeral *ephemeral,
			 const struct ephemeral_options *options);

/* Neither a socket nor TIME_WAIT in it. */
bool ephemeral_space_is_empty(const struct ephemeral_space *space);
/* The range in a line: how many ports, how they are used. */
void ephemeral_put_space(struct text *text, const struct model *model, const struct ephemeral_space *space,
			 const struct ephemeral_options *options);
/* So many characters for the range from end to end; EPHEMERAL_MAP_KEY says what they mean. */
void ephemeral_put_map(struct text *text, const struct ephemeral_space *space, unsigned cells);
#define EPHEMERAL_MAP_KEY                                                                                    \
	". some in use, : a quarter, + half, # three quarters, w mostly TIME_WAIT, L listening, R reserved"

#define EPHEMERAL_WORDS_MAX 1024
/* A finding as a sentence, and what to do about it. buf of EPHEMERAL_WORDS_MAX bytes; returned. */
const char *ephemeral_finding_text(char *buf, const struct model *model, const struct ephemeral *ephemeral,
				   const struct ephemeral_finding *finding);
const char *ephemeral_finding_remedy(char *buf, const struct model *model, const struct ephemeral *ephemeral,
				     const struct ephemeral_finding *finding);

#endif
