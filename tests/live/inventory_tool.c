/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tool prints as an inventory, and both compared. */
#include "inventory.h"
#include "tool.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define STILL_TRIES 20 /* the kernel may move by itself: timers, what is under way between two ends */

/* --- what the tool says -----------------------------------------------------------------------------------
 */

struct saying {
	const struct inventory *kernel;
	struct inventory *inventory;
};

struct search {
	int fd;
	unsigned long inode;
};

static void search_thread(const char *path, void *context)
{
	struct search *search = context;
	char link[PATH_MAX];

	if (snprintf(link, sizeof(link), "%s/fd/%d", path, search->fd) < (int)sizeof(link) && !search->inode)
		search->inode = inventory_inode_of_link(link);
}

/* The descriptor that is named is this socket's. A wrong one stands behind the pids. */
static void check_descriptor(const struct scene *scene, const struct inventory *kernel, const json_t *holder,
			     struct inventory_row *row)
{
	struct search search = {.fd = (int)event_number(holder, "fd")};
	pid_t pid = (pid_t)event_number(holder, "process.pid");
	const struct inventory_row *found;
	size_t length = strlen(row->holders);
	char folder[64];

	snprintf(folder, sizeof(folder), "/proc/%d/task", pid);
	if (!event_at(holder, "fd"))
		return;
	inventory_each_number(folder, search_thread, &search);
	found = inventory_find(kernel, search.inode);
	if (!found || strcmp(found->text, row->text))
		snprintf(row->holders + length, sizeof(row->holders) - length,
			 " (%d has no such descriptor %d)", pid, search.fd);
}

static void take_row(struct scene *scene, const json_t *event, void *context)
{
	const struct saying *saying = context;
	const json_t *holders = event_at(event, "portsnoop.holders");
	struct inventory_row *row = inventory_add(scene, saying->inventory);
	size_t n = json_array_size(holders);
	pid_t pids[64];

	if (n > sizeof(pids) / sizeof(pids[0]))
		scene_fail(scene, "%zu holders", n);
	snprintf(row->text, sizeof(row->text), "%u", (unsigned)event_number(event, "portsnoop.netns"));
	/* A row has no event's name, only the blank behind it. */
	event_render(event,
		     event_key("proto", 5) | event_key("local", 5) | event_key("peer", 4) |
			     event_key("state", 5),
		     row->text + strlen(row->text), sizeof(row->text) - strlen(row->text));
	for (size_t i = 0; i < n; i++)
		pids[i] = (pid_t)event_number(json_array_get(holders, i), "process.pid");
	inventory_say_holders(scene, row, pids, n);
	if (json_is_true(event_at(event, "portsnoop.in_flight")))
		strcat(row->holders, INVENTORY_IN_FLIGHT);
	for (size_t i = 0; i < n; i++)
		check_descriptor(scene, saying->kernel, json_array_get(holders, i), row);
}

int without_capabilities(void)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (prctl(PR_CAPBSET_DROP, capability))
			return -1;
	return 0;
}

static void say_places(const struct places *places, char *text, size_t size)
{
	text[0] = '\0';
	for (unsigned i = 0; i < places->n; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%u", i ? "," : "",
			 places->items[i].netns);
}

static void sort(struct inventory *inventory)
{
	if (inventory->n)
		qsort(inventory->rows, inventory->n, sizeof(*inventory->rows), inventory_compare);
}

/* Who cannot walk was answered. A port that nobody has is no failure of `who`. */
static void ask(struct scene *scene, const struct places *places, enum asking asking, const char *command,
		const char *what, const struct saying *saying)
{
	static const char *const options[] = {
		[ASKING_NOBODY] = "--no-instance", [ASKING_SYNC] = "--sync", [ASKING_AS_IS] = "--json"};
	const struct tool_run run = {.prepare = asking == ASKING_NOBODY ? NULL : without_capabilities};
	struct tool_result result;
	char netns[16 * PLACES_MAX], kept[600];

	say_places(places, netns, sizeof(netns));
	tool_run(scene, &result, &run, command, what, "--json", options[asking], "netns", netns, NULL);
	if ((result.status && (strcmp(command, "who") || result.status != 1)) || result.err_length)
		scene_fail(scene, "%s %s %s: status %d, %s", command, what, options[asking], result.status,
			   result.err);
	tool_each_line(scene, result.out_path, take_row, (void *)saying);
	/* The last of each is kept: the group `schema` reads files that end like this. */
	snprintf(kept, sizeof(kept), "%s/%s.%s.%s.json", scene->out_dir, scene->name, command, what);
	rename(result.out_path, kept);
	unlink(result.err_path);
	tool_result_free(&result);
}

