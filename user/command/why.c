/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * why: whether a bind to a port would succeed now, and if not, who is in the way. The verdict is of the
 * kernel's own tables, read after everything else; the walk before it only tells who holds what.
 */
#include "view/why.h"
#include "command/command.h"
#include "command/fill.h"
#include "command/parents.h"
#include "command/why_asked.h"
#include "io/pager.h"
#include "pipeline.h"
#include "source/bind_habits.h"
#include "source/bind_table.h"
#include "system/lookup.h"
#include "system/privileges.h"
#include "system/proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct why {
	const struct options *options;
	struct pipeline *pipeline;
	struct port_spec spec;
	struct why_asked asked;
	struct bind_inventory inventory;
	struct bind_conflict *conflicts;
	struct why_answer answer;
};

/* --- the verdict ------------------------------------------------------------------------------------------
 */

static int read_table(struct why *why)
{
	struct bind_table *table;
	struct fault fault = {0};
	int error = bind_table_open(&table, &fault);

	if (error)
		return complain_of_start(&fault);
	error = bind_table_read(table, why->asked.socket_fd, &why->asked.wish, why->asked.l3mdev,
				&why->inventory);
	bind_table_close(table);
	if (error == -EAGAIN)
		why->asked.doubts |= 1u << DOUBT_CHANGING;
	if (!error || error == -EAGAIN)
		return EXIT_DONE;
	complain("the kernel's table of ports could not be read: %s", strerror(-error));
	return EXIT_UNSUPPORTED;
}

/* 0 or -ENOMEM. */
static int judge(struct why *why)
{
	struct why_answer *answer = &why->answer;

	why->conflicts = calloc(why->inventory.n_rows + 1, sizeof(*why->conflicts));
	if (!why->conflicts)
		return -ENOMEM;
	bind_conflict_judge(&why->asked.wish, &why->inventory, NULL, &answer->verdict);
	if (answer->verdict.unknown)
		why->inventory.habits = bind_habits_try();
	bind_conflict_judge(&why->asked.wish, &why->inventory, why->conflicts, &answer->verdict);
	answer->outcome = bind_outcome(&answer->verdict, why->asked.doubts, &answer->doubt);
	return 0;
}

/* --- the answer -------------------------------------------------------------------------------------------
 */

static const char *label_of(const struct why *why)
{
	if (why->answer.doubt == DOUBT_LSM)
		return why->asked.asker.label;
	return why->answer.doubt == DOUBT_CGROUP ? why->asked.asker.cgroup : NULL;
}

static int print(struct why *why)
{
	const struct model *model = pipeline_model(why->pipeline);
	const struct options *options = why->options;
	struct why_answer *answer = &why->answer;
	struct pager pager;
	int error;

	answer->who =
		(struct who_options){.list = {.view = view_options_of(options),
					      .json = options->json,
					      .now_ns = proc_boottime_ns(),
					      .holders_as_of_ns = model_repairs(model)->holders_as_of_ns},
				     .spec = &why->spec,
				     .home_netns = why->asked.netns};
	answer->wish = &why->asked.wish;
	answer->inventory = &why->inventory;
	answer->conflicts = why->conflicts;
	answer->device = options->device;
	answer->pid = (uint32_t)options->pid;
	answer->doubt_label = label_of(why);
	error = pager_begin(&pager, stdout, !options->json && !options->no_pager);
	if (!error)
		error = pager_end(&pager, why_print(pager.out, model, answer));
	if (!error && !options->json)
		tell_holders_age(answer->who.list.holders_as_of_ns, answer->who.list.now_ns);
	return output_status(error);
}

static int status_of(enum bind_outcome outcome)
{
	static const int statuses[] = {
		[BIND_YES] = EXIT_DONE, [BIND_NO] = EXIT_NEGATIVE, [BIND_UNKNOWN] = EXIT_UNKNOWN};

	return statuses[outcome];
}

/* The one who asks has a name, though it may hold nothing. */
static int put_user(const struct why *why, const struct sink *sink)
{
	union {
		struct rec_meta meta;
		char bytes[sizeof(struct rec_meta) + 264];
	} record = {0};
	size_t room = sizeof(record.bytes) - sizeof(record.meta), length;

	if (!lookup_user(why->asked.wish.uid, record.meta.text, room))
		return 0;
	length = strlen(record.meta.text);
	record.meta.key = why->asked.wish.uid;
	record.meta.type = META_USER;
	record.meta.length = (uint16_t)length;
	record.meta.header = (struct rec_header){
		.size = (uint16_t)((sizeof(record.meta) + length + 8) & ~(size_t)7), .kind = REC_META};
	return sink_put(sink, &record, record.meta.header.size);
}

static int put_people(void *context, const struct sink *sink)
{
	const struct why *why = context;
	const struct port_spec port = {.port = why->spec.port};
	const struct who_options everything = {.spec = &port}; /* wildcards meet any address */
	int error = put_user(why, sink);

	if (!error && !why->options->json) /* a row has no more than its parent's pid */
		error = parents_put(pipeline_model(why->pipeline), &everything, sink);
	return error;
}

/* Who holds what, then what the kernel has: the verdict is the freshest. */
static int look(struct why *why)
{
	const struct fill fill = {.connections = true,
				  .descriptions = true,
				  .no_instance = why->options->no_instance,
				  .sync = why->options->sync,
				  .port = why->spec.port,
				  .more = put_people,
				  .context = why};
	int status = check_kernel(privileges_for_walking);

	if (!status)
		status = fill_from_kernel(why->pipeline, &fill);
	return status ? status : read_table(why);
}

static int answer(struct why *why)
{
	int status = why->asked.doubts & 1u << DOUBT_PROTOCOL ? EXIT_DONE : look(why);

	if (!status && judge(why)) {
		complain("out of memory");
		status = EXIT_INTERNAL;
	}
	if (!status)
		status = print(why);
	return status ? status : status_of(why->answer.outcome);
}

/* --- the command ------------------------------------------------------------------------------------------
 */

static int parse(struct why *why, char **words, size_t n_words)
{
	int status = parse_port(why->options, "why", words, n_words, &why->spec);

	if (status)
		return status;
	if (n_words > 1) {
		complain("why: nothing is expected behind the port");
		return EXIT_USAGE;
	}
	return why_asked_read(why->options, &why->spec, &why->asked);
}

int command_why(const struct options *options, char **words, size_t n_words)
{
	static const struct pipeline_options pipeline_options = {.print = false};
	struct why why = {.options = options, .asked.socket_fd = -1};
	int status = parse(&why, words, n_words);

	if (status)
		return status;
	why.pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (why.pipeline) {
		status = answer(&why);
	} else {
		complain("out of memory");
		status = EXIT_INTERNAL;
	}
	why_asked_close(&why.asked);
	bind_table_release(&why.inventory);
	free(why.conflicts);
	pipeline_free(why.pipeline);
	return status;
}
