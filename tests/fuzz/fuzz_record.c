/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a stream of records, split by their size field, into a model so small that its tables are soon
 * full. What passes record_decode() is applied and shown in every way there is; the first byte chooses
 * options.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model.h"
#include "core/subject.h"
#include "view/event.h"
#include "view/list.h"

#define SOCKETS_MAX   6
#define PROCESSES_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct model *model;
	struct json_writer json;
	struct view_tally tally;
	struct view_options options;
	char line[EVENT_TEXT_MAX];
};

/* Reads all of what a change points to. */
static void check_change(const struct fuzz *fuzz, const struct change *change)
{
	const struct rec_task *task = change->record.task;
	const struct socket_row *row = change->socket;
	const struct process *process = change->process;

	/* What is told of a process later does not bring it back. */
	assert(!process == !task || (task && change->record.header->kind == REC_CONFLICTS));
	if (process) {
		assert(process->pid == task->pid && process->start_ns == task->start_ns);
		assert(strlen(process->comm) < REC_COMM_LEN);
		assert(!process->path || strlen(process->path) <= REC_PATH_MAX);
		assert(!process->args == !process->args_length && process->args_length <= REC_ARGS_MAX);
	}
	assert(row || !change->released);
	if (row) {
		const struct socket_row *found =
			row->remains ? model_remains(fuzz->model, &row->socket)
				     : model_socket(fuzz->model, row->socket.cookie, row->socket.protocol);

		assert((found == row) == !change->released);
		uint32_t n = 0;

		for (const struct holder *holder = row->holders; holder; holder = holder->next, n++)
			assert(holder->socket == row && holder->process && holder->cause <= HOLDER_INHERITED);
		assert(n == row->n_holders);
	}
	assert(model_socket_count(fuzz->model) <= SOCKETS_MAX);
}

static void show_change(struct fuzz *fuzz, const struct change *change)
{
	struct subject_storage storage;
	const struct filter_subject *subject = subject_of_change(fuzz->model, change, &storage);
	bool public = record_is_public(change->record.header->kind);
	size_t length;

	subject->has_field(subject->has_field_context, "network.peer.port");
	length =
		event_text(fuzz->line, sizeof(fuzz->line), fuzz->model, change, &fuzz->tally, &fuzz->options);
	assert(public ? fuzz->line[length - 1] == '\n' && strlen(fuzz->line) == length : !length);
	json_begin(&fuzz->json);
	event_json(&fuzz->json, fuzz->model, change, &fuzz->tally, &fuzz->options);
	assert(!json_finish(&fuzz->json) == public); /* nothing at all is no document */
}

/* From memory that ends where the record ends. */
static void apply(struct fuzz *fuzz, const uint8_t *data, size_t size)
{
	struct record record;
	struct change change;
	void *copy = malloc(size);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (record_decode(copy, size, &record) == 0) {
		assert(model_apply(fuzz->model, &record, &change) == 0);
		check_change(fuzz, &change);
		show_change(fuzz, &change);
	}
	free(copy);
}

static int count_process(const struct process *process, void *context)
{
	++*(size_t *)context;
	return 0;
}

static void show_tables(const struct fuzz *fuzz, uint8_t choice)
{
	const struct list_options options = {
		.view = fuzz->options,
		.json = choice & 0x10,
		.now_ns = UINT64_C(1) << 40,
	};
	FILE *out = fopen("/dev/null", "w");
	size_t processes = 0;

	if (!out)
		abort();
	for (int what = LIST_PORTS; what <= LIST_CONNECTIONS; what++)
		assert(list_print(out, fuzz->model, what, &options) == 0);
	fclose(out);
	model_each_process(fuzz->model, count_process, &processes);
	assert(processes <= PROCESSES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct model_limits limits = {.sockets = SOCKETS_MAX, .processes = PROCESSES_MAX};
	struct fuzz *fuzz;
	uint16_t length;

	if (size < 1)
		return 0;
	fuzz = calloc(1, sizeof(*fuzz));
	if (!fuzz || !(fuzz->model = model_new(&limits)))
		abort();
	fuzz->options = (struct view_options){.colour = data[0] & 1,
					      .numeric = data[0] & 2,
					      .no_args = data[0] & 4,
					      .verbose = data[0] & 8};
	for (size_t at = 1; size - at >= sizeof(length); at += length) {
		memcpy(&length, data + at, sizeof(length));
		if (length > size - at)
			length = (uint16_t)(size - at);
		if (!length)
			break;
		apply(fuzz, data + at, length);
	}
	show_tables(fuzz, data[0]);
	json_free(&fuzz->json);
	model_free(fuzz->model);
	free(fuzz);
	return 0;
}
