/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records written as text, so that a case can be read:
 *
 *     bind pid=4242 comm=nginx uid=33 local=127.0.0.1:8080 requested=8080 error=EADDRINUSE
 *
 * A line is a kind and KEY=VALUE words. In values \s is a space, \0, \n and \xNN are bytes, \\ a backslash.
 * What the table of keys below does not set stays 0, but: the start of a process follows from its pid,
 * protocol is TCP, netns 4026531840. The program ends with a message on a line that it does not understand.
 */
#ifndef TESTS_GOLDEN_TEXT_RECORD_H
#define TESTS_GOLDEN_TEXT_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "text_value.h"

#define NETNS_DEFAULT 4026531840u
#define START_OF(pid) ((pid)*UINT64_C(1000000))

/* Room for any record. */
union any_record {
	struct rec_header header;
	struct rec_fact fact;
	struct rec_process process;
	struct rec_meta meta;
	struct rec_holder holder;
	struct rec_lifecycle lifecycle;
	struct rec_conflicts conflicts;
	unsigned char bytes[REC_SIZE_MAX];
};

/* --- keys that are plain members --------------------------------------------------------------------------
 */

enum value_type { NUMBER, DURATION, ERROR, SOURCE, PROBE, STATE, REASON, DIRECTION, SCOPE, OPTIONS };

struct member {
	uint8_t kind; /* 0: every fact */
	const char *key;
	enum value_type type;
	uint16_t offset;
	uint8_t size;
};

#define MEMBER(of_kind, of_key, of_type, record, field)                                                      \
	{                                                                                                    \
		of_kind, of_key, of_type, offsetof(struct record, field),                                    \
			sizeof(((struct record *)0)->field)                                                  \
	}

