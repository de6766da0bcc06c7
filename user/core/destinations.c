/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/destinations.h"

#include "core/table.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS	  UINT64_C(1000000000)
#define RATE_SECONDS	  10u
#define TIME_WAIT_SECONDS 60u /* TCP_TIMEWAIT_LEN of include/net/tcp.h */
#define HORIZON_SECONDS	  3600u

_Static_assert(DESTINATION_SECONDS > TIME_WAIT_SECONDS + 1, "TIME_WAIT outlives what is remembered");

struct destinations {
	struct table *rows;
};

static bool use_equal(const void *row, const void *key)
{
	return !memcmp(&((const struct destination_use *)row)->key, key, sizeof(struct destination_key));
}

struct destinations *destinations_new(size_t max)
{
	struct destinations *destinations = calloc(1, sizeof(*destinations));

	if (!destinations)
		return NULL;
	destinations->rows = table_new(sizeof(struct destination_use), max, use_equal);
	if (destinations->rows)
		return destinations;
	free(destinations);
	return NULL;
}

void destinations_free(struct destinations *destinations)
{
	if (!destinations)
		return;
	table_free(destinations->rows);
	free(destinations);
}

/* --- rows -------------------------------------------------------------------------------------------------
 */

static struct destination_key key_of(const struct rec_socket *socket)
{
	struct destination_key key;

	memset(&key, 0, sizeof(key));
	key.netns = socket->netns;
	key.peer_port = socket->peer_port;
	key.family = socket->family;
	memcpy(key.local_addr, socket->local_addr, sizeof(key.local_addr));
	memcpy(key.peer_addr, socket->peer_addr, sizeof(key.peer_addr));
	return key;
}

static uint64_t hash_of(const struct destination_key *key)
{
	uint64_t words[sizeof(*key) / 8], hash = 0;

	_Static_assert(sizeof(*key) % 8 == 0, "a part of the key is not hashed");
	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		hash = table_hash(words[i], hash);
	return hash;
}

static struct destination_use *see(struct destinations *destinations, const struct rec_socket *socket,
				   uint64_t time_ns)
{
	struct destination_key key = key_of(socket);
	uint64_t hash = hash_of(&key);
	struct destination_use *use = table_find(destinations->rows, hash, &key);

	if (use) {
		table_touch(destinations->rows, use);
		return use;
	}
	if (table_is_full(destinations->rows))
		table_remove(destinations->rows, table_oldest(destinations->rows));
	use = table_add(destinations->rows, hash);
	if (!use)
		return NULL;
	use->key = key;
	use->since_ns = time_ns;
	use->second = time_ns / SECOND_NS;
	return use;
}

/* The place of this second; those that have passed since the last are emptied. A late event counts as new. */
static size_t place_of(struct destination_use *use, uint64_t time_ns)
{
	uint64_t second = time_ns / SECOND_NS;

	if (second > use->second + DESTINATION_SECONDS)
		use->second = second - DESTINATION_SECONDS;
	while (use->second < second) {
		size_t place = ++use->second % DESTINATION_SECONDS;

		use->assigned[place] = use->waiting[place] = use->left[place] = 0;
	}
	return use->second % DESTINATION_SECONDS;
}

void destinations_connected(struct destinations *destinations, const struct rec_socket *socket,
			    uint64_t time_ns)
{
	struct destination_use *use = see(destinations, socket, time_ns);

	if (use)
		use->assigned[place_of(use, time_ns)]++;
}

void destinations_closed(struct destinations *destinations, const struct rec_socket *socket, bool time_wait,
			 uint64_t time_ns)
{
	struct destination_use *use = see(destinations, socket, time_ns);
	size_t place;

	if (!use)
		return;
	place = place_of(use, time_ns);
	if (time_wait)
		use->waiting[place]++;
	else
		use->left[place]++;
}

void destinations_failed(struct destinations *destinations, const struct rec_socket *socket, uint64_t time_ns)
{
	struct destination_use *use = see(destinations, socket, time_ns);

	if (!use)
		return;
	use->failed++;
	use->failed_ns = time_ns;
}

