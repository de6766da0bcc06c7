/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as oracle: in random situations the core says what a bind would do, from what the kernel's
 * tables hold at that moment, and then it is done. Verdict and errno must be the same, every time.
 */
#include "core/bind_conflict.h"
#include "offer.h"
#include "scenarios.h"
#include "source/bind_table.h"
#include "system/bind_probe.h"
#include "system/bind_trial.h"
#include "why_world.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SITUATIONS     20000
#define SITUATIONS_MIN 2000
#define FIRST_PORT     600 /* below 1024 the privilege matters too */
#define LAST_PORT      59999

struct oracle {
	struct scene *scene;
	struct bind_table *table;
	struct world world;
	struct bind_habits habits;
	unsigned asked, refused, moved, unknown;
	unsigned by_rule[RULE_COUNT];
};

struct prediction {
	bool hidden; /* what decides here was kept from it */
	struct bind_inventory inventory;
	struct bind_verdict verdict;
};

static struct prediction predict(struct oracle *oracle, struct bind_wish *wish)
{
	struct bind_probe probe = {.family = wish->family,
				   .protocol = wish->protocol,
				   .device = wish->device,
				   .v6only = wish->v6only};
	struct prediction prediction = {0};
	int fd, error;

	memcpy(probe.addr, wish->addr, sizeof(probe.addr));
	error = bind_probe(&probe, &fd, &wish->address_error);
	if (!error) {
		error = bind_table_read(oracle->table, fd, wish, 0, &prediction.inventory);
		close(fd);
	}
	if (error)
		scene_fail(oracle->scene, "the tables could not be read: %s", strerror(-error));
	prediction.hidden = !world_random(&oracle->world, 20);
	if (!prediction.hidden)
		prediction.inventory.habits = oracle->habits;
	bind_conflict_judge(wish, &prediction.inventory, NULL, &prediction.verdict);
	if (prediction.verdict.unknown && !prediction.hidden)
		scene_fail(oracle->scene, "unknown, and nothing was hidden:%s", oracle->world.story);
	return prediction;
}

/* --- what is seen -----------------------------------------------------------------------------------------
 */

/* A timer may end something, and a packet arrive, between the look and the act. */
static bool is_same(const struct bind_inventory *one, const struct bind_inventory *two)
{
	if (one->n_rows != two->n_rows)
		return false;
	for (size_t i = 0; i < one->n_rows; i++) {
		struct bind_row a = one->rows[i], b = two->rows[i];

		a.left_jiffies = b.left_jiffies = 0;
		if (memcmp(&a, &b, sizeof(a)))
			return false;
	}
	return true;
}

static void describe(struct oracle *oracle, const struct prediction *prediction)
{
	const struct bind_answer *answer = &prediction->inventory.answer;
	const struct bind_bucket *bucket = &answer->bucket;

	world_say(&oracle->world,
		  " | features %x bucket %d fastreuse %d fastreuseport %d uid %u family %u, chains %u %u %u",
		  answer->features, bucket->found, bucket->fastreuse, bucket->fastreuseport, bucket->fast_uid,
		  bucket->fast_family, answer->chain_length[1], answer->chain_length[2],
		  answer->chain_length[3]);
	for (size_t i = 0; i < prediction->inventory.n_rows; i++) {
		const struct bind_row *row = &prediction->inventory.rows[i];
		char text[ADDRESS_TEXT];
		union address local = {.any = {.sa_family = row->family}};

		memcpy(row->family == AF_INET ? (void *)&local.v4.sin_addr : (void *)&local.v6.sin6_addr,
		       row->local_addr, row->family == AF_INET ? 4 : 16);
		world_say(&oracle->world, " | %s v4 %08x state %u chain %u flags %x uid %u dev %u filed",
			  address_text(&local, text), row->local_v4, row->state, row->chain, row->flags,
			  row->uid, row->device);
		for (int j = 0; j < 16; j++)
			world_say(&oracle->world, "%s%02x", j % 4 ? "" : " ", row->filed_addr[j]);
	}
}

static void count(struct oracle *oracle, const struct bind_wish *wish, const struct prediction *prediction)
{
	size_t room = prediction->inventory.n_rows + 1;
	struct bind_conflict *conflicts = calloc(room, sizeof(*conflicts));
	struct bind_verdict verdict;

	oracle->asked++;
	oracle->refused += prediction->verdict.error != 0;
	if (!conflicts)
		scene_fail(oracle->scene, "out of memory");
	bind_conflict_judge(wish, &prediction->inventory, conflicts, &verdict);
	for (size_t i = 0; i < verdict.n_conflicts; i++)
		oracle->by_rule[conflicts[i].rule]++;
	if (verdict.error == EADDRINUSE && !verdict.n_conflicts)
		scene_fail(oracle->scene, "EADDRINUSE, and nobody in the way:%s", oracle->world.story);
	free(conflicts);
}

