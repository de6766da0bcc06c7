/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/past.h"

#include "core/table.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* A socket is known by its cookie, and what it was at the time by its ports: it may connect again. A port
 * (cookie 0) is known by where it is. */
struct past_key {
	uint64_t cookie;
	uint32_t netns;
	uint16_t protocol;
	uint16_t port;
	uint8_t addr[16];
	uint32_t family;    /* of the socket; 0 with a cookie */
	uint32_t peer_port; /* 0 without a cookie */
};

struct past_row {
	struct past_key key;
	struct past_holder holder;
};

struct past {
	struct table *rows;
};

static bool past_equal(const void *row, const void *key)
{
	return memcmp(&((const struct past_row *)row)->key, key, sizeof(struct past_key)) == 0;
}

static struct past_key key_of_socket(const struct rec_socket *socket)
{
	return (struct past_key){.cookie = socket->cookie,
				 .protocol = socket->protocol,
				 .port = socket->local_port,
				 .peer_port = socket->peer_port};
}

static struct past_key key_of_port(const struct rec_socket *socket)
{
	struct past_key key = {
		.netns = socket->netns,
		.protocol = socket->protocol,
		.port = socket->local_port,
		.family = socket->family,
	};

	memcpy(key.addr, socket->local_addr, sizeof(key.addr));
	return key;
}

static uint64_t hash_of(const struct past_key *key)
{
	uint64_t words[2];

	memcpy(words, key->addr, sizeof(words));
	return table_hash(key->cookie ^ words[0], words[1] ^ ((uint64_t)key->netns << 32 |
							      (uint32_t)key->protocol << 16 | key->port));
}

struct past *past_new(size_t limit)
{
	struct past *past = calloc(1, sizeof(*past));

	if (!past)
		return NULL;
	past->rows = table_new(sizeof(struct past_row), limit, past_equal);
	if (!past->rows) {
		free(past);
		return NULL;
	}
	return past;
}

void past_free(struct past *past)
{
	if (!past)
		return;
	table_free(past->rows);
	free(past);
}

static void put(struct past *past, const struct past_key *key, const struct past_holder *holder)
{
	uint64_t hash = hash_of(key);
	struct past_row *row = table_find(past->rows, hash, key);

	if (row) {
		table_touch(past->rows, row);
	} else {
		if (table_is_full(past->rows))
			table_remove(past->rows, table_oldest(past->rows));
		row = table_add(past->rows, hash);
	}
	if (row)
		*row = (struct past_row){.key = *key, .holder = *holder};
}

static const struct past_holder *get(const struct past *past, const struct past_key *key)
{
	const struct past_row *row = table_find(past->rows, hash_of(key), key);

	return row ? &row->holder : NULL;
}

struct past_holder past_holder_of(const struct process *process, uint64_t until_ns)
{
	struct past_holder holder = {.start_ns = process->start_ns,
				     .until_ns = until_ns,
				     .pid = process->pid,
				     .uid = process->uid};

	memcpy(holder.comm, process->comm, sizeof(holder.comm));
	return holder;
}

void past_put_socket(struct past *past, const struct rec_socket *socket, const struct past_holder *holder)
{
	const struct past_key key = key_of_socket(socket);

	if (socket->cookie)
		put(past, &key, holder);
}

void past_put_port(struct past *past, const struct rec_socket *socket, const struct past_holder *holder)
{
	const struct past_key key = key_of_port(socket);

	if (socket->local_port)
		put(past, &key, holder);
}

const struct past_holder *past_of_socket(const struct past *past, const struct rec_socket *socket)
{
	const struct past_key key = key_of_socket(socket);

	return socket->cookie ? get(past, &key) : NULL;
}

const struct past_holder *past_of_port(const struct past *past, const struct rec_socket *socket)
{
	const struct past_key key = key_of_port(socket);

	return get(past, &key);
}

struct each {
	model_past_port_fn *callback;
	void *context;
};

static int each_row(void *item, void *context)
{
	const struct past_row *row = item;
	const struct each *each = context;
	struct rec_socket place = {.netns = row->key.netns,
				   .protocol = row->key.protocol,
				   .local_port = row->key.port,
				   .family = (uint8_t)row->key.family,
				   .state = TCP_CLOSE};

	if (row->key.cookie)
		return 0;
	memcpy(place.local_addr, row->key.addr, sizeof(place.local_addr));
	return each->callback(each->context, &place, &row->holder);
}

int past_each_port(const struct past *past, model_past_port_fn *callback, void *context)
{
	struct each each = {callback, context};

	return table_each(past->rows, each_row, &each);
}
