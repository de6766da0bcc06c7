/* SPDX-License-Identifier: GPL-2.0-only */
/* A bind that failed with EADDRINUSE, as a question to the rules of bind_conflict.h, and the answer as a
 * record. */
#ifndef PORTSNOOP_CORE_BIND_FAILURE_H
#define PORTSNOOP_CORE_BIND_FAILURE_H

#include "core/bind_conflict.h"

/* Whether somebody can be in its way: not that of a bind to any port. */
bool bind_failure_has_cause(const struct rec_header *header);
/* The same bind, once more. */
struct bind_wish bind_failure_wish(const struct rec_bind *bind);
/*
 * Those in its way; with a positive error, that they could not be read. Conflicts are of the inventory, as
 * bind_conflict_judge() left them.
 */
void bind_failure_answer(const struct rec_bind *bind, const struct bind_inventory *inventory,
			 const struct bind_conflict *conflicts, size_t n_conflicts, int error,
			 struct rec_conflicts *ret_record);

#endif
