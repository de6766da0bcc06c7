/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A change or a row reduced to what the filter language asks about. `has FIELD` answers as the JSON line
 * would: with the names of docs/schema.json, the prefix `portsnoop.` may be left out.
 */
#ifndef PORTSNOOP_CORE_SUBJECT_H
#define PORTSNOOP_CORE_SUBJECT_H

#include "core/describe.h"
#include "core/filter.h"

#define SUBJECT_FEW 16 /* holders of a connection that ended without anybody acting */

/* Room for one subject; what it points to stays the caller's. */
struct subject_storage {
	struct filter_subject subject;
	struct filter_process few[SUBJECT_FEW];
	struct description description;
	struct actor actor;
	const struct model *model;
	const struct change *change;  /* NULL: it is a row */
	const struct socket_row *row; /* NULL: the socket is not in the tables */
	const struct holder *only;    /* of a row: the one holder that counts; NULL: all */
};

/*
 * Processes of an event: who acted. A connection that ended without anybody acting on this host (reset, time
 * out) matches by its holders, since they are whom it concerns. The result lies in storage.
 */
const struct filter_subject *subject_of_change(const struct model *model, const struct change *change,
					       struct subject_storage *storage);

/*
 * Processes of a row: its holders, in room, which has n_room places and must outlive the result; more holders
 * than that are not looked at. only, unless NULL, is the one holder that counts.
 */
const struct filter_subject *subject_of_row(const struct model *model, const struct socket_row *row,
					    const struct holder *only, struct filter_process *room,
					    size_t n_room, struct subject_storage *storage);

#endif
