/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened lately to each port and by each process: the last few events of each, so that what is quiet
 * is not pushed out by what is busy. Bounded: what was used longest ago goes first. Ports that the kernel
 * chose do not come in by themselves: clients would leave no room for servers.
 */
#ifndef PORTSNOOP_CORE_HISTORY_H
#define PORTSNOOP_CORE_HISTORY_H

#include "core/backlog.h"
#include "core/model.h"

#include <stddef.h>
#include <stdint.h>

#define HISTORY_EVENTS 8 /* of each */

enum history_of {
	HISTORY_OF_PORT,    /* how it came and went: binds, also those that failed, listens, closes */
	HISTORY_OF_TRAFFIC, /* what came in through it: accepts, refusals, ends of connections */
	HISTORY_OF_PROCESS, /* what it did */
};

/* The same again (a bind that fails over and over) is counted, and the last one kept. */
struct history_event {
	uint64_t times;
	_Alignas(8) unsigned char bytes[BACKLOG_RECORD_MAX];
};

struct history;

/* limit: of ports, and of processes, that are remembered. NULL when there is no memory. */
struct history *history_new(size_t limit);
void history_free(struct history *history);
/* A change that was just applied to the model. */
void history_take(struct history *history, const struct model *model, const struct change *change);
/* Whether the event belongs to how a port came and went, or else to its traffic. */
bool history_is_of_port(const struct change *change);

/* The oldest first: the number of events, and the i-th of them. */
size_t history_of_port(const struct history *history, enum history_of of, const struct rec_socket *place,
		       const struct history_event *ret_events[HISTORY_EVENTS]);
size_t history_of_process(const struct history *history, uint32_t pid, uint64_t start_ns,
			  const struct history_event *ret_events[HISTORY_EVENTS]);

#endif
