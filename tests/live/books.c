/* SPDX-License-Identifier: GPL-2.0-only */
#include "books.h"

#include <inttypes.h>
#include <string.h>

static void read_summary(const json_t *event, struct books *books)
{
	const char *name;
	json_t *entry;

	json_object_foreach (event_at(event, "portsnoop.books"), name, entry) {
		enum event_kind kind = event_kind_of(name, strlen(name));

		books->dropped_all_kinds += event_number(entry, "dropped");
		if (kind == EVENT_OTHER)
			continue;
		books->emitted[kind] = event_number(entry, "emitted");
		books->dropped[kind] = event_number(entry, "dropped");
	}
	json_object_foreach (event_at(event, "portsnoop.lost"), name, entry) {
		books->lost += (uint64_t)json_integer_value(entry);
	}
	books->ring = event_number(event, "portsnoop.lost.ring");
	books->skipped = event_number(event, "portsnoop.lost.skipped");
}

static void read_line(struct scene *scene, const json_t *event, void *context)
{
	struct books *books = context;
	const char *name = event_string(event, "event_name");
	enum event_kind kind = event_kind_of(name, strlen(name));
	bool mark = !strncmp(event_string(event, "network.local.address"), "127.77.", 7);

	books->delivered[kind]++;
	books->ours[kind] += event_number(event, "portsnoop.netns") == scene->netns && !mark;
	if (kind == EVENT_LOST)
		books->told += event_number(event, "portsnoop.count");
	if (kind == EVENT_SUMMARY)
		read_summary(event, books);
}

void books_read(const struct tool *tool, struct books *books)
{
	static const enum event_kind carried[] = {EVENT_BIND,	  EVENT_LISTEN, EVENT_CONNECT,
						  EVENT_AUTOBIND, EVENT_ACCEPT, EVENT_CLOSE};

	*books = (struct books){0};
	tool_each_line(tool->scene, tool->out_path, read_line, books);
	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		enum event_kind kind = carried[i];

		if (books->delivered[kind] + books->dropped[kind] != books->emitted[kind])
			scene_fail(tool->scene,
				   "%s: %" PRIu64 " delivered + %" PRIu64 " dropped is not %" PRIu64
				   " emitted",
				   event_kind_name(kind), books->delivered[kind], books->dropped[kind],
				   books->emitted[kind]);
	}
	if (books->ring != books->dropped_all_kinds)
		scene_fail(tool->scene, "lost.ring is %" PRIu64 ", the books say %" PRIu64, books->ring,
			   books->dropped_all_kinds);
	if (books->told != books->lost)
		scene_fail(tool->scene, "the `lost` lines sum up to %" PRIu64 ", the summary to %" PRIu64,
			   books->told, books->lost);
}

void books_check(const struct tool *tool, const struct books *books, enum event_kind kind, uint64_t done,
		 uint64_t others)
{
	const char *name = event_kind_name(kind);
	uint64_t accounted = books->ours[kind] + books->dropped[kind];

	scene_note(tool->scene,
		   "%s: done %" PRIu64 " (others: %" PRIu64 "), delivered %" PRIu64 ", dropped %" PRIu64
		   ", skipped (all kinds) %" PRIu64,
		   name, done, others, books->ours[kind], books->dropped[kind], books->skipped);
	if (books->ours[kind] > done)
		scene_fail(tool->scene, "%s: %" PRIu64 " done, %" PRIu64 " delivered", name, done,
			   books->ours[kind]);
	if (done > accounted + books->skipped)
		scene_fail(tool->scene, "%s: %" PRIu64 " are in nobody's books", name,
			   done - accounted - books->skipped);
	if (accounted > done + others)
		scene_fail(tool->scene, "%s: %" PRIu64 " too many in the books", name,
			   accounted - done - others);
}
