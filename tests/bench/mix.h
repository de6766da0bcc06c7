/* SPDX-License-Identifier: GPL-2.0-only */
/* Records as the kernel side would send them: a server, CLIENTS client processes, many short connections. */
#ifndef TESTS_BENCH_MIX_H
#define TESTS_BENCH_MIX_H

#include "bench.h"

#include <portsnoop/event.h>

#include <stdbool.h>

#define NETNS	      4026531840u
#define CLIENTS	      64
#define OPEN_AT_ONCE  1000
#define CONNECTIONS   10000
#define LISTENER      1
#define CLIENT_OF(i)  (1000 + 2 * (uint64_t)(i))
#define SERVER_OF(i)  (1001 + 2 * (uint64_t)(i))
#define SERVER_PID    800
#define CLIENT_PID(i) (900 + (i) % CLIENTS)
#define BOOT_NS	      UINT64_C(3600000000000)

/* Records one after the other, as in the ring. */
struct mix {
	unsigned char *data;
	size_t length, capacity;
	unsigned count;
};

static inline void mix_put(struct mix *mix, const void *record, size_t size)
{
	if (mix->length + size > mix->capacity)
		die("the mix has no more room");
	memcpy(mix->data + mix->length, record, size);
	mix->length += size;
	mix->count++;
}

static inline struct rec_header header_of(enum rec_kind kind, size_t size, unsigned number)
{
	return (struct rec_header){
		.size = (uint16_t)size,
		.kind = (uint8_t)kind,
		.probe = PROBE_TRACEPOINT,
		.flags = REC_F_TASK | REC_F_SOCKET,
		.time_ns = BOOT_NS + number * UINT64_C(30000),
	};
}

static inline struct rec_task task_of(unsigned pid)
{
	struct rec_task task = {
		.start_ns = pid * UINT64_C(1000000),
		.cgroup_id = 42,
		.pid = pid,
		.tid = pid,
		.uid = pid == SERVER_PID ? 33 : 1000,
	};

	strcpy(task.comm, pid == SERVER_PID ? "nginx" : "curl");
	return task;
}

static inline struct rec_socket socket_of(uint64_t cookie, bool client, unsigned number)
{
	struct rec_socket socket = {
		.cookie = cookie,
		.netns = NETNS,
		.local_addr = {10, 0, 0, 1},
		.peer_addr = {10, 0, (unsigned char)(number >> 8), (unsigned char)number},
		.local_port = client ? (uint16_t)(32768 + number % 28000) : 443,
		.peer_port = client ? 443 : (uint16_t)(32768 + number % 28000),
		.protocol = IPPROTO_TCP,
		.family = AF_INET,
		.state = 1, /* ESTABLISHED */
	};

	if (client) {
		socket.creator_pid = CLIENT_PID(number);
		socket.creator_start_ns = socket.creator_pid * UINT64_C(1000000);
	}
	return socket;
}

static inline void put_connect(struct mix *mix, unsigned number)
{
	struct rec_connect record = {
		.fact = {.header = header_of(REC_CONNECT, sizeof(record), number),
			 .task = task_of(CLIENT_PID(number)),
			 .socket = socket_of(CLIENT_OF(number), true, number)},
		.duration_ns = 41000,
	};

	record.fact.header.flags |= CONNECT_F_AUTOBOUND;
	mix_put(mix, &record, sizeof(record));
}

static inline void put_accept(struct mix *mix, unsigned number)
{
	struct rec_accept record = {
		.fact = {.header = header_of(REC_ACCEPT, sizeof(record), number),
			 .task = task_of(SERVER_PID),
			 .socket = socket_of(SERVER_OF(number), false, number)},
		.queue_ns = 9000,
		.listener = LISTENER,
	};

	mix_put(mix, &record, sizeof(record));
}

static inline void put_close(struct mix *mix, unsigned number, bool client)
{
	unsigned pid = client ? CLIENT_PID(number) : SERVER_PID;
	struct rec_close record = {
		.fact = {.header = header_of(REC_CLOSE, sizeof(record), number + OPEN_AT_ONCE),
			 .task = task_of(pid),
			 .socket = socket_of(client ? CLIENT_OF(number) : SERVER_OF(number), client, number)},
		.duration_ns = 30000000,
		.bytes_sent = 512 + number,
		.bytes_received = 8192 + number,
		.owner_pid = pid,
		.owner_start_ns = pid * UINT64_C(1000000),
		.rtt_us = 55,
		.reason = client ? CLOSE_LOCAL : CLOSE_PEER,
		.direction = client ? DIRECTION_OUT : DIRECTION_IN,
		.listener = client ? 0 : LISTENER,
	};

	record.fact.header.flags |= CLOSE_F_COUNTERS | CLOSE_F_RELEASED;
	mix_put(mix, &record, sizeof(record));
}

/* connect, accept, close, close of each connection, OPEN_AT_ONCE of them open at any time. */
static inline struct mix mix_of_connections(void)
{
	struct mix mix = {.capacity = CONNECTIONS * 4 * sizeof(struct rec_close)};

	mix.data = malloc(mix.capacity);
	if (!mix.data)
		die("out of memory");
	for (unsigned i = 0; i < CONNECTIONS + OPEN_AT_ONCE; i++) {
		if (i < CONNECTIONS) {
			put_connect(&mix, i);
			put_accept(&mix, i);
		}
		if (i >= OPEN_AT_ONCE) {
			put_close(&mix, i - OPEN_AT_ONCE, true);
			put_close(&mix, i - OPEN_AT_ONCE, false);
		}
	}
	return mix;
}

#endif
