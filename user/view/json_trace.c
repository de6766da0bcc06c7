/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON about the trace itself: ready, lost, resync, summary. */
#include "view/json_parts.h"

static void json_backends(struct json_writer *w, const struct rec_ready *ready)
{
	json_object(w, "backends");
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		if (ready->probes[fact])
			json_string(w, record_fact_name(fact), record_probe_name(ready->probes[fact]));
	json_object_end(w);
}

static void json_ready(struct json_writer *w, const struct model *model, const struct rec_ready *ready)
{
	json_uint(w, "schema", ready->schema);
	json_string(w, "version", model_version(model));
	json_backends(w, ready);
	json_string(w, "scope", ready->scope == SCOPE_CONTAINER ? "container" : "host");
	json_object(w, "snapshot");
	json_uint(w, "sockets", ready->sockets);
	json_uint(w, "processes", ready->processes);
	json_uint(w, "netns", ready->namespaces);
	json_object_end(w);
	json_array(w, "uncountable");
	for (unsigned stage = 0; stage < LOSS_STAGE_COUNT; stage++)
		if (ready->uncountable & 1u << stage)
			json_string(w, NULL, record_stage_name(stage));
	json_array_end(w);
}

static void json_lost(struct json_writer *w, const struct rec_lost *lost)
{
	json_string(w, "stage", record_stage_name(lost->stage));
	json_uint(w, "count", lost->count);
	json_known(w, "interval_ns", lost->interval_ns);
}

static void json_resync(struct json_writer *w, const struct rec_resync *resync)
{
	json_uint(w, "added", resync->added);
	json_uint(w, "removed", resync->removed);
	json_uint(w, "owner_changed", resync->owner_changed);
	json_uint(w, "netns_skipped", resync->netns_skipped);
}

/* Records of every kind, those too that only enrich: so that emitted = delivered + dropped can be checked. */
static void json_books(struct json_writer *w, const struct rec_summary *summary)
{
	json_object(w, "books");
	for (unsigned kind = REC_NONE + 1; kind < SUMMARY_KINDS; kind++) {
		if (!summary->emitted[kind])
			continue;
		json_object(w, record_kind_name(kind));
		json_uint(w, "emitted", summary->emitted[kind]);
		json_uint(w, "dropped", summary->dropped[kind]);
		json_object_end(w);
	}
	json_object_end(w);
}

static void json_summary(struct json_writer *w, const struct rec_summary *summary,
			 const struct view_tally *tally)
{
	json_object(w, "events");
	for (unsigned kind = REC_NONE + 1; kind < REC_KIND_COUNT; kind++)
		json_known(w, record_kind_name(kind), tally->events[kind]);
	json_object_end(w);
	json_object(w, "lost");
	for (unsigned stage = 0; stage < LOSS_STAGE_COUNT; stage++)
		json_known(w, record_stage_name(stage), summary->lost[stage]);
	json_object_end(w);
	if (tally->ready_ns && summary->header.time_ns >= tally->ready_ns)
		json_uint(w, "duration_ns", summary->header.time_ns - tally->ready_ns);
	json_books(w, summary);
}

void json_trace_fields(struct json_writer *w, const struct model *model, const struct change *change,
		       const struct view_tally *tally)
{
	const void *record = change->record.header;

	switch (change->record.header->kind) {
	case REC_READY:
		json_ready(w, model, record);
		break;
	case REC_LOST:
		json_lost(w, record);
		break;
	case REC_RESYNC:
		json_resync(w, record);
		break;
	case REC_SUMMARY:
		json_summary(w, record, tally);
		break;
	default:
		break;
	}
}
