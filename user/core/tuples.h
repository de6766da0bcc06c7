/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections by their two ends, to find the other end of one that stays on this host: the socket whose local
 * end is our peer and whose peer is our local end, in the same network namespace. An index over rows of the
 * table of sockets; it owns none, and begins with the first question: many commands never ask.
 */
#ifndef PORTSNOOP_CORE_TUPLES_H
#define PORTSNOOP_CORE_TUPLES_H

#include "core/model.h"
#include "core/table.h"

struct tuples;

/* rows: whose rows are struct socket_row; borrowed. NULL when there is no memory. */
struct tuples *tuples_new(const struct table *rows);
void tuples_free(struct tuples *tuples);
/* A row of the table that is not in it; one without a peer is passed over. To be taken out before an end
 * changes. */
void tuples_add(struct tuples *tuples, struct socket_row *row);
void tuples_remove(struct tuples *tuples, struct socket_row *row);
/* The socket at the other end, or NULL. */
const struct socket_row *tuples_peer(struct tuples *tuples, const struct socket_row *row);

#endif
