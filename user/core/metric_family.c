/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metric_family.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define L(name)	 (1u << LABEL_##name)
#define WHO	 L(EXECUTABLE)
#define PLACE	 (L(NETNS) | L(CONTAINER))
#define LISTENER (L(TRANSPORT) | L(TYPE) | L(LOCAL_ADDRESS) | L(LOCAL_PORT) | WHO | PLACE)
#define ENDS	 (L(LOCAL_PORT) | L(SERVER_PORT) | WHO | PLACE)

#define FAMILY(name, unit, type, labels, help, ...)                                                          \
	{                                                                                                    \
		"portsnoop_" name, unit, help, labels, METRIC_##type, ##__VA_ARGS__                          \
	}
#define GAUGE(name, labels, help)	     FAMILY(name, NULL, GAUGE, labels, help)
#define GAUGE_IN(unit, name, labels, help)   FAMILY(name "_" unit, unit, GAUGE, labels, help)
#define COUNTER(name, labels, help)	     FAMILY(name, NULL, COUNTER, labels, help)
#define COUNTER_IN(unit, name, labels, help) FAMILY(name "_" unit, unit, COUNTER, labels, help)
#define KEPT(name, labels, help)	     FAMILY(name, NULL, COUNTER, labels, help, true)
#define SECONDS(name, labels, bounds, help)                                                                  \
	FAMILY(name "_seconds", "seconds", HISTOGRAM, labels, help, false, bounds)
#define INFO(name, labels, help) FAMILY(name, NULL, INFO, labels, help)

static const uint64_t connect_bounds[SPAN_BOUNDS] = SPAN_BOUNDS_CONNECT;
static const uint64_t accept_bounds[SPAN_BOUNDS] = SPAN_BOUNDS_ACCEPT;
static const uint64_t close_bounds[SPAN_BOUNDS] = SPAN_BOUNDS_CLOSE;

static const struct metric_family_row rows[] = {
	[FAMILY_BUILD] = INFO("build", L(VERSION) | L(LIBBPF), "Versions of portsnoop and of libbpf."),
	[FAMILY_PROBE] = INFO("probe", L(FACT) | L(PROBE), "By which kind of hook each fact is learnt."),
	[FAMILY_LISTENERS] = GAUGE("listeners", LISTENER, "Sockets that listen, and UDP sockets that serve."),
	[FAMILY_LISTENER_PROCESSES] =
		GAUGE("listener_processes", LISTENER, "Processes that hold these sockets."),
	[FAMILY_QUEUE_LENGTH] =
		GAUGE("accept_queue_length", LISTENER, "Connections that wait to be accepted."),
	[FAMILY_QUEUE_LIMIT] = GAUGE("accept_queue_limit", LISTENER, "Most connections that may wait."),
	[FAMILY_OVERFLOWS] = KEPT("accept_queue_overflows", LISTENER,
				  "SYNs and handshakes dropped at a listener, mostly as its queue was full."),
	[FAMILY_BINDS] = COUNTER("binds", L(TRANSPORT) | L(ASSIGNED) | WHO, "Binds that succeeded."),
	[FAMILY_BIND_ERRORS] = COUNTER("bind_errors", L(TRANSPORT) | L(ERROR) | WHO, "Binds that failed."),
	[FAMILY_CONNECTS] = COUNTER("connects", L(SERVER_PORT) | WHO, "TCP connections that were made."),
	[FAMILY_CONNECT_ERRORS] = COUNTER("connect_errors", L(TRANSPORT) | L(SERVER_PORT) | WHO | L(ERROR),
					  "Connects that failed."),
	[FAMILY_ACCEPTS] =
		COUNTER("accepts", L(LOCAL_PORT) | WHO | PLACE, "TCP connections that were accepted."),
	[FAMILY_CONNECTIONS] = GAUGE("connections", L(DIRECTION) | L(STATE) | ENDS, "TCP connections."),
	[FAMILY_CLOSED] =
		COUNTER("connections_closed", L(DIRECTION) | L(REASON) | ENDS, "TCP connections that ended."),
	[FAMILY_CONNECT_DURATION] = SECONDS("connect_duration", L(SERVER_PORT) | WHO, connect_bounds,
					    "From the first SYN to the connection."),
	[FAMILY_QUEUE_DURATION] = SECONDS("accept_queue", L(LOCAL_PORT) | WHO | PLACE, accept_bounds,
					  "How long connections waited to be accepted."),
	[FAMILY_CONNECTION_DURATION] = SECONDS("connection_duration", L(DIRECTION) | ENDS, close_bounds,
					       "From the handshake to the end of connections that ended."),
	[FAMILY_BYTES] = COUNTER_IN("bytes", "connection", L(DIRECTION) | ENDS,
				    "Payload of TCP connections that ended."),
	[FAMILY_RETRANSMITS] =
		COUNTER("retransmits", ENDS, "Segments sent again by TCP connections that ended."),
	[FAMILY_RANGE] = GAUGE_IN("ports", "ephemeral_range", L(NETNS),
				  "Ports that the kernel assigns from, without the reserved ones."),
	[FAMILY_EPHEMERAL_IN_USE] =
		GAUGE("ephemeral_ports_in_use", L(NETNS) | L(TRANSPORT), "Ports of that range in use."),
	[FAMILY_ASSIGNED] =
		COUNTER("ephemeral_assigned", L(NETNS) | L(ASSIGNED), "Ports that the kernel chose."),
	[FAMILY_EXHAUSTED] =
		COUNTER("ephemeral_exhausted", L(NETNS), "Calls for which the kernel found no port."),
	[FAMILY_DESTINATION_RATIO] = GAUGE("ephemeral_destination_used_ratio_max", L(NETNS),
					   "Of what is usable towards the fullest destination, 0 to 1."),
	[FAMILY_TIME_WAIT] = GAUGE_IN("sockets", "time_wait", L(NETNS), "TCP connections in TIME_WAIT."),
	[FAMILY_REFUSED] =
		COUNTER("refused_connections", L(LOCAL_PORT) | L(NETNS), "SYNs that met a closed port."),
	[FAMILY_EVENTS] =
		COUNTER("events", L(KIND), "Records that the kernel side sent, lost ones included."),
	[FAMILY_LOST] =
		COUNTER("events_lost", L(STAGE), "Records that did not arrive, by where they were lost."),
	[FAMILY_RESYNCS] = KEPT("resyncs", L(REASON), "Repairs of the tables from the kernel."),
	[FAMILY_RESYNC_REPAIRS] = KEPT("resync_repairs", L(CHANGE), "What these repairs changed."),
	[FAMILY_TABLE_ENTRIES] = GAUGE("table_entries", L(TABLE), "Entries of a table."),
	[FAMILY_TABLE_CAPACITY] = GAUGE("table_capacity", L(TABLE), "Most entries that a table may have."),
	[FAMILY_TABLE_LEFT_OUT] = COUNTER("table_left_out", L(TABLE),
					  "What a full table could not take, or gave up for others."),
	[FAMILY_SERIES_DROPPED] = COUNTER("series_dropped", 0,
					  "What was counted under `other` for want of room for its labels."),
	[FAMILY_MEMORY] = GAUGE_IN("bytes", "memory", 0, "Memory that portsnoop has allocated."),
	[FAMILY_MEMORY_LIMIT] = GAUGE_IN("bytes", "memory_limit", 0, "Most that it may allocate."),
	[FAMILY_BPF_MISSED] =
		COUNTER("bpf_missed", L(PROGRAM), "Runs of a BPF program that the kernel skipped."),
	[FAMILY_BPF_SECONDS] = COUNTER_IN("seconds", "bpf_run", L(PROGRAM), "Time that a BPF program ran."),
	[FAMILY_BPF_RUNS] = COUNTER("bpf_runs", L(PROGRAM), "Runs of a BPF program."),
	[FAMILY_STATE_AGE] =
		GAUGE_IN("seconds", "state_age", 0, "How long ago the kernel's sockets were looked at."),
	[FAMILY_WALK_DURATION] = GAUGE_IN("seconds", "walk_duration", 0, "How long that took."),
	[FAMILY_SCRAPE_DURATION] = GAUGE_IN("seconds", "scrape_duration", 0,
					    "How long the last scrape took to make, without the walk."),
	[FAMILY_CPU] = {"process_cpu_seconds", "seconds", "CPU time that portsnoop used.", 0, METRIC_COUNTER},
	[FAMILY_RESIDENT] = {"process_resident_memory_bytes", "bytes", "Memory that portsnoop has.", 0,
			     METRIC_GAUGE},
	[FAMILY_VIRTUAL] = {"process_virtual_memory_bytes", "bytes", "Addresses that portsnoop has.", 0,
			    METRIC_GAUGE},
	[FAMILY_OPEN_FDS] = {"process_open_fds", NULL, "Open descriptors of portsnoop.", 0, METRIC_GAUGE},
	[FAMILY_MAX_FDS] = {"process_max_fds", NULL, "Most descriptors that it may have.", 0, METRIC_GAUGE},
	[FAMILY_START_TIME] = {"process_start_time_seconds", "seconds",
			       "When portsnoop began, since the epoch.", 0, METRIC_GAUGE},
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) == FAMILY_COUNT, "not every family has a row");

static const char *const labels[] = {
#define X(name, text) text,
	METRIC_LABEL_LIST(X)
#undef X
};

const struct metric_family_row *metric_family(enum metric_family family)
{
	return &rows[family];
}

const char *metric_label_name(enum metric_label label)
{
	return labels[label];
}

static int label_find(const char *name, size_t length)
{
	for (int i = 0; i < LABEL_COUNT; i++)
		if (strlen(labels[i]) == length && !memcmp(labels[i], name, length))
			return i;
	return -EINVAL;
}

int metric_labels_parse(const char *list, uint32_t *ret_labels, const char **ret_unknown, int *ret_length)
{
	uint32_t found = 0;

	for (const char *at = list;; at++) {
		size_t length = strcspn(at, ",");
		int label = label_find(at, length);

		if (label < 0) {
			*ret_unknown = at;
			*ret_length = (int)length;
			return label;
		}
		found |= 1u << label;
		at += length;
		if (!*at)
			break;
	}
	*ret_labels = found;
	return 0;
}
