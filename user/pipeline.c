/* SPDX-License-Identifier: GPL-2.0-only */
#include "pipeline.h"

#include "core/port_choice.h"
#include "core/subject.h"
#include "io/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pipeline {
	struct pipeline_options options;
	struct model *model;
	struct view_tally tally;
	struct json_writer json;
	struct output out;
	uint64_t printed; /* events that count for --count */
	uint64_t damaged;
	uint64_t latest_ns;
	int save_error;
	int holder_result; /* of showing what the last record did to holders */
	bool enough;
	bool lost;
	bool titled; /* the column titles stand */
	char line[EVENT_TEXT_MAX];
};

static void show_holder(void *context, const struct holder_event *event);

struct pipeline *pipeline_new(const struct pipeline_options *options, int out_fd)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));

	if (!pipeline)
		return NULL;
	pipeline->options = *options;
	pipeline->model = model_new(&options->limits);
	if (!pipeline->model) {
		free(pipeline);
		return NULL;
	}
	output_init(&pipeline->out, out_fd);
	if (options->holders)
		model_on_holder(pipeline->model, show_holder, pipeline);
	return pipeline;
}

int pipeline_clear(struct pipeline *pipeline)
{
	int error = model_clear(pipeline->model);

	if (!error && pipeline->options.holders)
		model_on_holder(pipeline->model, show_holder, pipeline);
	pipeline->damaged = pipeline->latest_ns = 0;
	pipeline->lost = false;
	return error;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	json_free(&pipeline->json);
	model_free(pipeline->model);
	free(pipeline);
}

/* --- what is shown ----------------------------------------------------------------------------------------
 */

/* ready, lost, resync and summary are about the trace itself: no filter holds them back. */
static bool is_about_trace(unsigned kind)
{
	return kind == REC_READY || kind == REC_LOST || kind == REC_RESYNC || kind == REC_SUMMARY;
}

static bool is_followed(const struct model *model, const struct change *change)
{
	const struct rec_close *close = (const void *)change->record.header;
	const struct process *owner = NULL;

	if (change->process)
		return change->process->followed;
	if (change->record.header->kind == REC_CLOSE)
		owner = model_process(model, close->owner_pid, close->owner_start_ns);
	if (owner)
		return owner->followed;
	for (const struct holder *h = change->socket ? change->socket->holders : NULL; h; h = h->next)
		if (h->process->followed)
			return true;
	return false;
}

static bool is_about_ephemeral(const struct change *change)
{
	const struct rec_socket *socket = change->record.socket;

	return socket && (port_assigned_by(&change->record, socket->local_port) ||
			  port_not_found(&change->record) || (socket->local_port && port_taken_back(change)));
}

static bool wanted(const struct pipeline *pipeline, const struct change *change)
{
	struct subject_storage storage;

	if (pipeline->enough)
		return false;
	if (model_following(pipeline->model) && !is_followed(pipeline->model, change))
		return false;
	if (pipeline->options.ephemeral && !is_about_ephemeral(change))
		return false;
	return !pipeline->options.filter ||
	       filter_match(pipeline->options.filter, subject_of_change(pipeline->model, change, &storage));
}

/* --- printing ---------------------------------------------------------------------------------------------
 */

static int print_json(struct pipeline *pipeline, const struct change *change)
{
	struct json_writer *json = &pipeline->json;
	int error;

	json_begin(json);
	event_json(json, pipeline->model, change, &pipeline->tally, &pipeline->options.view);
	error = json_finish(json);
	if (error)
		return error;
	error = output_put(&pipeline->out, json->data, json->length);
	return error ? error : output_put(&pipeline->out, "\n", 1);
}

static int print_text(struct pipeline *pipeline, const struct change *change)
{
	size_t length;
	int error = 0;

	if (!pipeline->titled && !is_about_trace(change->record.header->kind)) {
		pipeline->titled = true;
		length = event_text_header(pipeline->line, sizeof(pipeline->line), &pipeline->options.view);
		error = output_put(&pipeline->out, pipeline->line, length);
	}
	length = event_text(pipeline->line, sizeof(pipeline->line), pipeline->model, change, &pipeline->tally,
			    &pipeline->options.view);
	return error ? error : output_put(&pipeline->out, pipeline->line, length);
}

