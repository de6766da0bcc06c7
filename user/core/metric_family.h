/* SPDX-License-Identifier: GPL-2.0-only */
/* What `export` tells: every family with its type, its labels and its help. One list; the names are a
 * contract (docs/metrics.md). */
#ifndef PORTSNOOP_CORE_METRIC_FAMILY_H
#define PORTSNOOP_CORE_METRIC_FAMILY_H

#include <portsnoop/counts.h>

#include <stdbool.h>
#include <stdint.h>

#define METRIC_LABEL_LIST(X)                                                                                 \
	X(TRANSPORT, "network_transport")                                                                    \
	X(TYPE, "network_type")                                                                              \
	X(LOCAL_ADDRESS, "local_address")                                                                    \
	X(LOCAL_PORT, "local_port")                                                                          \
	X(SERVER_PORT, "server_port")                                                                        \
	X(EXECUTABLE, "process_executable_name")                                                             \
	X(NETNS, "netns")                                                                                    \
	X(CONTAINER, "container_id")                                                                         \
	X(DIRECTION, "direction")                                                                            \
	X(STATE, "state")                                                                                    \
	X(ASSIGNED, "assigned_by")                                                                           \
	X(ERROR, "error_type")                                                                               \
	/* From here on: of what portsnoop itself does. */                                                   \
	X(REASON, "reason")                                                                                  \
	X(KIND, "kind")                                                                                      \
	X(STAGE, "stage")                                                                                    \
	X(CHANGE, "change")                                                                                  \
	X(TABLE, "table")                                                                                    \
	X(PROGRAM, "program")                                                                                \
	X(FACT, "fact")                                                                                      \
	X(PROBE, "probe")                                                                                    \
	X(VERSION, "version")                                                                                \
	X(LIBBPF, "libbpf_version")

enum metric_label {
#define X(name, text) LABEL_##name,
	METRIC_LABEL_LIST(X)
#undef X
		LABEL_COUNT
};

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

enum metric_family {
	FAMILY_BUILD,
	FAMILY_PROBE,
	FAMILY_LISTENERS,
	FAMILY_LISTENER_PROCESSES,
	FAMILY_QUEUE_LENGTH,
	FAMILY_QUEUE_LIMIT,
	FAMILY_OVERFLOWS,
	FAMILY_BINDS,
	FAMILY_BIND_ERRORS,
	FAMILY_CONNECTS,
	FAMILY_CONNECT_ERRORS,
	FAMILY_ACCEPTS,
	FAMILY_CONNECTIONS,
	FAMILY_CLOSED,
	FAMILY_CONNECT_DURATION,
	FAMILY_QUEUE_DURATION,
	FAMILY_CONNECTION_DURATION,
	FAMILY_BYTES,
	FAMILY_RETRANSMITS,
	FAMILY_RANGE,
	FAMILY_EPHEMERAL_IN_USE,
	FAMILY_ASSIGNED,
	FAMILY_EXHAUSTED,
	FAMILY_DESTINATION_RATIO,
	FAMILY_TIME_WAIT,
	FAMILY_REFUSED,
	FAMILY_EVENTS,
	FAMILY_LOST,
	FAMILY_RESYNCS,
	FAMILY_RESYNC_REPAIRS,
	FAMILY_TABLE_ENTRIES,
	FAMILY_TABLE_CAPACITY,
	FAMILY_TABLE_LEFT_OUT,
	FAMILY_SERIES_DROPPED,
	FAMILY_MEMORY,
	FAMILY_MEMORY_LIMIT,
	FAMILY_BPF_MISSED,
	FAMILY_BPF_SECONDS,
	FAMILY_BPF_RUNS,
	FAMILY_STATE_AGE,
	FAMILY_WALK_DURATION,
	FAMILY_SCRAPE_DURATION,
	FAMILY_CPU,
	FAMILY_RESIDENT,
	FAMILY_VIRTUAL,
	FAMILY_OPEN_FDS,
	FAMILY_MAX_FDS,
	FAMILY_START_TIME,
	FAMILY_COUNT
};

struct metric_family_row {
	const char *name; /* as OpenMetrics has it: without _total and _info */
	const char *unit; /* the name's end; NULL: none */
	const char *help;
	uint32_t labels; /* bit per enum metric_label, in whose order they are shown */
	enum metric_type type;
	bool kept;		/* counted here, event by event: not told anew at each scrape */
	const uint64_t *bounds; /* of a histogram's buckets, ns: SPAN_BOUNDS of them */
};

const struct metric_family_row *metric_family(enum metric_family family);
const char *metric_label_name(enum metric_label label);
/* A comma-separated list of labels. 0 with a bit for each; -EINVAL with the first that is none in
 * *ret_unknown, which begins there and is *ret_length bytes long. */
int metric_labels_parse(const char *list, uint32_t *ret_labels, const char **ret_unknown, int *ret_length);

#endif