/* --- asking -----------------------------------------------------------------------------------------------
 */

static void compare(struct oracle *oracle, struct bind_wish *wish)
{
	struct prediction before = predict(oracle, wish);
	int error, fd = world_bind(&oracle->world, wish, &error);

	count(oracle, wish, &before);
	if (error) {
		close(fd);
	}
	if (before.verdict.unknown && (!error || error == EADDRINUSE)) {
		oracle->unknown++;
		if (!error)
			world_keep(&oracle->world, fd);
	} else if (error != before.verdict.error) {
		struct prediction after;

		if (!error)
			close(fd);
		after = predict(oracle, wish);
		if (is_same(&before.inventory, &after.inventory)) {
			describe(oracle, &before);
			scene_note(oracle->scene, "%s", oracle->world.story);
			scene_fail(oracle->scene, "%s was predicted, bind said %s",
				   errno_text(before.verdict.error), errno_text(error));
		}
		oracle->moved++;
		bind_table_release(&after.inventory);
	} else if (!error) {
		world_keep(&oracle->world, fd);
	}
	bind_table_release(&before.inventory);
}

static void situation(struct oracle *oracle, uint16_t port)
{
	struct world *world = &oracle->world;
	unsigned steps = 1 + world_random(world, world_random(world, 8) ? 6 : 40);

	world_next(world, port);
	for (unsigned i = 0; i < steps; i++) {
		struct bind_wish wish = world_wish(world);

		compare(oracle, &wish);
		for (unsigned acts = world_random(world, 4); acts; acts--)
			world_act(world);
	}
}

static uint64_t seed_of(void)
{
	const char *given = getenv("WHY_SEED");

	return given ? strtoull(given, NULL, 0) : scene_clock_ns();
}

static enum bind_habit habit_of(const struct scene *scene, int tried, const char *what)
{
	if (tried < 0)
		scene_fail(scene, "%s could not be tried: %s", what, strerror(-tried));
	scene_note(scene, "%s: %s", what, tried ? "yes" : "no");
	return tried ? HABIT_YES : HABIT_NO;
}

static struct bind_habits habits_of(const struct scene *scene)
{
	return (struct bind_habits){
		.udp_wildcards_by_address = habit_of(scene, bind_trial_udp_wildcards_by_address(),
						     "UDP wildcards are looked for by address"),
		.mapped_by_address =
			habit_of(scene, bind_trial_mapped_by_address(),
				 "mapped addresses are looked for by address, wildcards left out"),
	};
}

static void report(const struct oracle *oracle, unsigned situations)
{
	const unsigned *met = oracle->by_rule;

	scene_note(oracle->scene, "%u situations, %u binds predicted: %u refused, %u unknown, %u moved",
		   situations, oracle->asked, oracle->refused, oracle->unknown, oracle->moved);
	scene_note(oracle->scene,
		   "in the way: %u listeners, %u bound, %u connections, %u TIME_WAIT, %u UDP, %u of another "
		   "user",
		   met[RULE_LISTENER], met[RULE_BOUND], met[RULE_CONNECTION], met[RULE_TIME_WAIT],
		   met[RULE_UDP], met[RULE_REUSEPORT_USER]);
}

static unsigned situations_of(const struct scene *scene)
{
	unsigned scaled = scene_count(scene, SITUATIONS);

	return scaled < SITUATIONS_MIN ? SITUATIONS_MIN : scaled;
}

void why_oracle(struct scene *scene)
{
	struct oracle oracle = {.scene = scene};
	uint64_t seed = seed_of();
	struct fault fault = {0};
	unsigned situations = situations_of(scene);

	scene_need_ipv6(scene);
	offer_port_table(scene);
	scene_note(scene, "WHY_SEED=%llu", (unsigned long long)seed);
	if (bind_table_open(&oracle.table, &fault))
		scene_fail(scene, "%s", fault.text);
	oracle.habits = habits_of(scene);
	world_begin(&oracle.world, scene, seed);
	for (unsigned i = 0; i < situations; i++)
		situation(&oracle, (uint16_t)(FIRST_PORT + i % (LAST_PORT - FIRST_PORT)));
	report(&oracle, situations);
	if (oracle.moved > oracle.asked / 100)
		scene_fail(scene, "%u of %u situations did not hold still", oracle.moved, oracle.asked);
	bind_table_close(oracle.table);
}
