/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/backlog.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	_Alignas(8) unsigned char bytes[BACKLOG_RECORD_MAX];
};
_Static_assert(sizeof(struct rec_close) <= BACKLOG_RECORD_MAX, "the longest event does not fit");

struct backlog {
	size_t n;
	uint64_t end;
	struct slot slots[];
};

struct backlog *backlog_new(size_t n)
{
	struct backlog *backlog = malloc(sizeof(*backlog) + n * sizeof(struct slot));

	if (backlog) {
		backlog->n = n;
		backlog->end = 0;
	}
	return backlog;
}

struct backlog *backlog_copy(const struct backlog *backlog)
{
	size_t used = backlog->end < backlog->n ? (size_t)backlog->end : backlog->n;
	struct backlog *copy = backlog_new(backlog->n);

	if (copy) {
		copy->end = backlog->end;
		memcpy(copy->slots, backlog->slots, used * sizeof(struct slot));
	}
	return copy;
}

void backlog_free(struct backlog *backlog)
{
	free(backlog);
}

void backlog_put(struct backlog *backlog, const struct rec_header *record)
{
	if (record->size > BACKLOG_RECORD_MAX)
		return;
	memcpy(backlog->slots[backlog->end++ % backlog->n].bytes, record, record->size);
}

uint64_t backlog_first(const struct backlog *backlog)
{
	return backlog->end > backlog->n ? backlog->end - backlog->n : 0;
}

uint64_t backlog_end(const struct backlog *backlog)
{
	return backlog->end;
}

const struct rec_header *backlog_at(const struct backlog *backlog, uint64_t number)
{
	return (const struct rec_header *)backlog->slots[number % backlog->n].bytes;
}

bool backlog_meaning(const struct rec_header *header, const struct model *model, struct change *ret_change)
{
	struct change change = {0};

	if (record_decode(header, header->size, &change.record))
		return false;
	if (change.record.task)
		change.process = model_process(model, change.record.task->pid, change.record.task->start_ns);
	if (change.record.socket && change.record.socket->cookie)
		change.socket =
			model_socket(model, change.record.socket->cookie, change.record.socket->protocol);
	*ret_change = change;
	return true;
}

bool backlog_change(const struct backlog *backlog, uint64_t number, const struct model *model,
		    struct change *ret_change)
{
	return backlog_meaning(backlog_at(backlog, number), model, ret_change);
}
