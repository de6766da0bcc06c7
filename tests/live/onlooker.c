/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Somebody looks at the descriptors of a process while it closes them. The last reference may then be the
 * onlooker's: it did not close anything and must not be named.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 20000

struct place {
	atomic_int fd; /* of the socket that comes and goes; negative: nothing to be seen any more */
	pid_t owner;
};

struct tally {
	struct place *place;
	unsigned binds, named, unnamed;
};

/* The descriptor is always the same. */
static void make_and_close(struct scene *scene, void *context)
{
	const union address address = address_of("127.0.0.1", 0);
	struct place *place = context;

	for (unsigned i = 0; i < scene_count(scene, SOCKETS); i++) {
		int fd = (int)scene_must(scene, socket(AF_INET, SOCK_DGRAM, 0), "socket");

		scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
		atomic_store(&place->fd, fd);
		close(fd);
	}
	atomic_store(&place->fd, -1);
}

/* What ls, lsof and ss do. */
static void look(struct scene *scene, void *context)
{
	struct place *place = context;
	char link[64], text[64];
	int fd;

	while ((fd = atomic_load(&place->fd)) >= 0) {
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", place->owner, fd);
		if (readlink(link, text, sizeof(text)) < 0)
			continue; /* closed */
	}
}

static void count(struct scene *scene, const json_t *event, void *context)
{
	const char *name = event_string(event, "event_name");
	uint64_t pid = event_number(event, "process.pid");
	struct tally *tally = context;

	if (event_number(event, "portsnoop.netns") != scene->netns)
		return;
	if (pid && pid != (uint64_t)tally->place->owner)
		scene_fail(scene, "%s by process %" PRIu64 ", which only looked", name, pid);
	if (!strcmp(name, "bind"))
		tally->binds++;
	else if (!strcmp(name, "close") && pid)
		tally->named++;
	else if (!strcmp(name, "close"))
		tally->unnamed++;
}

void onlooker(struct scene *scene)
{
	struct place *place = shared_new(scene, sizeof(*place));
	struct tally tally = {.place = place};
	unsigned sockets = scene_count(scene, SOCKETS);
	struct tool tool;
	pid_t looker;

	tool_start(&tool, scene, NULL);
	place->owner = actor_start(scene, make_and_close, place);
	looker = actor_start(scene, look, place);
	actor_join(scene, place->owner);
	actor_join(scene, looker);
	tool_await_count(&tool, EVENT_CLOSE, sockets);
	tool_end(&tool);
	tool_each_line(scene, tool.out_path, count, &tally);
	scene_note(scene, "%u closes by their owner, %u by nobody knows whom", tally.named, tally.unnamed);
	if (tally.binds != sockets || tally.named + tally.unnamed != sockets)
		scene_fail(scene, "%u binds and %u closes of %u", tally.binds, tally.named + tally.unnamed,
			   sockets);
	if (!tally.unnamed)
		scene_skip(scene, "nobody looked just when a socket was closed");
}