static const struct member members[] = {
	MEMBER(0, "source", SOURCE, rec_fact, header.source),
	MEMBER(0, "probe", PROBE, rec_fact, header.probe),
	MEMBER(0, "cookie", NUMBER, rec_fact, socket.cookie),
	MEMBER(0, "netns", NUMBER, rec_fact, socket.netns),
	MEMBER(0, "creator", NUMBER, rec_fact, socket.creator_pid),
	MEMBER(0, "creator_start", NUMBER, rec_fact, socket.creator_start_ns),
	MEMBER(0, "state", STATE, rec_fact, socket.state),
	MEMBER(0, "options", OPTIONS, rec_fact, socket.options),
	MEMBER(REC_BIND, "error", ERROR, rec_bind, error),
	MEMBER(REC_BIND, "search", DURATION, rec_bind, search_ns),
	MEMBER(REC_LISTEN, "error", ERROR, rec_listen, error),
	MEMBER(REC_LISTEN, "backlog", NUMBER, rec_listen, backlog),
	MEMBER(REC_CONNECT, "error", ERROR, rec_connect, error),
	MEMBER(REC_CONNECT, "duration", DURATION, rec_connect, duration_ns),
	MEMBER(REC_CONNECT, "search", DURATION, rec_connect, search_ns),
	MEMBER(REC_ACCEPT, "queued", DURATION, rec_accept, queue_ns),
	MEMBER(REC_ACCEPT, "listener", NUMBER, rec_accept, listener),
	MEMBER(REC_CLOSE, "duration", DURATION, rec_close, duration_ns),
	MEMBER(REC_CLOSE, "sent", NUMBER, rec_close, bytes_sent),
	MEMBER(REC_CLOSE, "received", NUMBER, rec_close, bytes_received),
	MEMBER(REC_CLOSE, "retransmits", NUMBER, rec_close, retransmits),
	MEMBER(REC_CLOSE, "rtt_us", NUMBER, rec_close, rtt_us),
	MEMBER(REC_CLOSE, "reason", REASON, rec_close, reason),
	MEMBER(REC_CLOSE, "direction", DIRECTION, rec_close, direction),
	MEMBER(REC_REFUSE, "count", NUMBER, rec_refuse, count),
	MEMBER(REC_OVERFLOW, "count", NUMBER, rec_overflow, count),
	MEMBER(REC_OVERFLOW, "length", NUMBER, rec_overflow, queue_length),
	MEMBER(REC_OVERFLOW, "limit", NUMBER, rec_overflow, queue_limit),
	MEMBER(REC_CONFLICTS, "as_of", DURATION, rec_conflicts, as_of_ns),
	MEMBER(REC_CONFLICTS, "unread", ERROR, rec_conflicts, error),
	MEMBER(REC_SOCKET, "sent", NUMBER, rec_socket_row, bytes_sent),
	MEMBER(REC_SOCKET, "received", NUMBER, rec_socket_row, bytes_received),
	MEMBER(REC_SOCKET, "retransmits", NUMBER, rec_socket_row, retransmits),
	MEMBER(REC_SOCKET, "rtt_us", NUMBER, rec_socket_row, rtt_us),
	MEMBER(REC_SOCKET, "length", NUMBER, rec_socket_row, queue_length),
	MEMBER(REC_SOCKET, "limit", NUMBER, rec_socket_row, queue_limit),
	MEMBER(REC_HOLDER, "cookie", NUMBER, rec_holder, cookie),
	MEMBER(REC_HOLDER, "fd", NUMBER, rec_holder, fd),
	MEMBER(REC_PROCESS, "parent", NUMBER, rec_process, parent_pid),
	MEMBER(REC_PROCESS, "pid_ns", NUMBER, rec_process, pid_ns),
	MEMBER(REC_PROCESS, "ns_pid", NUMBER, rec_process, ns_pid),
	MEMBER(REC_READY, "schema", NUMBER, rec_ready, schema),
	MEMBER(REC_READY, "uncountable", NUMBER, rec_ready, uncountable),
	MEMBER(REC_READY, "sockets", NUMBER, rec_ready, sockets),
	MEMBER(REC_READY, "processes", NUMBER, rec_ready, processes),
	MEMBER(REC_READY, "namespaces", NUMBER, rec_ready, namespaces),
	MEMBER(REC_READY, "scope", SCOPE, rec_ready, scope),
	MEMBER(REC_LOST, "count", NUMBER, rec_lost, count),
	MEMBER(REC_LOST, "interval", DURATION, rec_lost, interval_ns),
	MEMBER(REC_LOST, "stage", NUMBER, rec_lost, stage),
	MEMBER(REC_RESYNC, "added", NUMBER, rec_resync, added),
	MEMBER(REC_RESYNC, "removed", NUMBER, rec_resync, removed),
	MEMBER(REC_RESYNC, "owner_changed", NUMBER, rec_resync, owner_changed),
	MEMBER(REC_RESYNC, "netns_skipped", NUMBER, rec_resync, netns_skipped),
};

/* Words without a value. */
static const struct {
	uint8_t kind; /* 0: every kind */
	uint16_t bit;
	const char *key;
} flags[] = {
	{0, REC_F_LATE, "late"},
	{0, REC_F_TRUNCATED, "truncated"},
	{REC_BIND, BIND_F_DEFERRED, "deferred"},
	{REC_LISTEN, LISTEN_F_AUTOBOUND, "autobound"},
	{REC_CONNECT, CONNECT_F_AUTOBOUND, "autobound"},
	{REC_AUTOBIND, AUTOBIND_F_CONNECT, "by_connect"},
	{REC_CLOSE, CLOSE_F_COUNTERS, "counters"},
	{REC_CLOSE, CLOSE_F_STILL_BOUND, "still_bound"},
	{REC_CLOSE, CLOSE_F_RELEASED, "released"},
	{REC_SOCKET, SOCKET_F_COUNTERS, "counters"},
	{REC_SOCKET, SOCKET_F_ORPHAN, "orphan"},
	{REC_SOCKET, SOCKET_F_PORT_READ | SOCKET_F_EXCLUSIVE, "exclusive"},
	{REC_SOCKET, SOCKET_F_PORT_READ | SOCKET_F_EXCLUSIVE | SOCKET_F_CHOSEN, "chosen"},
	{REC_PROCESS, PROCESS_F_PATH_CUT, "path_cut"},
	{REC_PROCESS, PROCESS_F_ARGS_CUT, "args_cut"},
};

