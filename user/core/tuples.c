/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/tuples.h"

#include "core/endpoint.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_LEAST 64u

struct tuples {
	const struct table *rows;
	uint32_t *buckets; /* row number + 1; 0 ends a chain, so that a zeroed row is in none */
	size_t n_buckets;  /* a power of two */
	size_t count;
	bool begun; /* all rows are in it */
};

struct tuples *tuples_new(const struct table *rows)
{
	struct tuples *tuples = calloc(1, sizeof(*tuples));

	if (!tuples)
		return NULL;
	tuples->rows = rows;
	tuples->n_buckets = BUCKETS_LEAST;
	tuples->buckets = calloc(tuples->n_buckets, sizeof(*tuples->buckets));
	if (!tuples->buckets) {
		free(tuples);
		return NULL;
	}
	return tuples;
}

void tuples_free(struct tuples *tuples)
{
	if (!tuples)
		return;
	free(tuples->buckets);
	free(tuples);
}

/* A family's addresses in one form: an IPv6 socket that speaks IPv4 meets one of IPv4. */
static uint64_t hash_of(uint32_t netns, const struct endpoint *local, const struct endpoint *peer)
{
	uint64_t words[4];

	memcpy(words, local->addr, 16);
	memcpy(words + 2, peer->addr, 16);
	return table_hash(table_hash(words[0], words[1]) ^ netns,
			  table_hash(words[2], words[3]) ^ (uint64_t)local->port << 16 ^ peer->port);
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->family == b->family && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static uint32_t *bucket_of(const struct tuples *tuples, uint64_t hash)
{
	return &tuples->buckets[hash & (tuples->n_buckets - 1)];
}

static uint32_t *bucket_of_row(const struct tuples *tuples, const struct socket_row *row)
{
	struct endpoint local = endpoint_local(&row->socket), peer = endpoint_peer(&row->socket);

	return bucket_of(tuples, hash_of(row->socket.netns, &local, &peer));
}

static struct socket_row *row_at(const struct tuples *tuples, uint32_t link)
{
	return link ? table_at(tuples->rows, link - 1) : NULL;
}

static void put(struct tuples *tuples, struct socket_row *row)
{
	uint32_t *bucket = bucket_of_row(tuples, row);

	row->next_tuple = *bucket;
	*bucket = table_number(row) + 1;
}

/* Failing is no harm: the chains only get longer. */
static void grow(struct tuples *tuples)
{
	uint32_t *old = tuples->buckets;
	size_t n_old = tuples->n_buckets;
	uint32_t *buckets = calloc(2 * n_old, sizeof(*buckets));

	if (!buckets)
		return;
	tuples->buckets = buckets;
	tuples->n_buckets = 2 * n_old;
	for (size_t i = 0; i < n_old; i++) {
		struct socket_row *row = row_at(tuples, old[i]), *next;

		for (; row; row = next) {
			next = row_at(tuples, row->next_tuple);
			put(tuples, row);
		}
	}
	free(old);
}

static bool has_peer(const struct socket_row *row)
{
	return row->socket.peer_port && row->socket.local_port && row->socket.protocol == IPPROTO_TCP;
}

static int add(void *item, void *context)
{
	struct socket_row *row = item;
	struct tuples *tuples = context;

	if (!has_peer(row))
		return 0;
	if (tuples->count >= tuples->n_buckets)
		grow(tuples);
	put(tuples, row);
	tuples->count++;
	return 0;
}

void tuples_add(struct tuples *tuples, struct socket_row *row)
{
	if (tuples->begun)
		add(row, tuples);
}

void tuples_remove(struct tuples *tuples, struct socket_row *row)
{
	uint32_t wanted = table_number(row) + 1, *link;

	if (!tuples->begun || !has_peer(row))
		return;
	link = bucket_of_row(tuples, row);
	while (*link && *link != wanted)
		link = &row_at(tuples, *link)->next_tuple;
	if (!*link)
		return;
	*link = row->next_tuple;
	row->next_tuple = 0;
	tuples->count--;
}

static void begin(struct tuples *tuples)
{
	if (tuples->begun)
		return;
	tuples->begun = true;
	table_each(tuples->rows, add, tuples);
}

const struct socket_row *tuples_peer(struct tuples *tuples, const struct socket_row *row)
{
	struct endpoint local = endpoint_local(&row->socket), peer = endpoint_peer(&row->socket);
	uint32_t link;

	begin(tuples);
	link = *bucket_of(tuples, hash_of(row->socket.netns, &peer, &local));
	for (struct socket_row *other = row_at(tuples, link); other;
	     other = row_at(tuples, other->next_tuple)) {
		struct endpoint others_local = endpoint_local(&other->socket),
				others_peer = endpoint_peer(&other->socket);

		if (other->socket.netns == row->socket.netns && !other->remains &&
		    same_end(&others_local, &peer) && same_end(&others_peer, &local))
			return other;
	}
	return NULL;
}
