/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/refusals.h"

#include "system/proc.h"

#include <bpf/bpf.h>
#include <netinet/in.h>
#include <portsnoop/event.h>
#include <stdbool.h>
#include <string.h>

/* Mirror of bpf/maps.h, which user space cannot include. */
struct refused_key {
	uint8_t local_addr[16];
	uint32_t netns;
	uint16_t port;
	uint8_t family;
	uint8_t reserved;
};
struct refused {
	uint64_t reported_ns;
	uint64_t pending;
	uint8_t peer_addr[16];
	uint16_t peer_port;
	uint16_t reserved[3];
};

static int put(const struct sink *sink, const struct refused_key *key, const struct refused *entry)
{
	struct rec_refuse record = {
		.fact.header = {.size = sizeof(record),
				.kind = REC_REFUSE,
				.source = SOURCE_EVENT,
				.probe = PROBE_TRACEPOINT,
				.flags = REC_F_SOCKET,
				.time_ns = proc_boottime_ns()},
		.fact.socket = {.netns = key->netns,
				.family = key->family,
				.protocol = IPPROTO_TCP,
				.local_port = key->port,
				.peer_port = entry->peer_port},
		.count = entry->pending,
	};

	memcpy(record.fact.socket.local_addr, key->local_addr, sizeof(key->local_addr));
	memcpy(record.fact.socket.peer_addr, entry->peer_addr, sizeof(entry->peer_addr));
	return sink_put(sink, &record, sizeof(record));
}

/*
 * Takes the entry out, so that its count is told exactly once: a SYN that comes meanwhile makes a new one.
 * An entry without anything to tell stays, since it holds back the next second's records.
 */
static int flush_one(int map_fd, const struct sink *sink, const struct refused_key *key)
{
	struct refused entry;

	if (bpf_map_lookup_elem(map_fd, key, &entry) || !entry.pending)
		return 0;
	if (bpf_map_lookup_and_delete_elem(map_fd, key, &entry))
		return 0;
	return entry.pending ? put(sink, key, &entry) : 0;
}

int refusals_flush(int map_fd, const struct sink *sink)
{
	struct refused_key key, next;
	bool more = bpf_map_get_next_key(map_fd, NULL, &next) == 0;
	int result = 0;

	while (more && !result) {
		key = next;
		more = bpf_map_get_next_key(map_fd, &key, &next) == 0;
		result = flush_one(map_fd, sink, &key);
	}
	return result;
}