static uint64_t parse_value(enum value_type type, char *value)
{
	switch (type) {
	case NUMBER:
		return parse_number(value);
	case DURATION:
		return parse_duration(value);
	case ERROR:
		return (uint64_t)(int64_t)parse_error(value);
	case SOURCE:
		return parse_name(value, source_names);
	case PROBE:
		return parse_name(value, probe_names);
	case STATE:
		return parse_name(value, state_names);
	case REASON:
		return parse_name(value, reason_names);
	case DIRECTION:
		return parse_name(value, direction_names);
	case SCOPE:
		return parse_name(value, scope_names);
	case OPTIONS:
		return parse_options(value);
	}
	return 0;
}

/* Little endian only, like the machines that these tests run on. */
static bool set_member(union any_record *record, bool is_fact, const char *key, char *value)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const struct member *member = &members[i];
		uint64_t number;

		if (strcmp(member->key, key) ||
		    (member->kind ? member->kind != record->header.kind : !is_fact))
			continue;
		number = parse_value(member->type, value);
		memcpy(record->bytes + member->offset, &number, member->size);
		return true;
	}
	return false;
}

static bool set_flag(union any_record *record, const char *key)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(flags[i].key, key) || (flags[i].kind && flags[i].kind != record->header.kind))
			continue;
		record->header.flags |= flags[i].bit;
		return true;
	}
	return false;
}

/* --- keys that do more ------------------------------------------------------------------------------------
 */

static bool set_task(struct rec_header *header, struct rec_task *task, const char *key, char *value)
{
	if (!strcmp(key, "pid")) {
		task->pid = (uint32_t)parse_number(value);
		task->start_ns = START_OF(task->pid);
		header->flags |= REC_F_TASK;
	} else if (!strcmp(key, "tid")) {
		task->tid = (uint32_t)parse_number(value);
		header->flags |= REC_F_TID;
	} else if (!strcmp(key, "uid")) {
		task->uid = (uint32_t)parse_number(value);
	} else if (!strcmp(key, "cgroup")) {
		task->cgroup_id = parse_number(value);
	} else if (!strcmp(key, "comm")) {
		if (unescape(value) >= sizeof(task->comm))
			give_up("comm '%s' is too long", value);
		memcpy(task->comm, value, strlen(value));
	} else {
		return false;
	}
	return true;
}

