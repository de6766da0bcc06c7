/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much happens a second: for each local port, each process, and the machine. Changes are counted as they
 * come, at no more than a look-up each; rates_tick() makes rates of what came since the last one, so that
 * nothing between two looks is left out. Bounded: what was used longest ago goes first. No clock of its own.
 */
#ifndef PORTSNOOP_CORE_RATES_H
#define PORTSNOOP_CORE_RATES_H

#include "core/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Of a port: accepts, what went wrong (binds that failed, connections that the accept queue dropped, refused
 * SYNs), payload of its connections. Of a process: connects and accepts, those that failed and binds that
 * did, payload of the connections that it holds; one that several hold counts for each.
 */
enum rate { RATE_CONNECTS, RATE_ACCEPTS, RATE_ERRORS, RATE_BYTES, RATE_COUNT };

struct rate_counts {
	uint64_t total[RATE_COUNT];  /* since somebody watches */
	uint64_t before[RATE_COUNT]; /* total at the last tick */
	double per_second[RATE_COUNT];
};

#define RATES_SECONDS 60 /* of the machine's past */

struct rates_machine {
	struct rate_counts counts;
	uint64_t events; /* public ones, since somebody watches */
	uint64_t events_before;
	double events_per_second;
	uint32_t past[RATES_SECONDS]; /* events, second by second, each at its number modulo the size */
	uint64_t second;	      /* the newest, CLOCK_BOOTTIME */
	uint64_t lost, lost_ns;	      /* events that did not reach us; when that was told last */
	uint64_t resync_ns;	      /* when tables were repaired last; 0: never */
	bool known;		      /* rates: there were two ticks */
};

struct rates_limits {
	size_t ports;	  /* 0: the default, 16,384 */
	size_t processes; /* 0: the default, 16,384 */
};

struct rates;

/* limits may be NULL. NULL when there is no memory. */
struct rates *rates_new(const struct rates_limits *limits);
void rates_free(struct rates *rates);

/* A change that was just applied to the model. */
void rates_take(struct rates *rates, const struct model *model, const struct change *change);
/* now_ns: CLOCK_BOOTTIME. */
void rates_tick(struct rates *rates, uint64_t now_ns);

/* Of the port that a socket is bound to, all its sockets. NULL: nothing was counted. */
const struct rate_counts *rates_of_port(const struct rates *rates, const struct rec_socket *place);
const struct rate_counts *rates_of_process(const struct rates *rates, uint32_t pid, uint64_t start_ns);
const struct rates_machine *rates_machine(const struct rates *rates);
/* Events in each of the last n seconds that are over, the oldest first; n is at most RATES_SECONDS - 1. */
void rates_past(const struct rates *rates, uint64_t now_ns, uint32_t *ret_events, size_t n);

#endif
