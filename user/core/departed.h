/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports, connections and processes that ended a moment ago, as they were at their end, so that who looks once
 * a second sees them go. Rings of fixed size: with many a second, those that ended last.
 */
#ifndef PORTSNOOP_CORE_DEPARTED_H
#define PORTSNOOP_CORE_DEPARTED_H

#include "core/model.h"

#include <stddef.h>
#include <stdint.h>

#define DEPARTED_KEPT_NS 5000000000ull

struct departed_row {
	struct socket_row row; /* without holders */
	struct rec_task task;  /* who let go of it, or held it last; pid 0: not known */
	uint64_t ended_ns;
};

/* One that held a socket while it was there. */
struct departed_process {
	struct rec_task task;
	uint64_t ended_ns;
	struct rec_socket sockets[LET_GO_MAX]; /* that it had, ports first */
	size_t n_sockets;
};

struct departed;

/* NULL when there is no memory. */
struct departed *departed_new(size_t n);
void departed_free(struct departed *departed);
/* Keeps it if the life of a socket or a process ended with it. */
void departed_take(struct departed *departed, const struct change *change);
/* Each that ended less than DEPARTED_KEPT_NS before now, the oldest first. */
void departed_each(const struct departed *departed, uint64_t now_ns,
		   void (*callback)(void *context, const struct departed_row *row), void *context);
void departed_each_process(const struct departed *departed, uint64_t now_ns,
			   void (*callback)(void *context, const struct departed_process *process),
			   void *context);

#endif