static bool set_socket(struct rec_fact *fact, const char *key, char *value)
{
	struct rec_socket *socket = &fact->socket;

	if (!strcmp(key, "local"))
		socket->local_port = parse_endpoint(socket, socket->local_addr, value);
	else if (!strcmp(key, "peer"))
		socket->peer_port = parse_endpoint(socket, socket->peer_addr, value);
	else if (!strcmp(key, "proto"))
		socket->protocol = !strcmp(value, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	else
		return false;
	fact->header.flags |= REC_F_SOCKET;
	return true;
}

static bool set_process(struct rec_process *process, const char *key, char *value)
{
	size_t length;

	if (strcmp(key, "path") && strcmp(key, "args"))
		return false;
	length = unescape(value);
	if (length > REC_ARGS_MAX)
		give_up("%s is too long", key);
	if (!strcmp(key, "path")) {
		memcpy(process->path, value, length);
		process->path_length = (uint16_t)length;
		process->header.flags |= PROCESS_F_TEXT_PATH;
	} else {
		memcpy(process->args, value, length);
		process->args_length = (uint16_t)length;
	}
	return true;
}

/* by=RULE,OVERLAP,STATE,COOKIE,LOCAL[,PEER[,SECONDS]]: one in the way; more=N: and so many that are left out.
 */
static bool set_conflict(struct rec_conflicts *record, const char *key, char *value)
{
	static const char *const rules[] = {"listener", "bound",	  "connection", "time-wait",
					    "udp",	"reuseport-user", NULL};
	static const char *const overlaps[] = {
		"none", "same", "their-wildcard", "their-dual", "our-wildcard", "our-dual", NULL};
	struct rec_conflict *to = &record->conflicts[record->n];
	struct rec_socket ends = {.family = 0};
	char *word[7] = {NULL};

	if (!strcmp(key, "more")) {
		record->total = record->n + (uint32_t)parse_number(value);
		return true;
	}
	if (strcmp(key, "by"))
		return false;
	for (size_t i = 0; i < 7 && value; i++)
		word[i] = strsep(&value, ",");
	to->rule = (uint8_t)parse_name(word[0], rules);
	to->overlap = (uint8_t)parse_name(word[1], overlaps);
	to->state = (uint8_t)parse_name(word[2], state_names);
	to->cookie = parse_number(word[3]);
	parse_endpoint(&ends, to->local_addr, word[4]);
	if (word[5])
		to->peer_port = parse_endpoint(&ends, to->peer_addr, word[5]);
	to->left_s = word[6] ? (uint32_t)parse_number(word[6]) : 0;
	to->family = ends.family;
	record->total = ++record->n;
	record->fact.header.size = CONFLICTS_SIZE(record->n);
	return true;
}

static bool set_special(union any_record *record, bool is_fact, const char *key, char *value)
{
	if (record->header.kind == REC_BIND && !strcmp(key, "requested")) {
		((struct rec_bind *)record)->requested_port = (uint16_t)parse_number(value);
		record->header.flags |= BIND_F_REQUESTED;
		return true;
	}
	if (record->header.kind == REC_PROCESS && set_process(&record->process, key, value))
		return true;
	if (record->header.kind == REC_FORK && !strcmp(key, "child")) {
		record->lifecycle.child_pid = (uint32_t)parse_number(value);
		record->lifecycle.child_start_ns = START_OF(record->lifecycle.child_pid);
		return true;
	}
	if (record->header.kind == REC_CONFLICTS && set_conflict(&record->conflicts, key, value))
		return true;
	if (record->header.kind == REC_HOLDER && !strcmp(key, "proto")) {
		record->holder.protocol = !strcmp(value, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
		return true;
	}
	return is_fact && set_socket(&record->fact, key, value);
}

/* fact=probe of `ready`, stage=count and kind=emitted/dropped of `summary`. */
static bool set_listed(union any_record *record, const char *key, char *value)
{
	struct rec_ready *ready = (void *)record;
	struct rec_summary *summary = (void *)record;
	char *slash = strchr(value, '/');

	for (unsigned i = 0; record->header.kind == REC_READY && i < FACT_COUNT; i++) {
		if (strcmp(record_fact_name(i), key))
			continue;
		ready->probes[i] = (uint8_t)parse_name(value, probe_names);
		return true;
	}
	for (unsigned i = 0; record->header.kind == REC_SUMMARY && i < LOSS_STAGE_COUNT; i++) {
		if (strcmp(record_stage_name(i), key))
			continue;
		summary->lost[i] = parse_number(value);
		return true;
	}
	for (unsigned i = 1; record->header.kind == REC_SUMMARY && slash && i < SUMMARY_KINDS; i++) {
		if (strcmp(record_kind_name(i), key))
			continue;
		*slash = '\0';
		summary->emitted[i] = parse_number(value);
		summary->dropped[i] = parse_number(slash + 1);
		return true;
	}
	return false;
}

/* --- records ----------------------------------------------------------------------------------------------
 */

static const uint16_t record_sizes[REC_KIND_COUNT] = {
	[REC_PROCESS] = sizeof(struct rec_process),   [REC_FORK] = sizeof(struct rec_lifecycle),
	[REC_EXIT] = sizeof(struct rec_lifecycle),    [REC_BIND] = sizeof(struct rec_bind),
	[REC_LISTEN] = sizeof(struct rec_listen),     [REC_ATTEMPT] = sizeof(struct rec_connect),
	[REC_CONNECT] = sizeof(struct rec_connect),   [REC_AUTOBIND] = sizeof(struct rec_autobind),
	[REC_ACCEPT] = sizeof(struct rec_accept),     [REC_CLOSE] = sizeof(struct rec_close),
	[REC_REFUSE] = sizeof(struct rec_refuse),     [REC_OVERFLOW] = sizeof(struct rec_overflow),
	[REC_SOCKET] = sizeof(struct rec_socket_row), [REC_HOLDER] = sizeof(struct rec_holder),
	[REC_READY] = sizeof(struct rec_ready),	      [REC_LOST] = sizeof(struct rec_lost),
	[REC_RESYNC] = sizeof(struct rec_resync),     [REC_SUMMARY] = sizeof(struct rec_summary),
	[REC_CONFLICTS] = CONFLICTS_SIZE(0),
};

static uint8_t kind_of(const char *name)
{
	for (uint8_t kind = 1; kind < REC_KIND_COUNT; kind++)
		if (!strcmp(record_kind_name(kind), name))
			return kind;
	give_up("'%s' is no kind of record", name);
}

static void set_key(union any_record *record, bool is_fact, char *word)
{
	char *value = strchr(word, '=');
	bool has_task = is_fact || record->header.kind == REC_PROCESS || record->header.kind == REC_HOLDER ||
			record->header.kind == REC_EXIT || record->header.kind == REC_FORK;

	if (!value) {
		if (!set_flag(record, word))
			give_up("'%s' is no flag of it", word);
		return;
	}
	*value++ = '\0';
	if (set_special(record, is_fact, word, value) ||
	    (has_task && set_task(&record->header, &record->fact.task, word, value)) ||
	    set_member(record, is_fact, word, value) || set_listed(record, word, value))
		return;
	give_up("'%s' is no key of it", word);
}

/* meta TYPE KEY [TEXT] */
static void read_meta(union any_record *record, const struct words *words)
{
	static const char *const types[] = {"none",	  "clock",    "version",  "host",   "netns",
					    "range",	  "user",     "service",  "cgroup", "follow",
					    "netns_name", "reserved", "tw_reuse", NULL};
	size_t length;

	if (words->n < 3)
		give_up("meta needs a type and a key");
	record->meta.type = (uint16_t)parse_name(words->word[1], types);
	record->meta.key = parse_number(words->word[2]);
	length = words->n > 3 ? unescape(words->word[3]) : 0;
	if (length)
		memcpy(record->meta.text, words->word[3], length);
	record->meta.length = (uint16_t)length;
	record->header.size = (uint16_t)((sizeof(record->meta) + length + 8) & ~7ul);
}

static void read_record(union any_record *record, const struct words *words, uint64_t time_ns)
{
	bool is_fact;

	memset(record, 0, sizeof(*record));
	record->header.kind = kind_of(words->word[0]);
	record->header.size = record_sizes[record->header.kind];
	record->header.time_ns = time_ns;
	if (record->header.kind == REC_META) {
		read_meta(record, words);
		return;
	}
	is_fact = (record->header.kind >= REC_BIND && record->header.kind <= REC_SOCKET) ||
		  record->header.kind == REC_CONFLICTS;
	if (is_fact) {
		record->fact.socket.protocol = IPPROTO_TCP;
		record->fact.socket.netns = NETNS_DEFAULT;
	} else if (record->header.kind == REC_HOLDER) {
		record->holder.protocol = IPPROTO_TCP;
	}
	for (size_t i = 1; i < words->n; i++)
		set_key(record, is_fact, words->word[i]);
	if (is_fact && record->fact.socket.creator_pid && !record->fact.socket.creator_start_ns)
		record->fact.socket.creator_start_ns = START_OF(record->fact.socket.creator_pid);
}

#endif
