/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/departed.h"

#include <stdlib.h>
#include <string.h>

struct departed {
	size_t n; /* of each */
	uint64_t end, processes_end;
	struct departed_process *processes; /* behind the rows */
	struct departed_row rows[];
};

struct departed *departed_new(size_t n)
{
	struct departed *departed = malloc(sizeof(*departed) + n * sizeof(struct departed_row) +
					   n * sizeof(struct departed_process));

	if (departed) {
		departed->n = n;
		departed->end = departed->processes_end = 0;
		departed->processes = (struct departed_process *)&departed->rows[n];
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

/* Of one that never had a socket nobody has seen a row. */
static void take_process(struct departed *departed, const struct change *change)
{
	const struct process *process = change->process;
	struct departed_process *at;

	if (!process || !process->exited || !process->has_held)
		return;
	at = &departed->processes[departed->processes_end++ % departed->n];
	*at = (struct departed_process){
		.task = process_task(process),
		.ended_ns = change->record.header->time_ns,
		.n_sockets = change->let_go->n,
	};
	for (size_t i = 0; i < at->n_sockets; i++)
		at->sockets[i] = change->let_go->rows[i]->socket;
}

void departed_take(struct departed *departed, const struct change *change)
{
	const struct socket_row *row = change->socket;
	const struct process *process = change->process;
	struct departed_row *at;

	if (change->record.header->kind == REC_EXIT)
		take_process(departed, change);
	if (!change->released || !row)
		return;
	if (!process && row->holders)
		process = row->holders->process;
	at = &departed->rows[departed->end++ % departed->n];
	*at = (struct departed_row){.row = row_of(change), .ended_ns = change->record.header->time_ns};
	if (process)
		at->task = process_task(process);
}

static bool is_lately(uint64_t ended_ns, uint64_t now_ns)
{
	return ended_ns <= now_ns && now_ns - ended_ns < DEPARTED_KEPT_NS;
}

static uint64_t first_of(const struct departed *departed, uint64_t end)
{
	return end > departed->n ? end - departed->n : 0;
}

void departed_each(const struct departed *departed, uint64_t now_ns,
		   void (*callback)(void *context, const struct departed_row *row), void *context)
{
	for (uint64_t i = first_of(departed, departed->end); i < departed->end; i++) {
		const struct departed_row *row = &departed->rows[i % departed->n];

		if (is_lately(row->ended_ns, now_ns))
			callback(context, row);
	}
}

void departed_each_process(const struct departed *departed, uint64_t now_ns,
			   void (*callback)(void *context, const struct departed_process *process),
			   void *context)
{
	uint64_t end = departed->processes_end;

	for (uint64_t i = first_of(departed, end); i < end; i++) {
		const struct departed_process *process = &departed->processes[i % departed->n];

		if (is_lately(process->ended_ns, now_ns))
			callback(context, process);
	}
}
