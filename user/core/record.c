/* SPDX-License-Identifier: GPL-2.0-only */
/* Checking a record once, so that nobody behind has to. */
#include "core/record.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a kind's record is made of. */
struct layout {
	uint16_t size;
	bool fact; /* begins with struct rec_fact */
	bool task; /* struct rec_task follows the header */
};

static const struct layout layouts[REC_KIND_COUNT] = {
	[REC_PROCESS] = {sizeof(struct rec_process), false, true},
	[REC_FORK] = {sizeof(struct rec_lifecycle), false, true},
	[REC_EXIT] = {sizeof(struct rec_lifecycle), false, true},
	[REC_BIND] = {sizeof(struct rec_bind), true, true},
	[REC_LISTEN] = {sizeof(struct rec_listen), true, true},
	[REC_ATTEMPT] = {sizeof(struct rec_connect), true, true},
	[REC_CONNECT] = {sizeof(struct rec_connect), true, true},
	[REC_AUTOBIND] = {sizeof(struct rec_autobind), true, true},
	[REC_ACCEPT] = {sizeof(struct rec_accept), true, true},
	[REC_CLOSE] = {sizeof(struct rec_close), true, true},
	[REC_REFUSE] = {sizeof(struct rec_refuse), true, true},
	[REC_OVERFLOW] = {sizeof(struct rec_overflow), true, true},
	[REC_SOCKET] = {sizeof(struct rec_socket_row), true, true},
	[REC_HOLDER] = {sizeof(struct rec_holder), false, true},
	[REC_META] = {sizeof(struct rec_meta), false, false}, /* and its text */
	[REC_READY] = {sizeof(struct rec_ready), false, false},
	[REC_LOST] = {sizeof(struct rec_lost), false, false},
	[REC_RESYNC] = {sizeof(struct rec_resync), false, false},
	[REC_SUMMARY] = {sizeof(struct rec_summary), false, false},
	[REC_EXEC] = {sizeof(struct rec_lifecycle), false, true},
	[REC_WALK] = {sizeof(struct rec_walk), false, false},
	[REC_PAST] = {sizeof(struct rec_past), true, true},
	[REC_ASK] = {sizeof(struct rec_ask), false, false},
	[REC_DESTINATION] = {sizeof(struct rec_destination), false, false},
	[REC_CONFLICTS] = {CONFLICTS_SIZE(0), true, true}, /* and those in the way */
};

/* A fact may be nobody's; what is about a process says which. */
static bool task_is_plausible(const struct rec_header *header, const struct layout *layout)
{
	const struct rec_task *task = (const void *)(header + 1);

	if (!(header->flags & REC_F_TASK))
		return layout->fact;
	return memchr(task->comm, '\0', sizeof(task->comm));
}

static bool socket_is_plausible(const struct rec_socket *socket)
{
	return socket->family == AF_INET || socket->family == AF_INET6;
}

/* Components end with a NUL each. */
static bool path_is_plausible(const struct rec_process *process)
{
	if (process->path_length > sizeof(process->path))
		return false;
	return !process->path_length || process->header.flags & PROCESS_F_TEXT_PATH ||
	       process->path[process->path_length - 1] == '\0';
}

static bool conflicts_are_plausible(const struct rec_conflicts *record)
{
	if (record->n > CONFLICTS_MAX || record->n > record->total ||
	    record->fact.header.size != CONFLICTS_SIZE(record->n))
		return false;
	for (unsigned i = 0; i < record->n; i++) {
		const struct rec_conflict *conflict = &record->conflicts[i];

		if (conflict->rule >= RULE_COUNT || conflict->overlap >= OVERLAP_COUNT ||
		    (conflict->family != AF_INET && conflict->family != AF_INET6))
			return false;
	}
	return true;
}

static bool has_variable_size(unsigned kind)
{
	return kind == REC_META || kind == REC_CONFLICTS;
}

