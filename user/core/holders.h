/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The set of processes that hold a socket, as edges between the two tables: from the socket's side the
 * holders of a port, from the process's side all that ends with it. Each process once a socket. Who is told
 * of changes hears every one, in the order in which they happened.
 */
#ifndef PORTSNOOP_CORE_HOLDERS_H
#define PORTSNOOP_CORE_HOLDERS_H

#include "core/model.h"
#include "core/past.h"

struct holders;

/* past: where the last holder of a socket is remembered; borrowed. NULL when there is no memory. */
struct holders *holders_new(size_t limit, struct past *past);
void holders_free(struct holders *holders);
/* One listener; the callback may not change anything. */
void holders_tell(struct holders *holders, model_holder_fn *callback, void *context);

/* What is known of a process that came to hold a socket. */
struct holding {
	uint64_t since_ns;
	int32_t fd; /* -1: not known */
	enum holder_cause cause;
	enum holder_change change; /* what the listener is told */
	bool observed;
};

/*
 * Adds the edge, or completes the one that is there. Returns it; NULL when it found no room or the process
 * has ended.
 */
struct holder *holders_add(struct holders *holders, struct socket_row *row, struct process *process,
			   const struct holding *holding);
void holders_remove(struct holders *holders, struct holder *holder, enum holder_change change, bool observed,
		    uint64_t time_ns);
/* All edges of a socket that ends, or of a process that is forgotten: nobody is told. */
void holders_drop_socket(struct holders *holders, struct socket_row *row);
void holders_drop_process(struct holders *holders, struct process *process);
/* NULL when the process does not hold it. */
struct holder *holders_find(const struct socket_row *row, const struct process *process);

size_t holders_count(const struct holders *holders);
/* Edges that found no room. */
uint64_t holders_left_out(const struct holders *holders);

/* What a process holds and would let go of. */
struct let_go holders_held(const struct process *process);

#endif
