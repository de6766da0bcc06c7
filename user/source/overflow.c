/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/overflow.h"

#include "core/table.h"
#include "system/proc.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <portsnoop/event.h>
#include <stdlib.h>

#define LISTENERS_MAX 16384

struct listener {
	uint64_t cookie;
	uint64_t drops;
};

struct overflow {
	struct snapshot *snapshot;
	struct table *listeners;
	int64_t counter;
	uint32_t netns;		 /* the one that is polled */
	const struct sink *sink; /* during a tick; NULL while taking note */
};

static bool listener_equal(const void *row, const void *key)
{
	return ((const struct listener *)row)->cookie == *(const uint64_t *)key;
}

/* The listener's last known drops; one that was used longest ago makes room. */
static struct listener *listener_see(struct table *listeners, uint64_t cookie)
{
	uint64_t hash = table_hash(cookie, 0);
	struct listener *listener = table_find(listeners, hash, &cookie);

	if (listener) {
		table_touch(listeners, listener);
		return listener;
	}
	if (table_is_full(listeners))
		table_remove(listeners, table_oldest(listeners));
	listener = table_add(listeners, hash);
	if (listener)
		listener->cookie = cookie;
	return listener;
}

static int put(const struct sink *sink, const struct rec_socket_row *row, uint64_t count)
{
	struct rec_overflow record = {
		.fact = row->fact,
		.count = count,
		.queue_length = row->queue_length,
		.queue_limit = row->queue_limit,
	};

	record.fact.header.size = sizeof(record);
	record.fact.header.kind = REC_OVERFLOW;
	record.fact.header.source = SOURCE_POLL;
	return sink_put(sink, &record, sizeof(record));
}

static int take_listener(void *context, const void *record, size_t size)
{
	struct overflow *overflow = context;
	const struct rec_socket_row *row = record;
	struct listener *listener = listener_see(overflow->listeners, row->fact.socket.cookie);
	uint64_t before;

	if (!listener)
		return 0;
	before = listener->drops;
	listener->drops = row->drops;
	if (!overflow->sink || row->drops <= before)
		return 0;
	return put(overflow->sink, row, row->drops - before);
}

static int look(struct overflow *overflow, const struct sink *sink)
{
	struct sink each = {.take = take_listener, .context = overflow};
	int result;

	overflow->sink = sink;
	result = snapshot_walk_listeners(overflow->snapshot, &each);
	overflow->sink = NULL;
	return result < 0 ? 0 : result; /* a walk that fails is tried again with the next change */
}

struct overflow *overflow_open(struct snapshot *snapshot)
{
	struct overflow *overflow = calloc(1, sizeof(*overflow));

	if (!overflow)
		return NULL;
	overflow->snapshot = snapshot;
	overflow->netns = proc_netns();
	overflow->listeners = table_new(sizeof(struct listener), LISTENERS_MAX, listener_equal);
	if (!overflow->listeners) {
		free(overflow);
		return NULL;
	}
	overflow->counter = proc_listen_overflows();
	look(overflow, NULL);
	return overflow;
}

int overflow_tick(struct overflow *overflow, const struct sink *sink)
{
	int64_t counter = proc_listen_overflows();

	if (counter == overflow->counter)
		return 0;
	overflow->counter = counter;
	return look(overflow, sink);
}

/* A listener that was not there at the first walk is young: what it dropped, it dropped since. */
static uint64_t drops_before(struct overflow *overflow, const struct rec_socket_row *row, bool taking_note)
{
	uint64_t cookie = row->fact.socket.cookie;
	bool known = table_find(overflow->listeners, table_hash(cookie, 0), &cookie);
	bool forgets = table_is_full(overflow->listeners);
	struct listener *listener = listener_see(overflow->listeners, cookie);
	uint64_t before = known ? listener->drops : forgets || taking_note ? row->drops : 0;

	if (!listener)
		return row->drops;
	listener->drops = row->drops;
	return before;
}

int overflow_see(struct overflow *overflow, const void *record, const struct sink *sink)
{
	const struct rec_header *header = record;
	const struct rec_socket_row *row = record;
	uint64_t before;

	if (header->kind != REC_SOCKET || row->fact.socket.protocol != IPPROTO_TCP ||
	    row->fact.socket.state != TCP_LISTEN || row->fact.socket.netns == overflow->netns)
		return 0;
	before = drops_before(overflow, row, !sink);
	return sink && row->drops > before ? put(sink, row, row->drops - before) : 0;
}

void overflow_close(struct overflow *overflow)
{
	if (!overflow)
		return;
	table_free(overflow->listeners);
	free(overflow);
}
