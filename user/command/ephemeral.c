/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ephemeral: how the ports that the kernel assigns are used: now, at the end of a recording, or again and
 * again while a trace of our own counts what is assigned.
 */
#include "view/ephemeral.h"
#include "command/command.h"
#include "command/fill.h"
#include "command/netns_choice.h"
#include "command/session.h"
#include "io/pager.h"
#include "pipeline.h"
#include "system/privileges.h"
#include "system/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVERY_NS 1000000000
#define SHOWN	 1 /* ends a trace that was to be looked at once */

struct look {
	const struct options *options;
	const struct pipeline *pipeline;
	uint32_t netns; /* 0: all */
	bool shown;	/* before */
};

static int print_to(FILE *out, const struct look *look)
{
	const struct options *options = look->options;
	const struct ephemeral_options view = {
		.view = view_options_of(options),
		.json = options->json,
		.by_events = options->from,
		.now_ns = options->from ? pipeline_time_ns(look->pipeline) : proc_boottime_ns(),
		.only_netns = look->netns,
		.home_netns = options->from ? 0 : proc_netns(),
	};

	return ephemeral_print(out, pipeline_model(look->pipeline), &view);
}

/* --- once -------------------------------------------------------------------------------------------------
 */

static int print_paged(const struct look *look)
{
	struct pager pager;
	int error = pager_begin(&pager, stdout, !look->options->json && !look->options->no_pager);

	if (!error)
		error = pager_end(&pager, print_to(pager.out, look));
	return output_status(error);
}

static int look_once(const struct options *options, uint32_t netns, struct pipeline *pipeline)
{
	const struct look look = {.options = options, .pipeline = pipeline, .netns = netns};
	const struct fill fill = {.connections = true,
				  .descriptions = options->json,
				  .with_ports = true,
				  .no_instance = options->no_instance,
				  .sync = options->sync};
	int printed, status = options->from ? fill_from_recording(pipeline, options->from)
					    : fill_from_kernel(pipeline, &fill);

	if (status != EXIT_DONE && status != EXIT_LOST)
		return status;
	printed = print_paged(&look);
	return printed ? printed : status;
}

/* --- watching ---------------------------------------------------------------------------------------------
 */

/* On a terminal, in place of the last one. */
static int show(void *context)
{
	struct look *look = context;
	int error;

	if (!look->options->json && isatty(STDOUT_FILENO))
		fputs(look->options->watch ? "\x1b[H\x1b[2J" : "", stdout);
	else if (!look->options->json && look->shown)
		fputc('\n', stdout);
	look->shown = true;
	error = print_to(stdout, look);
	if (!error && fflush(stdout))
		error = -errno;
	return error || look->options->watch ? error : SHOWN;
}

static int watch(const struct options *options, uint32_t netns, struct pipeline *pipeline)
{
	struct look look = {.options = options, .pipeline = pipeline, .netns = netns};
	const struct show_plan plan = {.first_ns = options->observe_ns,
				       .every_ns = EVERY_NS,
				       .show = show,
				       .context = &look,
				       .by_events = true};
	struct fault fault = {0};
	int result, status = check_kernel(privileges_for_tracing);

	if (status)
		return status;
	result = session_run(options, pipeline, NULL, &plan, &fault);
	if (!result || result == -EPIPE)
		return EXIT_DONE;
	if (*fault.text)
		return complain_of_start(&fault);
	return output_status(result);
}

/* --- which of them ----------------------------------------------------------------------------------------
 */

static int check(const struct options *options, size_t n_words)
{
	if (n_words || options->child) {
		complain("ephemeral: nothing is expected behind it");
		return EXIT_USAGE;
	}
	if (options->from && (options->watch || options->observe_ns)) {
		complain("%s makes no sense with a recording: it is over",
			 options->watch ? "--watch" : "--observe");
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

int command_ephemeral(const struct options *options, char **words, size_t n_words)
{
	const struct pipeline_options pipeline_options = {.print = false};
	uint32_t netns = 0;
	int status = check(options, n_words);
	struct pipeline *pipeline;

	if (!status)
		status = netns_choice_read(options, &netns);
	if (status)
		return status;
	pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (!pipeline) {
		complain("out of memory");
		return EXIT_INTERNAL;
	}
	status = options->watch || options->observe_ns ? watch(options, netns, pipeline)
						       : look_once(options, netns, pipeline);
	pipeline_free(pipeline);
	return status;
}
