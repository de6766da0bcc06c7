/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/top_frozen.h"

#include "core/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST (1u << 20)

struct top_frozen {
	struct backlog *backlog;
	unsigned char *records;
	size_t size, room;
	struct model *model; /* NULL: nobody has asked yet */
	uint64_t now_ns;
};

static int keep(void *context, const void *record, size_t size)
{
	struct top_frozen *frozen = context;
	unsigned char *more;

	if (frozen->size + size > frozen->room) {
		frozen->room = frozen->room ? 2 * frozen->room : ROOM_FIRST;
		more = realloc(frozen->records, frozen->room);
		if (!more)
			return -ENOMEM;
		frozen->records = more;
	}
	memcpy(frozen->records + frozen->size, record, size);
	frozen->size += size;
	return 0;
}

struct top_frozen *top_frozen_take(const struct model *model, const struct backlog *backlog, uint64_t now_ns)
{
	const struct dump_options options = {.now_ns = now_ns, .connections = true, .destinations = true};
	struct top_frozen *frozen = calloc(1, sizeof(*frozen));

	if (!frozen)
		return NULL;
	frozen->now_ns = now_ns;
	frozen->backlog = backlog_copy(backlog);
	if (frozen->backlog && !dump_model(model, &options, keep, frozen))
		return frozen;
	top_frozen_free(frozen);
	return NULL;
}

void top_frozen_free(struct top_frozen *frozen)
{
	if (!frozen)
		return;
	backlog_free(frozen->backlog);
	model_free(frozen->model);
	free(frozen->records);
	free(frozen);
}

uint64_t top_frozen_time(const struct top_frozen *frozen)
{
	return frozen->now_ns;
}

const struct backlog *top_frozen_backlog(const struct top_frozen *frozen)
{
	return frozen->backlog;
}

static int apply_all(const struct top_frozen *frozen, struct model *model)
{
	struct change change;
	struct record record;
	int error = 0;

	for (size_t at = 0; at < frozen->size && !error; at += record.header->size) {
		error = record_decode(frozen->records + at,
				      ((const struct rec_header *)(frozen->records + at))->size, &record);
		if (!error)
			error = model_apply(model, &record, &change);
	}
	return error;
}

const struct model *top_frozen_model(struct top_frozen *frozen)
{
	struct model *model;

	if (frozen->model)
		return frozen->model;
	model = model_new(NULL);
	if (!model || apply_all(frozen, model)) {
		model_free(model);
		return NULL;
	}
	free(frozen->records); /* the tables have it all */
	frozen->records = NULL;
	frozen->size = frozen->room = 0;
	frozen->model = model;
	return model;
}
