/* SPDX-License-Identifier: GPL-2.0-only */
/* who: what is on a local port, and who holds it, now or at the end of a recording. */
#include "view/who.h"
#include "command/command.h"
#include "command/fill.h"
#include "command/netns_choice.h"
#include "command/parents.h"
#include "io/pager.h"
#include "pipeline.h"
#include "system/proc.h"

#include <stdio.h>
#include <unistd.h>

struct question {
	const struct model *model;
	struct who_options who;
};

static int put_parents(void *context, const struct sink *sink)
{
	const struct question *question = context;

	return parents_put(question->model, &question->who, sink);
}

/* --- asking -----------------------------------------------------------------------------------------------
 */

static int print(const struct options *options, const struct model *model, const struct who_options *who)
{
	struct pager pager;
	bool held;
	int status, error = pager_begin(&pager, stdout, !options->json && !options->no_pager);

	if (!error)
		error = pager_end(&pager, who_print(pager.out, model, who, &held));
	if (!error && !options->json)
		tell_holders_age(who->list.holders_as_of_ns, who->list.now_ns);
	status = output_status(error);
	if (status == EXIT_DONE && !held)
		status = EXIT_NEGATIVE;
	return status;
}

static int ask(const struct options *options, struct pipeline *pipeline, struct question *question)
{
	const struct fill fill = {
		.connections = true,
		.descriptions = true,
		.no_instance = options->no_instance,
		.sync = options->sync,
		.port = question->who.spec->port,
		.more = options->json ? NULL : put_parents, /* a row has no more than its parent's pid */
		.context = question,
	};
	int printed, status = options->from ? fill_from_recording(pipeline, options->from)
					    : fill_from_kernel(pipeline, &fill);

	if (status != EXIT_DONE && status != EXIT_LOST)
		return status;
	question->who.list.now_ns = options->from ? pipeline_time_ns(pipeline) : proc_boottime_ns();
	question->who.list.holders_as_of_ns =
		options->from ? 0 : model_repairs(question->model)->holders_as_of_ns;
	printed = print(options, question->model, &question->who);
	/* Of a recording that was cut, the end is not known. */
	return status == EXIT_LOST && (printed == EXIT_DONE || printed == EXIT_NEGATIVE) ? status : printed;
}

int command_who(const struct options *options, char **words, size_t n_words)
{
	const struct pipeline_options pipeline_options = {.print = false};
	struct pipeline *pipeline;
	struct filter *filter = NULL;
	struct port_spec spec;
	uint32_t netns = 0;
	int status = parse_seen_port(options, "who", words, n_words, &spec);

	if (!status)
		status = netns_choice_read(options, &netns);
	if (!status)
		status = parse_filter(options, options->from, words + 1, n_words - 1, &filter);
	if (status)
		return status;
	pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (pipeline) {
		struct question question = {
			.model = pipeline_model(pipeline),
			.who = {.list = {.view = view_options_of(options),
					 .json = options->json,
					 .filter = filter},
				.spec = &spec,
				.home_netns = options->from ? 0 : proc_netns(),
				.netns = netns,
				.filtered = n_words > 1},
		};

		status = ask(options, pipeline, &question);
	} else {
		complain("out of memory");
		status = EXIT_INTERNAL;
	}
	pipeline_free(pipeline);
	filter_free(filter);
	return status;
}
