/* SPDX-License-Identifier: GPL-2.0-only */
/* What both forms of why's answer are made of: the rows of those in the way, and the words. */
#ifndef PORTSNOOP_VIEW_WHY_PARTS_H
#define PORTSNOOP_VIEW_WHY_PARTS_H

#include "view/text_parts.h"
#include "view/why.h"

/* One that is in the way. */
struct why_row {
	struct socket_row socket; /* of the tables, with the state that the kernel has now */
	const struct bind_conflict *conflict;
	const struct bind_row *found;
	bool unlisted; /* the tables do not have it: nobody was found who holds it */
};

struct why_rows {
	struct why_row *items; /* those that can be stopped first */
	size_t n;
};

/* 0 or -ENOMEM; to be freed. */
int why_rows_read(const struct model *model, const struct why_answer *answer, struct why_rows *ret_rows);
void why_rows_free(struct why_rows *rows);

/* --- words ------------------------------------------------------------------------------------------------
 */

#define WHY_TEXT_MAX 1024

/* "tcp 0.0.0.0:80", "tcp *:80": what is asked for. */
void why_wish(struct text *text, const struct bind_wish *wish);
/* Why this one is in the way. */
void why_rule(struct text *text, const struct why_answer *answer, const struct why_row *row);
/* What would take it out of the way; several things, with " or ". */
void why_remedy(struct text *text, const struct model *model, const struct why_answer *answer,
		const struct why_row *row);
/* What is wrong with the bind itself; nothing when sockets are in the way. */
void why_error(struct text *text, const struct why_answer *answer);
/* The things that would make it succeed, one by one: false when there is no such. */
bool why_whole_remedy(struct text *text, const struct why_answer *answer, unsigned index);

int why_json_print(FILE *out, const struct model *model, const struct why_answer *answer,
		   const struct why_rows *rows);
int why_text_print(FILE *out, const struct model *model, const struct why_answer *answer,
		   const struct why_rows *rows);

#endif
