/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/history.h"

#include "core/table.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* Of a port: its network namespace, and protocol and number; of a process: its start, and its pid. */
struct history_key {
	uint64_t a;
	uint32_t b;
	uint32_t of; /* enum history_of */
};

struct history_row {
	struct history_key key;
	uint64_t end; /* number of the next event */
	struct history_event events[HISTORY_EVENTS];
};

/* Apart, so that many short processes leave ports alone. */
struct history {
	struct table *ports, *processes;
};

static bool row_equal(const void *row, const void *key)
{
	return !memcmp(&((const struct history_row *)row)->key, key, sizeof(struct history_key));
}

struct history *history_new(size_t limit)
{
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		return NULL;
	history->ports = table_new(sizeof(struct history_row), limit, row_equal);
	history->processes = table_new(sizeof(struct history_row), limit, row_equal);
	if (history->ports && history->processes)
		return history;
	history_free(history);
	return NULL;
}

void history_free(struct history *history)
{
	if (!history)
		return;
	if (history->ports)
		table_free(history->ports);
	if (history->processes)
		table_free(history->processes);
	free(history);
}

static uint64_t hash_of(const struct history_key *key)
{
	return table_hash(key->a, (uint64_t)key->b << 2 | key->of);
}

static struct history_key key_of_port(enum history_of of, const struct rec_socket *place)
{
	return (struct history_key){
		.a = place->netns, .b = (uint32_t)place->protocol << 16 | place->local_port, .of = of};
}

static struct history_key key_of_process(uint32_t pid, uint64_t start_ns)
{
	return (struct history_key){.a = start_ns, .b = pid, .of = HISTORY_OF_PROCESS};
}

/* --- taking -----------------------------------------------------------------------------------------------
 */

static struct table *table_of(const struct history *history, const struct history_key *key)
{
	return key->of == HISTORY_OF_PROCESS ? history->processes : history->ports;
}

static struct history_row *find(const struct history *history, const struct history_key *key)
{
	return table_find(table_of(history, key), hash_of(key), key);
}

/* NULL when there is no memory: then it is not remembered. */
static struct history_row *see(struct history *history, const struct history_key *key)
{
	struct table *table = table_of(history, key);
	struct history_row *row = find(history, key);

	if (row) {
		table_touch(table, row);
		return row;
	}
	if (table_is_full(table))
		table_remove(table, table_oldest(table));
	row = table_add(table, hash_of(key));
	if (row)
		row->key = *key;
	return row;
}

/* Binds that fail in the same way, by the same process. */
static bool is_the_same(const struct history_event *event, const struct rec_header *header)
{
	const struct rec_bind *last = (const void *)event->bytes, *bind = (const void *)header;

	return header->kind == REC_BIND && last->fact.header.kind == REC_BIND && bind->error &&
	       last->error == bind->error && last->fact.task.pid == bind->fact.task.pid &&
	       last->fact.task.start_ns == bind->fact.task.start_ns &&
	       !memcmp(last->fact.socket.local_addr, bind->fact.socket.local_addr,
		       sizeof(bind->fact.socket.local_addr));
}

static void put(struct history_row *row, const struct rec_header *header)
{
	struct history_event *event;

	if (!row || header->size > BACKLOG_RECORD_MAX)
		return;
	event = &row->events[(row->end + HISTORY_EVENTS - 1) % HISTORY_EVENTS];
	if (row->end && is_the_same(event, header)) {
		event->times++;
	} else {
		event = &row->events[row->end++ % HISTORY_EVENTS];
		event->times = 1;
	}
	memcpy(event->bytes, header, header->size);
}

/* Of a port that the kernel chose, only if it is known for something else. */
static bool was_chosen(const struct model *model, const struct change *change)
{
	const struct rec_header *header = change->record.header;
	const struct rec_socket *socket = change->record.socket;
	uint16_t low, high;

	switch (header->kind) {
	case REC_BIND:
		return ((const struct rec_bind *)header)->requested_port;
	case REC_LISTEN:
	case REC_ACCEPT:
	case REC_OVERFLOW:
		return true;
	case REC_CLOSE:
		if (socket->state == TCP_LISTEN || (change->socket && change->socket->chosen))
			return true;
		break;
	default:
		break;
	}
	model_ephemeral_ports(model, socket->netns, &low, &high);
	return socket->local_port < low || socket->local_port > high;
}

bool history_is_of_port(const struct change *change)
{
	const struct rec_socket *socket = change->record.socket;

	switch (change->record.header->kind) {
	case REC_BIND:
	case REC_LISTEN:
	case REC_AUTOBIND:
		return true;
	case REC_CLOSE:
		return !socket->peer_port;
	default:
		return false;
	}
}

/* A connection that goes out has a port, too, but nobody comes in through that. */
static bool is_traffic(const struct change *change)
{
	const struct rec_header *header = change->record.header;

	switch (header->kind) {
	case REC_ACCEPT:
	case REC_REFUSE:
	case REC_OVERFLOW:
		return true;
	case REC_CLOSE:
		return ((const struct rec_close *)header)->direction == DIRECTION_IN ||
		       (change->socket && change->socket->direction == DIRECTION_IN);
	default:
		return false;
	}
}

void history_take(struct history *history, const struct model *model, const struct change *change)
{
	const struct rec_header *header = change->record.header;
	const struct rec_socket *socket = change->record.socket;
	const struct rec_task *task = change->record.task;
	struct history_key key;

	if (!record_is_public(header->kind) || !socket)
		return;
	if (socket->local_port && (history_is_of_port(change) || is_traffic(change))) {
		key = key_of_port(history_is_of_port(change) ? HISTORY_OF_PORT : HISTORY_OF_TRAFFIC, socket);
		if (was_chosen(model, change) || find(history, &key))
			put(see(history, &key), header);
	}
	if (!task || !task->pid)
		return;
	key = key_of_process(task->pid, task->start_ns);
	put(see(history, &key), header);
}

/* --- looking ----------------------------------------------------------------------------------------------
 */

static size_t list(const struct history *history, const struct history_key *key,
		   const struct history_event *ret_events[HISTORY_EVENTS])
{
	const struct history_row *row = find(history, key);
	size_t n = 0;

	if (!row)
		return 0;
	for (uint64_t i = row->end > HISTORY_EVENTS ? row->end - HISTORY_EVENTS : 0; i < row->end; i++)
		ret_events[n++] = &row->events[i % HISTORY_EVENTS];
	return n;
}

size_t history_of_port(const struct history *history, enum history_of of, const struct rec_socket *place,
		       const struct history_event *ret_events[HISTORY_EVENTS])
{
	const struct history_key key = key_of_port(of, place);

	return list(history, &key, ret_events);
}

size_t history_of_process(const struct history *history, uint32_t pid, uint64_t start_ns,
			  const struct history_event *ret_events[HISTORY_EVENTS])
{
	const struct history_key key = key_of_process(pid, start_ns);

	return list(history, &key, ret_events);
}
