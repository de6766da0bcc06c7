/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metrics_counts.h"

#include "core/describe.h"
#include "core/metrics_labels.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES (COUNT_NAME_FIRST + COUNT_NAMES_MAX)

struct metrics_counts {
	struct metrics *metrics;
	const struct model *model;
	const struct filter *filter;
	char names[NAMES][COUNT_NAME_LEN + 1];
};

struct metrics_counts *metrics_counts_new(struct metrics *metrics, const struct model *model,
					  const struct filter *filter)
{
	struct metrics_counts *counts = calloc(1, sizeof(*counts));

	if (!counts)
		return NULL;
	counts->metrics = metrics;
	counts->model = model;
	counts->filter = filter;
	strcpy(counts->names[COUNT_NAME_OTHER], "other");
	return counts;
}

void metrics_counts_free(struct metrics_counts *counts)
{
	free(counts);
}

int metrics_counts_name(void *context, uint32_t number, const char *text)
{
	struct metrics_counts *counts = context;

	if (number >= COUNT_NAME_FIRST && number < NAMES)
		snprintf(counts->names[number], sizeof(counts->names[number]), "%s", text);
	return 0;
}

/* --- a key ------------------------------------------------------------------------------------------------
 */

static const char *const assigned_names[] = {[ASSIGNED_BIND] = "bind",
					     [ASSIGNED_LISTEN] = "listen",
					     [ASSIGNED_CONNECT] = "connect",
					     [ASSIGNED_SEND] = "send"};

/* A port is the local one where a connection came in, the server's where it went out. */
static bool port_is_local(const struct count_key *key)
{
	return key->kind == COUNT_REFUSE || key->kind == COUNT_ACCEPT ||
	       (key->kind == COUNT_CLOSE && key->direction == DIRECTION_IN);
}

static struct labels_of labels_of_key(const struct metrics_counts *counts, const struct count_key *key)
{
	struct labels_of of = {
		.executable = key->name < NAMES ? counts->names[key->name] : NULL,
		.cgroup = key->cgroup_id ? model_cgroup_path(counts->model, key->cgroup_id) : NULL,
		.netns = key->netns,
		.error = key->error,
		.direction = key->direction,
		.protocol = key->protocol,
	};

	/* All that is counted of connections is of TCP. */
	if (key->kind == COUNT_CONNECT || key->kind == COUNT_ACCEPT || key->kind == COUNT_CLOSE ||
	    key->kind == COUNT_REFUSE)
		of.protocol = IPPROTO_TCP;
	if (port_is_local(key))
		of.local_port = key->port;
	else
		of.server_port = key->port;
	return of;
}

static void fill(const struct metrics_counts *counts, const struct count_key *key, struct labels_room *room)
{
	const struct labels_of of = labels_of_key(counts, key);

	labels_fill(room, counts->model, &of);
	if (key->assigned < sizeof(assigned_names) / sizeof(assigned_names[0]))
		room->labels.value[LABEL_ASSIGNED] = assigned_names[key->assigned];
	if (key->kind == COUNT_CLOSE)
		room->labels.value[LABEL_REASON] = record_reason_name(key->reason);
}

/* --- what is only counted ---------------------------------------------------------------------------------
 */

static enum metric_family family_of(unsigned kind)
{
	static const uint8_t families[] = {
		[COUNT_BIND] = FAMILY_BINDS,
		[COUNT_BIND_ERROR] = FAMILY_BIND_ERRORS,
		[COUNT_CONNECT_ERROR] = FAMILY_CONNECT_ERRORS,
		[COUNT_REFUSE] = FAMILY_REFUSED,
		[COUNT_ASSIGN] = FAMILY_ASSIGNED,
		[COUNT_EXHAUST] = FAMILY_EXHAUSTED,
		[COUNT_CONNECT] = FAMILY_CONNECTS,
		[COUNT_ACCEPT] = FAMILY_ACCEPTS,
		[COUNT_CLOSE] = FAMILY_CLOSED,
	};
	_Static_assert(sizeof(families) == COUNT_KIND_COUNT, "a kind without a family");

	return families[kind];
}

int metrics_counts_count(void *context, const struct count_key *key, const struct count *count, bool other)
{
	struct metrics_counts *counts = context;
	struct metric_exemplar exemplar = {.pid = count->last_pid};
	struct labels_room room;

	if (key->kind >= COUNT_FIRST_SPAN || !count->n)
		return 0;
	if (other) {
		metrics_add_other(counts->metrics, family_of(key->kind), (double)count->n);
		return 0;
	}
	fill(counts, key, &room);
	if (!filter_match(counts->filter, &room.subject))
		return 0;
	if (count->last_ns)
		exemplar.wall_ns = model_wall_ns(counts->model, count->last_ns);
	metrics_add_example(counts->metrics, family_of(key->kind), &room.labels, (double)count->n,
			    exemplar.wall_ns ? &exemplar : NULL);
	return 0;
}

/* --- what is measured -------------------------------------------------------------------------------------
 */

static enum metric_family durations_of(unsigned kind)
{
	return kind == COUNT_CONNECT  ? FAMILY_CONNECT_DURATION
	       : kind == COUNT_ACCEPT ? FAMILY_QUEUE_DURATION
				      : FAMILY_CONNECTION_DURATION;
}

/* In its families direction is that of the payload. */
static void add_payload(struct metrics *metrics, struct metric_labels *labels, const struct span *span)
{
	metrics_add(metrics, FAMILY_RETRANSMITS, labels, (double)span->retransmits);
	labels->value[LABEL_DIRECTION] = "sent";
	metrics_add(metrics, FAMILY_BYTES, labels, (double)span->sent);
	labels->value[LABEL_DIRECTION] = "received";
	metrics_add(metrics, FAMILY_BYTES, labels, (double)span->received);
}

static void add_other(struct metrics *metrics, unsigned kind, const struct span *span)
{
	metrics_add_other(metrics, family_of(kind), (double)span->n);
	metrics_add_other_span(metrics, durations_of(kind), span);
	if (kind != COUNT_CLOSE)
		return;
	metrics_add_other(metrics, FAMILY_RETRANSMITS, (double)span->retransmits);
	metrics_add_other(metrics, FAMILY_BYTES, (double)(span->sent + span->received));
}

int metrics_counts_span(void *context, const struct count_key *key, const struct span *span, bool other)
{
	struct metrics_counts *counts = context;
	struct labels_room room;

	if (key->kind < COUNT_FIRST_SPAN || key->kind >= COUNT_KIND_COUNT || !span->n)
		return 0;
	if (other) {
		add_other(counts->metrics, key->kind, span);
		return 0;
	}
	fill(counts, key, &room);
	if (!filter_match(counts->filter, &room.subject))
		return 0;
	metrics_add(counts->metrics, family_of(key->kind), &room.labels, (double)span->n);
	metrics_add_span(counts->metrics, durations_of(key->kind), &room.labels, span);
	if (key->kind == COUNT_CLOSE)
		add_payload(counts->metrics, &room.labels, span);
	return 0;
}
