/* SPDX-License-Identifier: GPL-2.0-only */
/* Text about the trace itself: ready, lost, resync, summary. */
#include "view/text_parts.h"

static void put_facts(struct text *text, const struct rec_ready *ready, bool available)
{
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		if (!ready->probes[fact] != available)
			text_format(text, " %s", record_fact_name(fact));
}

static bool every_fact(const struct rec_ready *ready)
{
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		if (!ready->probes[fact])
			return false;
	return true;
}

static void put_ready(struct text *text, const struct rec_ready *ready)
{
	text_put(text, ready->scope == SCOPE_CONTAINER ? "tracing this container only:" : "tracing:");
	put_facts(text, ready, true);
	if (!every_fact(ready)) {
		text_put(text, "; not seen here:");
		put_facts(text, ready, false);
	}
	text_put(text, "; already there: ");
	text_count(text, ready->sockets, "socket", "sockets");
	text_put(text, " of ");
	text_count(text, ready->processes, "process", "processes");
	text_put(text, " in ");
	text_count(text, ready->namespaces, "network namespace", "network namespaces");
	if (ready->uncountable)
		text_put(text, "; this kernel cannot count losses of:");
	for (unsigned stage = 0; stage < LOSS_STAGE_COUNT; stage++)
		if (ready->uncountable & 1u << stage)
			text_format(text, " %s", record_stage_name(stage));
}

static void put_lost(struct text *text, const struct rec_lost *lost)
{
	text_count(text, lost->count, "record", "records");
	text_format(text, " lost (%s)", record_stage_name(lost->stage));
	if (lost->interval_ns) {
		text_put(text, " within ");
		text_duration(text, lost->interval_ns);
	}
	text_format(text, ": %s", record_stage_advice(lost->stage));
}

static void put_resync(struct text *text, const struct rec_resync *resync)
{
	text_format(text, "tables repaired from the kernel: %u added, %u removed, %u with other owners",
		    resync->added, resync->removed, resync->owner_changed);
	if (!resync->netns_skipped)
		return;
	text_put(text, "; could not read ");
	text_count(text, resync->netns_skipped, "network namespace", "network namespaces");
}

static void put_losses(struct text *text, const struct rec_summary *summary)
{
	uint64_t total = 0;
	size_t begin;

	for (unsigned stage = 0; stage < LOSS_STAGE_COUNT; stage++)
		total += summary->lost[stage];
	if (!total) {
		text_put(text, "; nothing lost");
		return;
	}
	text_put(text, "; ");
	text_count(text, total, "LOST: ", "LOST: ");
	begin = text->length;
	for (unsigned stage = 0; stage < LOSS_STAGE_COUNT; stage++) {
		if (!summary->lost[stage])
			continue;
		text_next(text, begin);
		text_count(text, summary->lost[stage], record_stage_name(stage), record_stage_name(stage));
	}
}

static void put_summary(struct text *text, const struct rec_summary *summary, const struct view_tally *tally)
{
	uint64_t total = 0;
	size_t begin;

	for (unsigned kind = 0; kind < REC_KIND_COUNT; kind++)
		total += tally->events[kind];
	text_count(text, total, "event", "events");
	if (tally->ready_ns && summary->header.time_ns >= tally->ready_ns) {
		text_put(text, " in ");
		text_duration(text, summary->header.time_ns - tally->ready_ns);
	}
	if (total)
		text_put(text, ": ");
	begin = text->length;
	for (unsigned kind = 0; kind < REC_KIND_COUNT; kind++) {
		if (!tally->events[kind])
			continue;
		text_next(text, begin);
		text_count(text, tally->events[kind], record_kind_name(kind), record_kind_name(kind));
	}
	put_losses(text, summary);
}

void text_trace_details(struct text *text, const struct model *model, const struct change *change,
			const struct view_tally *tally)
{
	const void *record = change->record.header;

	switch (change->record.header->kind) {
	case REC_READY:
		put_ready(text, record);
		break;
	case REC_LOST:
		put_lost(text, record);
		break;
	case REC_RESYNC:
		put_resync(text, record);
		break;
	default:
		put_summary(text, record, tally);
		break;
	}
}
