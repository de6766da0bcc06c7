/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random acts with thousands of sockets, and a portsnoop that watches: its tables equal the kernel's after
 * each round, and soon after the last one when most events were lost.
 */
#include "churner.h"
#include "scenarios.h"
#include "tool.h"

#include <string.h>
#include <unistd.h>

#define ACTS	    60
#define DEADLINE_NS 5000000000ull /* a second is asked for, on a machine that does nothing else */

static void tell(struct churn *churn, unsigned rounds)
{
	struct inventory inventory = {0};
	char text[512];

	inventory_read(churn->scene, &churn->places, &inventory);
	scene_note(churn->scene, "%u rounds, %llu acts, %u processes killed; in the end %s", rounds,
		   (unsigned long long)churn_acts(churn), churn_killed(churn),
		   inventory_summary(&inventory, text, sizeof(text)));
	inventory_free(&inventory);
}

void churn(struct scene *scene)
{
	unsigned rounds = scene_count(scene, 100);
	struct churn churn;
	struct tool tool;

	tool_start(&tool, scene, NULL);
	churn_start(scene, &churn, ACTS);
	for (unsigned i = 0; i < rounds; i++) {
		churn_round(&churn);
		inventory_check(scene, &churn.places, ASKING_SYNC);
	}
	tell(&churn, rounds);
	churn_stop(&churn);
	tool_end(&tool);
}

/* --- with loss --------------------------------------------------------------------------------------------
 */

/* As it is, until it is right. The kernel may still move by itself. */
static void await_equality(struct scene *scene, const struct churn *churn, uint64_t begun)
{
	struct inventory before = {0}, after = {0}, said = {0};
	char difference[1024], moved[1024];
	uint64_t now;
	bool equal;

	do {
		inventory_read(scene, &churn->places, &before);
		inventory_ask(scene, &churn->places, ASKING_AS_IS, &before, &said);
		now = scene_clock_ns();
		inventory_read(scene, &churn->places, &after);
		equal = inventory_equal(&before, &said, difference, sizeof(difference));
		if (!equal && now - begun > DEADLINE_NS &&
		    inventory_equal(&before, &after, moved, sizeof(moved)))
			scene_fail(scene, "after %.1f s: %s", (double)(now - begun) / 1e9, difference);
	} while (!equal);
	scene_note(scene, "%zu sockets, the same in the tables %.2f s after the churn", said.n,
		   (double)(now - begun) / 1e9);
	inventory_free(&before);
	inventory_free(&after);
	inventory_free(&said);
}

struct losses {
	unsigned lines, resyncs;
	uint64_t lost, added, removed, owner_changed;
};

static void count_losses(struct scene *scene, const json_t *event, void *context)
{
	struct losses *losses = context;
	const char *name = event_string(event, "event_name");

	if (!strcmp(name, "lost")) {
		losses->lines++;
		losses->lost += event_number(event, "portsnoop.count");
	} else if (!strcmp(name, "resync")) {
		losses->resyncs++;
		losses->added += event_number(event, "portsnoop.added");
		losses->removed += event_number(event, "portsnoop.removed");
		losses->owner_changed += event_number(event, "portsnoop.owner_changed");
	}
}

static void check_losses(struct scene *scene, const struct tool *tool)
{
	struct losses losses = {0};

	tool_each_line(scene, tool->out_path, count_losses, &losses);
	scene_note(scene, "%llu records lost; %u resyncs: %llu added, %llu removed, %llu owners changed",
		   (unsigned long long)losses.lost, losses.resyncs, (unsigned long long)losses.added,
		   (unsigned long long)losses.removed, (unsigned long long)losses.owner_changed);
	if (!losses.lines || !losses.lost)
		scene_fail(scene, "no loss was counted");
	if (!losses.resyncs || !losses.added || !losses.removed)
		scene_fail(scene, "nothing was repaired");
}

void churn_loss(struct scene *scene)
{
	unsigned rounds = scene_count(scene, 100) * (unsigned)(sysconf(_SC_PAGESIZE) / 4096);
	struct churn churn;
	struct tool tool;
	char size[24];

	tool_start(&tool, scene, "--ring-size", scene_smallest_ring(size), NULL);
	tool_expect(&tool, "\"event_name\":\"resync\"");
	churn_start(scene, &churn, ACTS);
	for (unsigned i = 0; i < rounds; i++)
		churn_round(&churn);
	await_equality(scene, &churn, scene_clock_ns());
	tool_await(&tool);
	inventory_check(scene, &churn.places, ASKING_SYNC);
	tell(&churn, rounds);
	churn_stop(&churn);
	tool_end(&tool);
	check_losses(scene, &tool);
}