/* What is particular to a kind. */
static bool body_is_plausible(const struct rec_header *header)
{
	const struct rec_process *process = (const void *)header;
	const struct rec_meta *meta = (const void *)header;
	const struct rec_close *close = (const void *)header;
	const struct rec_ready *ready = (const void *)header;
	const struct rec_lost *lost = (const void *)header;
	const struct rec_walk *walk = (const void *)header;
	const struct rec_holder *holder = (const void *)header;
	const struct rec_socket_row *row = (const void *)header;

	switch (header->kind) {
	case REC_PROCESS:
		return path_is_plausible(process) && process->args_length <= sizeof(process->args);
	case REC_META:
		return meta->type > META_NONE && meta->type < META_TYPE_COUNT &&
		       sizeof(*meta) + meta->length < header->size && meta->text[meta->length] == '\0';
	case REC_CLOSE:
		return close->reason < CLOSE_REASON_COUNT && close->direction <= DIRECTION_OUT;
	case REC_READY:
		for (size_t i = 0; i < FACT_COUNT; i++)
			if (ready->probes[i] >= PROBE_COUNT)
				return false;
		return ready->scope <= SCOPE_CONTAINER;
	case REC_LOST:
		return lost->stage < LOSS_STAGE_COUNT;
	case REC_WALK:
		return walk->part < WALK_PART_COUNT;
	case REC_HOLDER:
		return holder->cause <= HOLDER_CAUSE_COUNT;
	case REC_SOCKET:
		return row->direction <= DIRECTION_OUT;
	case REC_CONFLICTS:
		return conflicts_are_plausible((const void *)header);
	default:
		return true;
	}
}

int record_decode(const void *data, size_t size, struct record *ret_record)
{
	const struct rec_header *header = data;
	struct record record = {.header = header};
	const struct layout *layout;

	if (size < sizeof(*header) || header->size != size || size % 8 || size > REC_SIZE_MAX)
		return -EBADMSG;
	if (header->kind == REC_NONE || header->kind >= REC_KIND_COUNT || header->source >= SOURCE_COUNT ||
	    header->probe >= PROBE_COUNT)
		return -EBADMSG;
	layout = &layouts[header->kind];
	if (has_variable_size(header->kind) ? size < layout->size : size != layout->size)
		return -EBADMSG;
	if (layout->task && !task_is_plausible(header, layout))
		return -EBADMSG;
	if (layout->task && header->flags & REC_F_TASK)
		record.task = (const void *)(header + 1);
	if (layout->fact) {
		record.fact = data;
		if (header->flags & REC_F_SOCKET) {
			record.socket = &record.fact->socket;
			if (!socket_is_plausible(record.socket))
				return -EBADMSG;
		}
	}
	if (!body_is_plausible(header))
		return -EBADMSG;
	*ret_record = record;
	return 0;
}

bool record_is_public(enum rec_kind kind)
{
	switch (kind) {
	case REC_PROCESS:
	case REC_FORK:
	case REC_EXIT:
	case REC_SOCKET:
	case REC_HOLDER:
	case REC_META:
	case REC_EXEC:
	case REC_WALK:
	case REC_PAST:
	case REC_ASK:
	case REC_DESTINATION:
		return false;
	default:
		return kind > REC_NONE && kind < REC_KIND_COUNT;
	}
}

static const char *name_at(const char *const names[], size_t count, unsigned value)
{
	return value < count && names[value] ? names[value] : "unknown";
}

#define X(name, text)		      text,
#define X3(name, text, advice)	      text,
#define X3_ADVICE(name, text, advice) advice,

const char *record_kind_name(unsigned kind)
{
	static const char *const names[] = {NULL, REC_KIND_LIST(X)};

	return name_at(names, COUNT(names), kind);
}

const char *record_source_name(unsigned source)
{
	static const char *const names[] = {"event", "snapshot", "resync", "poll"};

	return name_at(names, COUNT(names), source);
}

const char *record_probe_name(unsigned probe)
{
	static const char *const names[] = {"none",   "tracepoint", "cgroup", "fentry",
					    "kprobe", "iterator",   "proc"};

	return name_at(names, COUNT(names), probe);
}

const char *record_fact_name(unsigned fact)
{
	static const char *const names[] = {FACT_LIST(X)};

	return name_at(names, COUNT(names), fact);
}

const char *record_stage_name(unsigned stage)
{
	static const char *const names[] = {LOSS_STAGE_LIST(X3)};

	return name_at(names, COUNT(names), stage);
}

const char *record_stage_advice(unsigned stage)
{
	static const char *const names[] = {LOSS_STAGE_LIST(X3_ADVICE)};

	return name_at(names, COUNT(names), stage);
}

const char *record_reason_name(unsigned reason)
{
	static const char *const names[] = {NULL, "local", "peer", "reset", "timeout"};

	return reason < COUNT(names) ? names[reason] : NULL;
}

const char *record_state_name(unsigned state)
{
	/* The kernel's numbers: include/net/tcp_states.h. */
	static const char *const names[] = {
		NULL,	 "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",   "time_wait",
		"close", "close_wait",	"last_ack", "listen",	"closing",   "new_syn_recv"};

	return name_at(names, COUNT(names), state);
}

const char *record_transport_name(unsigned protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_MPTCP:
		return "mptcp";
	default:
		return NULL;
	}
}
