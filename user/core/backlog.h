/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last events as they came, to be looked at later: records in a ring of fixed size, each with a number
 * that it keeps. What a record meant is found out again when it is looked at; a process or a socket that is
 * forgotten by then is told as far as the record itself does.
 */
#ifndef PORTSNOOP_CORE_BACKLOG_H
#define PORTSNOOP_CORE_BACKLOG_H

#include "core/model.h"

#include <stdbool.h>

#include <stddef.h>
#include <stdint.h>

#define BACKLOG_RECORD_MAX 192 /* longer ones (summary) are not kept */

struct backlog;

/* NULL when there is no memory. */
struct backlog *backlog_new(size_t n);
/* The same events in a ring of its own. */
struct backlog *backlog_copy(const struct backlog *backlog);
void backlog_free(struct backlog *backlog);
void backlog_put(struct backlog *backlog, const struct rec_header *record);
/* Numbers from first to end - 1 are there. */
uint64_t backlog_first(const struct backlog *backlog);
uint64_t backlog_end(const struct backlog *backlog);
/* The record, valid until the next backlog_put(); number must be there. */
const struct rec_header *backlog_at(const struct backlog *backlog, uint64_t number);
/* What it meant, as far as the tables still know. False: it is damaged. */
bool backlog_change(const struct backlog *backlog, uint64_t number, const struct model *model,
		    struct change *ret_change);
/* The same of a record that somebody else keeps. */
bool backlog_meaning(const struct rec_header *header, const struct model *model, struct change *ret_change);

#endif
