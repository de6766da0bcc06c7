/* SPDX-License-Identifier: GPL-2.0-only */
/* ls: the tables as they are now, or as they were at the end of a recording. */
#include "command/command.h"
#include "command/fill.h"
#include "io/pager.h"
#include "pipeline.h"
#include "system/proc.h"
#include "view/list.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the table will not show need not be looked at. */
static struct fill needs_of(const struct options *options, enum list_what what, const struct filter *filter)
{
	bool details = options->json || options->verbose;

	return (struct fill){
		.connections = details || what != LIST_PORTS,
		.descriptions = details || filter,
		.no_instance = options->no_instance,
		.sync = options->sync,
	};
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
		.holders_as_of_ns =
			options->from ? 0 : model_repairs(pipeline_model(pipeline))->holders_as_of_ns,
	};
	struct pager pager;
	int error = pager_begin(&pager, stdout, !options->json && !options->no_pager);

	if (!error)
		error = pager_end(&pager, list_print(pager.out, pipeline_model(pipeline), what, &list));
	if (!error && !options->json)
		tell_holders_age(list.holders_as_of_ns, now);
	return output_status(error);
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
	status = parse_filter(options, options->from, words, n_words, &filter);
	if (status)
		return status;
	pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (!pipeline) {
		complain("out of memory");
		status = EXIT_INTERNAL;
	} else if (options->from) {
		status = fill_from_recording(pipeline, options->from);
	} else {
		const struct fill fill = needs_of(options, what, filter);

		status = fill_from_kernel(pipeline, &fill);
	}
	if (status == EXIT_DONE || status == EXIT_LOST) {
		printed = print(options, pipeline, what, filter);
		status = printed ? printed : status;
	}
	pipeline_free(pipeline);
	filter_free(filter);
	return status;
}
