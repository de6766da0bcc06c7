/* SPDX-License-Identifier: GPL-2.0-only */
/* ls: the tables as they are now, or as they were at the end of a recording. */
#include "command/command.h"
#include "core/errno_name.h"
#include "pipeline.h"
#include "source/enrich.h"
#include "source/fault.h"
#include "source/replay.h"
#include "source/snapshot.h"
#include "system/mounts.h"
#include "system/privileges.h"
#include "system/proc.h"
#include "view/list.h"

#include <errno.h>
#include <inttypes.h>
#include <portsnoop/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- a walk -----------------------------------------------------------------------------------------------
 */

/* What the table will not show need not be looked at. */
struct needs {
	bool connections;  /* for themselves, or to count those of a listener */
	bool descriptions; /* executables, arguments, parents, control groups */
};

static struct needs needs_of(const struct options *options, enum list_what what, const struct filter *filter)
{
	bool details = options->json || options->verbose;

	return (struct needs){
		.connections = details || what != LIST_PORTS,
		.descriptions = details || filter,
	};
}

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

/* Fills the tables by one walk. */
static int walk(struct snapshot *snapshot, const struct needs *needs, const struct sink *to)
{
	bool host;
	int cgroup2_fd = needs->descriptions ? mounts_open_cgroup2(&host) : -1, result = -ENOMEM;
	struct enrich *enrich = enrich_new(to, cgroup2_fd);

	if (enrich) {
		struct looking looking = {.to = enrich_sink(enrich)};
		const struct sink sink = {.take = take, .context = &looking};

		if (!needs->descriptions)
			enrich_without_descriptions(enrich);
		result = enrich_begin(enrich);
		if (!result)
			result = snapshot_walk(snapshot, SOURCE_SNAPSHOT, &sink);
		if (!result)
			tell_skipped(&looking);
	}
	enrich_free(enrich);
	if (cgroup2_fd >= 0)
		close(cgroup2_fd);
	return result;
}

static int fill_from_kernel(struct pipeline *pipeline, const struct needs *needs)
{
	const struct snapshot_options snapshot_options = {.lean = true, .ports_only = !needs->connections};
	struct sink sink = pipeline_sink(pipeline);
	struct snapshot *snapshot;
	struct fault fault = {0};
	int error, status = check_kernel(privileges_for_walking);

	if (status)
		return status;
	error = snapshot_open(&snapshot_options, &snapshot, &fault);
	if (!error) {
		error = walk(snapshot, needs, &sink);
		if (error)
			fault_set(&fault, error, "the walk over the kernel's sockets failed: %s",
				  strerror(-error));
		snapshot_close(snapshot);
	}
	if (!error)
		return EXIT_DONE;
	complain("%s", fault.text);
	return fault.unsupported ? EXIT_UNSUPPORTED : EXIT_INTERNAL;
}

/* --- a recording ------------------------------------------------------------------------------------------
 */

static int fill_from_recording(struct pipeline *pipeline, const char *path)
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

/* --- the table --------------------------------------------------------------------------------------------
 */

static int print(const struct options *options, const struct pipeline *pipeline, enum list_what what,
		 const struct filter *filter)
{
	uint64_t now = options->from ? pipeline_time_ns(pipeline) : proc_boottime_ns();
	const struct list_options list = {
		.view = view_options_of(options),
		.json = options->json,
		.filter = filter,
		.now_ns = now,
		.holders_as_of_ns = options->from ? 0 : now,
	};
	int error = list_print(stdout, pipeline_model(pipeline), what, &list);

	if (!error && fflush(stdout))
		error = -errno;
	if (!error || errno == EPIPE)
		return EXIT_DONE;
	complain("the output cannot be written: %s", strerror(errno));
	return EXIT_OUTPUT;
}

static const char *const tables[] = {
	[LIST_PORTS] = "ports", [LIST_PROCESSES] = "processes", [LIST_CONNECTIONS] = "connections"};

/* The table's name, if the first word is one. */
static enum list_what take_table(char ***words, size_t *n_words)
{
	for (size_t i = 0; *n_words && i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (strcmp(**words, tables[i]))
			continue;
		(*words)++;
		(*n_words)--;
		return (enum list_what)i;
	}
	return LIST_PORTS;
}

int command_ls(const struct options *options, char **words, size_t n_words)
{
	const struct pipeline_options pipeline_options = {.print = false};
	enum list_what what = take_table(&words, &n_words);
	struct pipeline *pipeline;
	struct filter *filter = NULL;
	int status, printed;

	if (options->child) {
		complain("ls: nothing is expected after --");
		return EXIT_USAGE;
	}
	status = parse_filter(words, n_words, &filter);
	if (status)
		return status;
	pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (!pipeline) {
		complain("out of memory");
		status = EXIT_INTERNAL;
	} else if (options->from) {
		status = fill_from_recording(pipeline, options->from);
	} else {
		const struct needs needs = needs_of(options, what, filter);

		status = fill_from_kernel(pipeline, &needs);
	}
	if (status == EXIT_DONE || status == EXIT_LOST) {
		printed = print(options, pipeline, what, filter);
		status = printed ? printed : status;
	}
	pipeline_free(pipeline);
	filter_free(filter);
	return status;
}
