/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records for tests of the core: a sound one of any kind, made in place for the test to bend. A process is
 * known by its pid alone: START_OF() gives the rest of its identity. Needs cmocka.h before it.
 */
#ifndef TESTS_UNIT_RECORDS_H
#define TESTS_UNIT_RECORDS_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/record.h"

#define START_OF(pid) ((pid)*UINT64_C(1000))
#define TEST_NETNS    4026531840u

/* Room for any record. */
union any_record {
	struct rec_header header;
	struct rec_fact fact;
	struct rec_bind bind;
	struct rec_listen listen;
	struct rec_connect connect;
	struct rec_accept accept;
	struct rec_close close;
	struct rec_overflow overflow;
	struct rec_socket_row row;
	struct rec_holder holder;
	struct rec_process process;
	struct rec_lifecycle lifecycle;
	struct rec_meta meta;
	struct rec_ready ready;
	struct rec_lost lost;
	struct rec_walk walk;
	unsigned char bytes[REC_SIZE_MAX];
};

static inline size_t size_of_kind(enum rec_kind kind)
{
	static const size_t sizes[REC_KIND_COUNT] = {
		[REC_PROCESS] = sizeof(struct rec_process),
		[REC_FORK] = sizeof(struct rec_lifecycle),
		[REC_EXIT] = sizeof(struct rec_lifecycle),
		[REC_BIND] = sizeof(struct rec_bind),
		[REC_LISTEN] = sizeof(struct rec_listen),
		[REC_ATTEMPT] = sizeof(struct rec_connect),
		[REC_CONNECT] = sizeof(struct rec_connect),
		[REC_AUTOBIND] = sizeof(struct rec_autobind),
		[REC_ACCEPT] = sizeof(struct rec_accept),
		[REC_CLOSE] = sizeof(struct rec_close),
		[REC_REFUSE] = sizeof(struct rec_refuse),
		[REC_OVERFLOW] = sizeof(struct rec_overflow),
		[REC_SOCKET] = sizeof(struct rec_socket_row),
		[REC_HOLDER] = sizeof(struct rec_holder),
		[REC_META] = sizeof(struct rec_meta) + 8,
		[REC_READY] = sizeof(struct rec_ready),
		[REC_LOST] = sizeof(struct rec_lost),
		[REC_RESYNC] = sizeof(struct rec_resync),
		[REC_SUMMARY] = sizeof(struct rec_summary),
		[REC_EXEC] = sizeof(struct rec_lifecycle),
		[REC_WALK] = sizeof(struct rec_walk),
		[REC_PAST] = sizeof(struct rec_past),
		[REC_ASK] = sizeof(struct rec_ask),
		[REC_DESTINATION] = sizeof(struct rec_destination),
		[REC_CONFLICTS] = CONFLICTS_SIZE(0),
	};

	return sizes[kind];
}

static inline bool kind_has_task(enum rec_kind kind)
{
	return kind < REC_META || kind == REC_EXEC || kind == REC_PAST || kind == REC_CONFLICTS;
}

static inline bool kind_is_fact(enum rec_kind kind)
{
	return (kind >= REC_BIND && kind <= REC_SOCKET) || kind == REC_PAST || kind == REC_CONFLICTS;
}

static inline struct rec_task task_of(uint32_t pid)
{
	struct rec_task task = {
		.start_ns = START_OF(pid), .pid = pid, .tid = pid, .uid = 1000, .cgroup_id = 5};

	snprintf(task.comm, sizeof(task.comm), "p%u", pid);
	return task;
}

static inline void set_task(union any_record *record, uint32_t pid)
{
	record->fact.task = task_of(pid);
	record->header.flags |= REC_F_TASK;
}

/* A TCP socket over IPv4 without addresses. */
static inline void set_socket(union any_record *record, uint64_t cookie, uint16_t port)
{
	record->fact.socket = (struct rec_socket){.cookie = cookie,
						  .netns = TEST_NETNS,
						  .local_port = port,
						  .protocol = IPPROTO_TCP,
						  .family = AF_INET,
						  .state = TCP_CLOSE};
	record->header.flags |= REC_F_SOCKET;
}

/* As small as a sound record of its kind can be. */
static inline void make_record(union any_record *record, enum rec_kind kind)
{
	memset(record, 0, sizeof(*record));
	record->header.size = (uint16_t)size_of_kind(kind);
	record->header.kind = kind;
	if (kind == REC_META)
		record->meta.type = META_HOST;
	else if (kind_has_task(kind) && !kind_is_fact(kind))
		set_task(record, 1);
}

/* pid 0: nobody is known to have acted. */
static inline void make_fact(union any_record *record, enum rec_kind kind, uint32_t pid, uint64_t cookie,
			     uint16_t port)
{
	make_record(record, kind);
	set_socket(record, cookie, port);
	if (pid)
		set_task(record, pid);
}

static inline void make_holder(union any_record *record, uint32_t pid, uint64_t cookie, int32_t fd)
{
	make_record(record, REC_HOLDER);
	set_task(record, pid);
	record->holder.cookie = cookie;
	record->holder.protocol = IPPROTO_TCP;
	record->holder.fd = fd;
}

static inline void make_fork(union any_record *record, uint32_t parent, uint32_t child)
{
	make_record(record, REC_FORK);
	set_task(record, parent);
	record->lifecycle.child_pid = child;
	record->lifecycle.child_start_ns = START_OF(child);
}

/* path and args with the NULs that belong to them, but for the last one, which the literal has anyway. */
#define make_process(record, pid, path, args)                                                                \
	make_process_of(record, pid, path, path[0] ? sizeof(path) : 0, args, args[0] ? sizeof(args) : 0)

static inline void make_process_of(union any_record *record, uint32_t pid, const char *path,
				   size_t path_length, const char *args, size_t args_length)
{
	make_record(record, REC_PROCESS);
	set_task(record, pid);
	memcpy(record->process.path, path, path_length);
	memcpy(record->process.args, args, args_length);
	record->process.path_length = (uint16_t)path_length;
	record->process.args_length = (uint16_t)args_length;
}

static inline void make_meta(union any_record *record, enum meta_type type, uint64_t key, const char *text)
{
	size_t length = strlen(text);

	make_record(record, REC_META);
	record->header.size = (uint16_t)((sizeof(record->meta) + length + 8) & ~7ul);
	record->meta.type = type;
	record->meta.key = key;
	record->meta.length = (uint16_t)length;
	memcpy(record->meta.text, text, length);
}

#endif
