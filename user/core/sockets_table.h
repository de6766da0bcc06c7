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
	size_t n_remains; /* of the rows */
	uint64_t left_out;
	uint64_t news_bytes; /* see sockets_take_news() */
};

/* Finds or makes the row; NULL when there is no room, which is counted. */
struct socket_row *sockets_see(struct sockets *sockets, const struct rec_socket *socket);
/* The same of remains; NULL also when an event has told of this connection after time_ns. */
struct socket_row *sockets_see_remains(struct sockets *sockets, const struct rec_socket *socket,
				       uint64_t time_ns);
/*
 * Counters of a socket as a record has them: what they are ahead of the row's is new. Of a connection that
 * was there before us, and whose counters nobody has read yet, that is not known.
 */
void sockets_count_news(struct sockets *sockets, const struct socket_row *row, uint64_t sent,
			uint64_t received);
/* Takes over what the record says; what it does not say (creator, options) stays. */
void sockets_update(const struct sockets *sockets, struct socket_row *row, const struct rec_socket *socket);

#endif