static int show(struct pipeline *pipeline, const struct change *change)
{
	const struct rec_header *header = change->record.header;
	bool about_trace = is_about_trace(header->kind);
	int error = 0;

	if (header->kind == REC_READY)
		pipeline->tally.ready_ns = header->time_ns;
	if (header->kind == REC_LOST)
		pipeline->lost = true;
	if (!about_trace && !wanted(pipeline, change))
		return 0;
	if (!about_trace)
		pipeline->tally.events[header->kind]++;
	if (pipeline->options.print)
		error = pipeline->options.json ? print_json(pipeline, change) : print_text(pipeline, change);
	if (error || about_trace)
		return error;
	pipeline->printed++;
	if (!pipeline->options.count || pipeline->printed < pipeline->options.count)
		return 0;
	pipeline->enough = true;
	return PIPELINE_ENOUGH;
}

static enum rec_source holder_source(const struct holder_event *event)
{
	if (!event->observed)
		return SOURCE_EVENT;
	return event->change == CHANGE_REPAIR ? SOURCE_RESYNC : SOURCE_POLL;
}

/*
 * The line follows from records that are there, so it is in no recording. What acts on a socket has an event
 * of its own, and before `ready` nothing has changed yet.
 */
static void show_holder(void *context, const struct holder_event *event)
{
	struct pipeline *pipeline = context;
	const struct process *process = event->holder->process;
	struct rec_task task = {.start_ns = process->start_ns,
				.cgroup_id = process->cgroup_id,
				.pid = process->pid,
				.uid = process->uid};
	const struct rec_header header = {
		.kind = REC_HOLDER, .source = (uint8_t)holder_source(event), .time_ns = event->time_ns};
	const struct change change = {
		.record = {.header = &header, .task = &task, .socket = &event->socket->socket},
		.process = process,
		.socket = event->socket,
		.holder = event,
	};

	memcpy(task.comm, process->comm, sizeof(task.comm));
	if (event->change == CHANGE_ACTED || !pipeline->tally.ready_ns || pipeline->holder_result)
		return;
	pipeline->holder_result = show(pipeline, &change);
}

/* --- the way of a record -----------------------------------------------------------------------------------
 */

static int pipeline_take(void *context, const void *data, size_t size)
{
	struct pipeline *pipeline = context;
	struct record record;
	struct change change;
	int error;

	if (pipeline->options.save && !pipeline->save_error) {
		pipeline->save_error = recording_write(pipeline->options.save, data, size);
		if (pipeline->save_error)
			return pipeline->save_error;
	}
	if (record_decode(data, size, &record)) {
		pipeline->damaged++;
		return 0;
	}
	if (record.header->time_ns > pipeline->latest_ns)
		pipeline->latest_ns = record.header->time_ns;
	pipeline->holder_result = 0;
	error = model_apply(pipeline->model, &record, &change);
	if (error || pipeline->holder_result)
		return error ? error : pipeline->holder_result;
	if (pipeline->options.watch)
		pipeline->options.watch(pipeline->options.watch_context, pipeline->model, &change);
	return record_is_public(record.header->kind) ? show(pipeline, &change) : 0;
}

struct sink pipeline_sink(struct pipeline *pipeline)
{
	return (struct sink){.take = pipeline_take, .context = pipeline};
}

int pipeline_flush(struct pipeline *pipeline)
{
	return output_flush(&pipeline->out);
}

int pipeline_keep(struct pipeline *pipeline)
{
	if (pipeline->options.save && !pipeline->save_error)
		pipeline->save_error = recording_flush(pipeline->options.save);
	return pipeline->save_error;
}

const struct model *pipeline_model(const struct pipeline *pipeline)
{
	return pipeline->model;
}

struct model *pipeline_tables(struct pipeline *pipeline)
{
	return pipeline->model;
}

uint64_t pipeline_time_ns(const struct pipeline *pipeline)
{
	return pipeline->latest_ns;
}

uint64_t pipeline_damaged(const struct pipeline *pipeline)
{
	return pipeline->damaged;
}

bool pipeline_lost(const struct pipeline *pipeline)
{
	return pipeline->lost;
}

int pipeline_save_error(const struct pipeline *pipeline)
{
	return pipeline->save_error;
}