void inventory_ask(struct scene *scene, const struct places *places, enum asking asking,
		   const struct inventory *kernel, struct inventory *inventory)
{
	const struct saying saying = {kernel, inventory};

	inventory->n = 0;
	ask(scene, places, asking, "ls", "ports", &saying);
	ask(scene, places, asking, "ls", "connections", &saying);
	sort(inventory);
}

void inventory_ask_who(struct scene *scene, const struct places *places, enum asking asking, unsigned port,
		       const struct inventory *kernel, struct inventory *inventory)
{
	const struct saying saying = {kernel, inventory};
	char text[8];

	inventory->n = 0;
	snprintf(text, sizeof(text), "%u", port);
	ask(scene, places, asking, "who", text, &saying);
	sort(inventory);
}

/* --- both -------------------------------------------------------------------------------------------------
 */

bool inventory_equal(const struct inventory *kernel, const struct inventory *tool, char *difference,
		     size_t size)
{
	for (size_t i = 0; i < kernel->n || i < tool->n; i++) {
		const struct inventory_row *a = i < kernel->n ? &kernel->rows[i] : NULL;
		const struct inventory_row *b = i < tool->n ? &tool->rows[i] : NULL;

		if (a && b && !inventory_compare(a, b))
			continue;
		snprintf(difference, size,
			 "/proc has %zu sockets, here `%s` held by [%s]; the tool %zu, `%s` [%s]", kernel->n,
			 a ? a->text : "", a ? a->holders : "", tool->n, b ? b->text : "",
			 b ? b->holders : "");
		return false;
	}
	return true;
}

const char *inventory_summary(const struct inventory *inventory, char *text, size_t size)
{
	static const char *const states[] = {"bound",	    "listen",	  "syn_sent",	"syn_recv",
					     "established", "close_wait", "fin_wait1",	"fin_wait2",
					     "last_ack",    "time_wait",  "unconnected"};
	unsigned in_flight = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		unsigned n = 0;

		for (size_t j = 0; j < inventory->n; j++)
			n += !strcmp(strstr(inventory->rows[j].text, "state=") + 6, states[i]);
		if (n)
			snprintf(text + strlen(text), size - strlen(text), "%u %s, ", n, states[i]);
	}
	for (size_t i = 0; i < inventory->n; i++)
		in_flight += !strcmp(inventory->rows[i].holders, INVENTORY_IN_FLIGHT);
	snprintf(text + strlen(text), size - strlen(text), "%u in flight", in_flight);
	return text;
}

/* What is to be expected: on one port, if it is not 0. */
static void reduce(struct inventory *inventory, unsigned port)
{
	size_t kept = 0;
	char text[16];

	snprintf(text, sizeof(text), ":%u", port);
	for (size_t i = 0; i < inventory->n; i++) {
		const struct inventory_row *row = &inventory->rows[i];
		const char *peer = strstr(row->text, " peer=");

		if (!port || !strncmp(peer - strlen(text), text, strlen(text)))
			inventory->rows[kept++] = *row;
	}
	inventory->n = kept;
}

static size_t check(struct scene *scene, const struct places *places, enum asking asking, unsigned port)
{
	static const char *const asked[] = {
		[ASKING_NOBODY] = "by a walk", [ASKING_SYNC] = "synchronised", [ASKING_AS_IS] = "as it is"};
	struct inventory before = {0}, after = {0}, said = {0};
	char difference[1024], moved[1024];
	size_t n;

	for (unsigned i = 0; i < STILL_TRIES; i++) {
		inventory_read(scene, places, &before);
		if (port)
			inventory_ask_who(scene, places, asking, port, &before, &said);
		else
			inventory_ask(scene, places, asking, &before, &said);
		inventory_read(scene, places, &after);
		if (!inventory_equal(&before, &after, moved, sizeof(moved)))
			continue;
		reduce(&before, port);
		if (!inventory_equal(&before, &said, difference, sizeof(difference)))
			scene_fail(scene, "%s: %s", asked[asking], difference);
		n = before.n;
		inventory_free(&before);
		inventory_free(&after);
		inventory_free(&said);
		return n;
	}
	scene_fail(scene, "the kernel does not stand still: %s", moved);
}

size_t inventory_check(struct scene *scene, const struct places *places, enum asking asking)
{
	return check(scene, places, asking, 0);
}

size_t inventory_check_who(struct scene *scene, const struct places *places, enum asking asking,
			   unsigned port)
{
	return check(scene, places, asking, port);
}
