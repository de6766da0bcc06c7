/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of the table of sockets, for the two files that change it: by events, and by walks. */
#ifndef PORTSNOOP_CORE_SOCKETS_TABLE_H
#define PORTSNOOP_CORE_SOCKETS_TABLE_H

#include "core/sockets.h"
#include "core/table.h"
#include "core/tuples.h"

struct sockets {
	struct table *rows;
	struct tuples *tuples;
	struct sockets_context with;
	uint64_t left_out;
};

/* Finds or makes the row; NULL when there is no room, which is counted. */
struct socket_row *sockets_see(struct sockets *sockets, const struct rec_socket *socket);
/* Takes over what the record says; what it does not say (creator, options) stays. */
void sockets_update(const struct sockets *sockets, struct socket_row *row, const struct rec_socket *socket);

#endif
