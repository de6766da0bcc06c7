/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/walk.h"

#include "core/table.h"

#include <stdlib.h>

#define ENDED_MAX   65536u
#define COVERED_MAX 4096u

struct ended {
	uint64_t cookie;
	uint16_t protocol;
};

struct walk {
	struct repairs counts;
	struct table *ended;
	uint64_t begin_ns, holders_begin_ns;
	uint32_t *covered; /* COVERED_MAX of them */
	uint32_t n_covered;
	uint32_t skipped;
	uint8_t mark; /* never 0, which is what a row has that no walk has seen */
	bool active, repairs, partial;
	bool forgot; /* more sockets ended than we remember: nothing may be added */
};

static bool ended_equal(const void *row, const void *key)
{
	const struct ended *ended = row, *wanted = key;

	return ended->cookie == wanted->cookie && ended->protocol == wanted->protocol;
}

struct walk *walk_new(void)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->ended = table_new(sizeof(struct ended), ENDED_MAX, ended_equal);
	walk->covered = calloc(COVERED_MAX, sizeof(*walk->covered));
	if (!walk->ended || !walk->covered) {
		walk_free(walk);
		return NULL;
	}
	return walk;
}

void walk_free(struct walk *walk)
{
	if (!walk)
		return;
	table_free(walk->ended);
	free(walk->covered);
	free(walk);
}

static void forget_ended(struct walk *walk)
{
	void *oldest;

	while ((oldest = table_oldest(walk->ended)))
		table_remove(walk->ended, oldest);
}

static void begin(struct walk *walk, const struct rec_walk *record)
{
	forget_ended(walk);
	walk->begin_ns = record->begin_ns;
	walk->holders_begin_ns = 0;
	walk->n_covered = 0;
	walk->skipped = 0;
	walk->active = true;
	walk->repairs = record->header.source == SOURCE_RESYNC;
	walk->partial = record->partial;
	walk->forgot = false;
	if (!++walk->mark)
		walk->mark = 1;
}

static void cover(struct walk *walk, uint32_t netns)
{
	if (walk->n_covered < COVERED_MAX)
		walk->covered[walk->n_covered++] = netns;
}

bool walk_covers(const struct walk *walk, uint32_t netns)
{
	for (uint32_t i = 0; i < walk->n_covered; i++)
		if (walk->covered[i] == netns)
			return true;
	return false;
}

bool walk_take(struct walk *walk, const struct rec_walk *record)
{
	bool whole;

	switch (record->part) {
	case WALK_BEGIN:
		begin(walk, record);
		return false;
	case WALK_COVERED:
		cover(walk, record->netns);
		return false;
	case WALK_SKIPPED:
		walk->skipped++;
		return false;
	case WALK_HOLDERS:
		walk->holders_begin_ns = record->begin_ns;
		return false;
	default:
		break;
	}
	whole = walk->active && !walk->partial;
	walk->active = false;
	if (walk->partial)
		return false;
	walk->counts.netns_skipped = walk->skipped;
	walk->counts.incomplete = walk->forgot || !walk->holders_begin_ns;
	walk->counts.in_doubt = 0;
	if (walk->holders_begin_ns)
		walk->counts.holders_as_of_ns = walk->holders_begin_ns;
	return whole;
}

bool walk_is_active(const struct walk *walk)
{
	return walk->active;
}

void walk_socket_ended(struct walk *walk, const struct rec_socket *socket)
{
	struct ended *ended;

	if (!walk->active || !socket->cookie)
		return;
	ended = table_add(walk->ended, table_hash(socket->cookie, socket->protocol));
	if (ended)
		*ended = (struct ended){.cookie = socket->cookie, .protocol = socket->protocol};
	else
		walk->forgot = true;
}

/* What a connection leaves in TIME_WAIT has its cookie, and comes when it has ended. */
bool walk_may_add(struct walk *walk, const struct rec_socket *socket, bool remains)
{
	const struct ended key = {.cookie = socket->cookie, .protocol = socket->protocol};

	if (!walk->active || remains)
		return true;
	return !walk->forgot && !table_find(walk->ended, table_hash(socket->cookie, socket->protocol), &key);
}

void walk_saw_socket(const struct walk *walk, struct socket_row *row)
{
	row->mark = walk->mark;
	row->absent = false;
}

bool walk_just_saw(const struct walk *walk, const struct socket_row *row)
{
	return row->mark == walk->mark;
}

bool walk_saw_holder(const struct walk *walk, struct holder *holder)
{
	bool first = holder->mark != walk->mark;

	holder->mark = walk->mark;
	return first;
}

/* Remains end without an event: there is nothing to doubt. */
enum verdict walk_judge_socket(const struct walk *walk, const struct socket_row *row)
{
	if (row->mark == walk->mark || !walk->holders_begin_ns || row->touched_ns >= walk->begin_ns ||
	    !walk_covers(walk, row->socket.netns))
		return VERDICT_THERE;
	return row->absent || row->remains ? VERDICT_GONE : VERDICT_DOUBT;
}

bool walk_misses_holder(const struct walk *walk, const struct holder *holder)
{
	return holder->mark != walk->mark && walk->holders_begin_ns &&
	       holder->since_ns < walk->holders_begin_ns;
}

bool walk_repairs(const struct walk *walk)
{
	return walk->repairs;
}

uint64_t walk_holders_as_of_ns(const struct walk *walk)
{
	return walk->counts.holders_as_of_ns;
}

struct repairs *walk_counts(struct walk *walk)
{
	return &walk->counts;
}