void destinations_put(struct destinations *destinations, const struct rec_destination *record)
{
	struct rec_socket socket = {
		.netns = record->netns, .peer_port = record->peer_port, .family = (uint8_t)record->family};
	struct destination_use *use;

	memcpy(socket.local_addr, record->local_addr, sizeof(socket.local_addr));
	memcpy(socket.peer_addr, record->peer_addr, sizeof(socket.peer_addr));
	use = see(destinations, &socket, record->since_ns);
	if (!use)
		return;
	use->since_ns = record->since_ns;
	use->failed = record->failed;
	use->failed_ns = record->failed_ns;
	use->second = record->second;
	memcpy(use->assigned, record->assigned, sizeof(use->assigned));
	memcpy(use->waiting, record->waiting, sizeof(use->waiting));
	memcpy(use->left, record->left, sizeof(use->left));
}

struct each {
	struct rec_header header;
	int (*callback)(void *context, const void *record, size_t size);
	void *context;
};

static int put_row(void *row, void *context)
{
	const struct destination_use *use = row;
	const struct each *each = context;
	struct rec_destination record = {
		.header = each->header,
		.since_ns = use->since_ns,
		.failed = use->failed,
		.failed_ns = use->failed_ns,
		.second = use->second,
		.netns = use->key.netns,
		.peer_port = use->key.peer_port,
		.family = use->key.family,
	};

	memcpy(record.local_addr, use->key.local_addr, sizeof(record.local_addr));
	memcpy(record.peer_addr, use->key.peer_addr, sizeof(record.peer_addr));
	memcpy(record.assigned, use->assigned, sizeof(record.assigned));
	memcpy(record.waiting, use->waiting, sizeof(record.waiting));
	memcpy(record.left, use->left, sizeof(record.left));
	return each->callback(each->context, &record, sizeof(record));
}

int destinations_each(const struct destinations *destinations, const struct rec_header *header,
		      int (*callback)(void *context, const void *record, size_t size), void *context)
{
	struct each each = {*header, callback, context};

	return table_each(destinations->rows, put_row, &each);
}

const struct destination_use *destinations_find(const struct destinations *destinations,
						const struct rec_socket *socket)
{
	struct destination_key key = key_of(socket);

	return table_find(destinations->rows, hash_of(&key), &key);
}

/* --- what they come to ------------------------------------------------------------------------------------
 */

/* In that second; of those that are not remembered any more, or not yet there, none. */
static uint32_t in_second(const struct destination_use *use, const uint32_t counts[], uint64_t second)
{
	if (second > use->second || use->second - second >= DESTINATION_SECONDS)
		return 0;
	return counts[second % DESTINATION_SECONDS];
}

static double rate_of(const struct destination_use *use, const uint32_t counts[], uint64_t now_ns)
{
	uint64_t now = now_ns / SECOND_NS, sum = 0;
	uint64_t begin_ns = now >= RATE_SECONDS ? (now - RATE_SECONDS + 1) * SECOND_NS : 0;
	double seconds;

	if (begin_ns < use->since_ns)
		begin_ns = use->since_ns;
	seconds = now_ns > begin_ns ? (double)(now_ns - begin_ns) / SECOND_NS : 0;
	for (uint64_t i = 0; i < RATE_SECONDS && i <= now; i++)
		sum += in_second(use, counts, now - i);
	return (double)sum / (seconds < 1 ? 1 : seconds);
}

unsigned destination_waiting(const struct destination_use *use, uint64_t now_ns)
{
	uint64_t now = now_ns / SECOND_NS;
	unsigned sum = 0;

	for (uint64_t i = 0; i < TIME_WAIT_SECONDS && i <= now; i++)
		sum += in_second(use, use->waiting, now - i);
	return sum;
}

double destination_rate(const struct destination_use *use, uint64_t now_ns)
{
	return rate_of(use, use->assigned, now_ns);
}

bool destination_exhausted_in(const struct destination_use *use, uint64_t now_ns, unsigned available,
			      bool taken_over, unsigned *ret_seconds)
{
	double assigned = rate_of(use, use->assigned, now_ns), left = rate_of(use, use->left, now_ns);
	double waiting = rate_of(use, use->waiting, now_ns), free = available;
	uint64_t now = now_ns / SECOND_NS;

	if (assigned <= 0)
		return false;
	for (unsigned after = 0; after < HORIZON_SECONDS; after++) {
		if (free < 1) {
			*ret_seconds = after;
			return true;
		}
		free += left - assigned;
		if (taken_over || after >= TIME_WAIT_SECONDS)
			free += waiting;
		else if (now + after >= TIME_WAIT_SECONDS)
			free += in_second(use, use->waiting, now + after - TIME_WAIT_SECONDS);
	}
	return false;
}
