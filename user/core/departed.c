/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/departed.h"

#include <stdlib.h>
#include <string.h>

struct departed {
	size_t n;
	uint64_t end;
	struct departed_row rows[];
};

struct departed *departed_new(size_t n)
{
	struct departed *departed = malloc(sizeof(*departed) + n * sizeof(struct departed_row));

	if (departed) {
		departed->n = n;
		departed->end = 0;
	}
	return departed;
}

void departed_free(struct departed *departed)
{
	free(departed);
}

/* Counters of its end are in the record, the rest in the row. */
static struct socket_row row_of(const struct change *change)
{
	const struct rec_close *close = (const void *)change->record.header;
	struct socket_row row = *change->socket;

	row.holders = NULL;
	row.n_holders = 0;
	if (change->record.header->kind == REC_CLOSE && change->record.header->flags & CLOSE_F_COUNTERS) {
		row.bytes_sent = close->bytes_sent;
		row.bytes_received = close->bytes_received;
		row.retransmits = close->retransmits;
		row.rtt_us = close->rtt_us;
	}
	return row;
}

void departed_take(struct departed *departed, const struct change *change)
{
	const struct socket_row *row = change->socket;
	const struct process *process = change->process;
	struct departed_row *at;

	if (!change->released || !row)
		return;
	if (!process && row->holders)
		process = row->holders->process;
	at = &departed->rows[departed->end++ % departed->n];
	*at = (struct departed_row){.row = row_of(change), .ended_ns = change->record.header->time_ns};
	if (process)
		at->task = process_task(process);
}

void departed_each(const struct departed *departed, uint64_t now_ns,
		   void (*callback)(void *context, const struct departed_row *row), void *context)
{
	uint64_t first = departed->end > departed->n ? departed->end - departed->n : 0;

	for (uint64_t i = first; i < departed->end; i++) {
		const struct departed_row *row = &departed->rows[i % departed->n];

		if (row->ended_ns <= now_ns && now_ns - row->ended_ns < DEPARTED_KEPT_NS)
			callback(context, row);
	}
}
