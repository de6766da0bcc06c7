/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/fill.h"

#include "command/command.h"
#include "core/describe.h"
#include "core/errno_name.h"
#include "source/ask.h"
#include "source/enrich.h"
#include "source/fault.h"
#include "source/replay.h"
#include "source/snapshot.h"
#include "source/walker.h"
#include "system/mounts.h"
#include "system/privileges.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <portsnoop/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BUDGET_NS 1000000000 /* nothing else is waiting */

/* --- a walk -----------------------------------------------------------------------------------------------
 */

/* Counts on the way what the walk could not look into. */
struct looking {
	struct sink to;
	uint64_t skipped;
	int error; /* of the first */
	bool descriptors_skipped;
};

static void take_part(struct looking *looking, const struct rec_walk *walk)
{
	if (walk->part != WALK_SKIPPED)
		return;
	if (!looking->error)
		looking->error = walk->error;
	if (walk->netns)
		looking->skipped++;
	else
		looking->descriptors_skipped = true;
}

static int take(void *context, const void *record, size_t size)
{
	const struct rec_header *header = record;
	struct looking *looking = context;

	if (header->kind == REC_WALK)
		take_part(looking, record);
	return sink_put(&looking->to, record, size);
}

static void tell_skipped(const struct looking *looking)
{
	const char *name = errno_name(looking->error);
	char number[16];

	snprintf(number, sizeof(number), "%d", looking->error);
	if (looking->skipped)
		complain("%" PRIu64 " network namespace%s could not be looked into (%s)", looking->skipped,
			 looking->skipped == 1 ? "" : "s", name ? name : number);
	if (looking->descriptors_skipped)
		complain("not everything could be looked at (%s): this is incomplete", name ? name : number);
}

/*
 * On a thread of its own: while it waits for the kernel's next piece, this one puts the last into the tables.
 */
static int walk_beside(struct snapshot *snapshot, const struct snapshot_walk *what, const struct sink *sink)
{
	struct walker *walker;
	bool ended = false;
	int result;

	if (walker_open(snapshot, &walker))
		return snapshot_walk(snapshot, what, sink); /* where no thread may be made, it takes longer */
	result = walker_start(walker, what, sink);
	while (!result && !ended) {
		struct pollfd news = {.fd = walker_fd(walker), .events = POLLIN};

		if (poll(&news, 1, -1) < 0 && errno != EINTR)
			result = -errno;
		else
			result = walker_take(walker, sink, BUDGET_NS, &ended);
	}
	walker_close(walker);
	return result;
}

/* Once more from the beginning, if only then MPTCP can be read. */
static int walk_whole(struct snapshot *snapshot, const struct snapshot_walk *what, const struct sink *sink)
{
	int result = walk_beside(snapshot, what, sink);

	if (!result)
		result = snapshot_add_mptcp(snapshot);
	return result > 0 ? walk_beside(snapshot, what, sink) : result;
}

/* One that a process must hold: not under way in a message, nor without a descriptor by its nature. */
static int lacks_holder(const struct socket_row *row, void *context)
{
	return !row->n_holders && !row->orphan && !describe_in_flight(row);
}

/*
 * Of one port: sockets and their holders at once, since whole tables are walked for a few rows; and the
 * holders again, after the sockets, if somebody made one between the two looks. Sockets of the kernel itself
 * and of processes that are hidden have none at the second look, either. Of all ports: one after the other.
 */
static int walk_once_or_twice(struct snapshot *snapshot, const struct fill *fill, const struct model *model,
			      const struct sink *sink)
{
	struct snapshot_walk what = {.source = SOURCE_SNAPSHOT,
				     .ports_only = !fill->connections,
				     .port = fill->port,
				     .with_ports = fill->with_ports,
				     .beside = fill->port != 0};
	int result = walk_whole(snapshot, &what, sink);

	if (result || !what.beside ||
	    !(model_each_socket(model, lacks_holder, NULL) || snapshot_passed_over(snapshot)))
		return result;
	what.beside = false;
	what.holders_only = true;
	return walk_beside(snapshot, &what, sink);
}

/* Fills the tables by looking once. */
static int walk(struct snapshot *snapshot, const struct fill *fill, struct pipeline *pipeline)
{
	const struct sink to = pipeline_sink(pipeline);
	bool host;
	int cgroup2_fd = mounts_open_cgroup2(&host), result = -ENOMEM;
	struct enrich *enrich = enrich_new(&to, cgroup2_fd);

	if (enrich) {
		struct looking looking = {.to = enrich_sink(enrich)};
		const struct sink sink = {.take = take, .context = &looking};

		if (!fill->descriptions)
			enrich_without_descriptions(enrich);
		result = enrich_begin(enrich);
		if (!result)
			result = walk_once_or_twice(snapshot, fill, pipeline_model(pipeline), &sink);
		if (!result)
			tell_skipped(&looking);
		if (!result && fill->more)
			result = fill->more(fill->context, &sink);
	}
	enrich_free(enrich);
	if (cgroup2_fd >= 0)
		close(cgroup2_fd);
	return result;
}

/* -ENOENT: nobody answered, or not to the end, and the tables are empty. -ENOMEM: there are none any more. */
static int fill_from_instance(const struct fill *fill, struct pipeline *pipeline, const struct sink *sink)
{
	uint32_t flags = (fill->connections ? ASK_CONNECTIONS : 0) | (fill->sync ? ASK_SYNC : 0) |
			 (fill->with_ports ? ASK_WITH_PORTS : 0);
	int result = fill->no_instance ? -ENOENT : ask_instance(flags, fill->port, sink);

	if (result == -ENOENT)
		return result;
	if (!result && fill->more)
		result = fill->more(fill->context, sink);
	if (!result)
		return 0;
	return pipeline_clear(pipeline) ? -ENOMEM : -ENOENT;
}

int fill_from_kernel(struct pipeline *pipeline, const struct fill *fill)
{
	const struct snapshot_options snapshot_options = {.lean = true};
	struct sink sink = pipeline_sink(pipeline);
	struct snapshot *snapshot;
	struct fault fault = {0};
	int error = fill_from_instance(fill, pipeline, &sink), status;

	if (!error)
		return EXIT_DONE;
	if (error == -ENOMEM) {
		complain("out of memory");
		return EXIT_INTERNAL;
	}
	status = check_kernel(privileges_for_walking);
	if (status)
		return status;
	error = snapshot_open(&snapshot_options, &snapshot, &fault);
	if (!error) {
		error = walk(snapshot, fill, pipeline);
		if (error)
			fault_set(&fault, error, "the walk over the kernel's sockets failed: %s",
				  strerror(-error));
		snapshot_close(snapshot);
	}
	if (!error)
		return EXIT_DONE;
	return complain_of_start(&fault);
}

/* --- a recording ------------------------------------------------------------------------------------------
 */

int fill_from_recording(struct pipeline *pipeline, const char *path)
{
	struct sink sink = pipeline_sink(pipeline);
	struct fault fault = {0};
	bool cut;
	int error = replay_read(path, &sink, &cut, &fault);

	if (error) {
		complain("%s", fault.text);
		return EXIT_USAGE;
	}
	if (cut)
		complain("%s; this is how it was at that point", fault.text);
	return cut ? EXIT_LOST : EXIT_DONE;
}
