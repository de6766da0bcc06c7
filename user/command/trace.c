/* SPDX-License-Identifier: GPL-2.0-only */
/* trace, record and replay: one pipeline, fed by the kernel or by a recording. */
#include "command/child.h"
#include "command/command.h"
#include "command/session.h"
#include "io/write_all.h"
#include "pipeline.h"
#include "source/fault.h"
#include "source/replay.h"
#include "system/privileges.h"
#include "system/proc.h"

#include <errno.h>
#include <portsnoop/event.h>
#include <string.h>
#include <unistd.h>

/* What went wrong in words, and the status that goes with it. EPIPE is no error: the reader has had enough.
 */
static int status_of(int error, const struct pipeline *pipeline, const struct fault *fault)
{
	if (error == 0 || error == -EPIPE)
		return EXIT_DONE;
	if (fault->text[0])
		return complain_of_start(fault);
	if (pipeline_save_error(pipeline))
		complain("the recording cannot be written: %s",
			 write_all_error(pipeline_save_error(pipeline)));
	else
		complain("the output cannot be written: %s", write_all_error(error));
	return EXIT_OUTPUT;
}

static int strict_status(int status, const struct options *options, const struct pipeline *pipeline)
{
	return status == EXIT_DONE && options->strict && pipeline_lost(pipeline) ? EXIT_LOST : status;
}

/* --- from a recording
 * ---------------------------------------------------------------------------------------- */

static int trace_recording(const struct options *options, const char *path, struct pipeline *pipeline)
{
	struct sink sink = pipeline_sink(pipeline);
	struct fault fault = {0};
	bool cut;
	int status, error = replay_read(path, &sink, &cut, &fault);

	if (error > 0)
		error = 0; /* enough was printed */
	if (!error)
		error = pipeline_flush(pipeline);
	if (error == -ENOENT || error == -EACCES || error == -EBADMSG || error == -EISDIR) {
		complain("%s", fault.text);
		return EXIT_USAGE;
	}
	status = status_of(error, pipeline, cut ? &(struct fault){0} : &fault);
	if (cut && status == EXIT_DONE) {
		complain("%s; everything before that point was read", fault.text);
		status = EXIT_LOST;
	}
	if (pipeline_damaged(pipeline) && !options->quiet)
		complain("%s: %llu records make no sense and were left out", path,
			 (unsigned long long)pipeline_damaged(pipeline));
	return strict_status(status, options, pipeline);
}

/* --- from the kernel
 * ----------------------------------------------------------------------------------------- */

static int open_save(const char *path, struct recording_writer **ret_writer)
{
	struct recording_header header = {
		.schema = PORTSNOOP_SCHEMA,
		.clock_offset_ns = proc_clock_offset_ns(),
	};
	int error;

	proc_ephemeral_range(&header.range_low, &header.range_high);
	if (proc_read("/proc/sys/kernel/random/boot_id", header.boot_id, sizeof(header.boot_id)) > 0)
		header.boot_id[strcspn(header.boot_id, "\n")] = '\0';
	error = recording_create(path, header, ret_writer);
	if (!error)
		return EXIT_DONE;
	complain("%s: %s", path, strerror(-error));
	return EXIT_OUTPUT;
}

static int close_save(struct recording_writer *writer, const char *path, int status)
{
	int error = 0;

	if (writer)
		error = status == EXIT_DONE ? recording_finish(writer) : recording_abandon(writer, path);
	if (!error || status != EXIT_DONE)
		return status;
	complain("%s: %s", path, write_all_error(error));
	return EXIT_OUTPUT;
}

static int trace_live(const struct options *options, struct pipeline *pipeline)
{
	struct child child = {.gate = -1};
	struct fault fault = {0};
	int error, status = check_kernel(privileges_for_tracing);

	if (status)
		return status;
	if (options->child) {
		error = child_start(&child, options->child);
		if (error) {
			complain("%s: %s", options->child[0], strerror(-error));
			return EXIT_INTERNAL;
		}
	}
	error = session_run(options, pipeline, child.pid ? &child : NULL, NULL, &fault);
	status = strict_status(status_of(error, pipeline, &fault), options, pipeline);
	if (child_abandon(&child) && status == EXIT_DONE) {
		complain("%s was not run: nobody reads the output any more", options->child[0]);
		return EXIT_OUTPUT;
	}
	return status == EXIT_DONE && child.pid ? child_exit_status(&child) : status;
}

/* --- the commands
 * -------------------------------------------------------------------------------------------- */

struct plan {
	const char *command;
	const char *from, *save;
	bool print;
};

/* What contradicts itself. A recording was made with whatever it was made with: hooks cannot be chosen now.
 */
static int check_plan(const struct options *options, const struct plan *plan)
{
	const char *what = NULL;

	if (options->child && !options->child[0]) {
		complain("%s --: a command must follow", plan->command);
		return EXIT_USAGE;
	}
	if (!plan->from)
		return EXIT_DONE;
	if (options->child)
		what = "a command";
	else if (options->save)
		what = "--save";
	else if (options->duration_ns)
		what = "--duration";
	else if (options->attempts)
		what = "--attempts";
	else if (options->no_udp_send)
		what = "--no-udp-send";
	else if (options->ring_size)
		what = "--ring-size";
	if (!what)
		return EXIT_DONE;
	complain("%s makes no sense with a recording: what it holds was decided when it was made", what);
	return EXIT_USAGE;
}

static int run(const struct options *options, const struct plan *plan, char **words, size_t n_words)
{
	struct pipeline_options pipeline_options = {
		.print = plan->print,
		.json = options->json,
		.ephemeral = options->ephemeral,
		.holders = options->holders,
		.count = options->count,
		.view = view_options_of(options),
	};
	struct recording_writer *writer = NULL;
	struct pipeline *pipeline;
	struct filter *filter = NULL;
	int status = check_plan(options, plan);

	if (!status)
		status = parse_filter(options, plan->from, words, n_words, &filter);
	if (!status)
		status = check_ring_size(options);
	if (!status && plan->save)
		status = open_save(plan->save, &writer);
	if (status) {
		filter_free(filter);
		return status;
	}
	pipeline_options.filter = filter;
	pipeline_options.save = writer;
	pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (!pipeline) {
		complain("out of memory");
		status = EXIT_INTERNAL;
	} else {
		status = plan->from ? trace_recording(options, plan->from, pipeline)
				    : trace_live(options, pipeline);
	}
	status = close_save(writer, plan->save, status);
	pipeline_free(pipeline);
	filter_free(filter);
	return status;
}

int command_trace(const struct options *options, char **words, size_t n_words)
{
	const struct plan plan = {
		.command = "trace", .from = options->from, .save = options->save, .print = true};

	return run(options, &plan, words, n_words);
}

static int take_file(const char *command, char ***words, size_t *n_words, const char **ret_path)
{
	if (!*n_words) {
		complain("%s: expected a file name", command);
		return EXIT_USAGE;
	}
	*ret_path = **words;
	(*words)++;
	(*n_words)--;
	return EXIT_DONE;
}

int command_record(const struct options *options, char **words, size_t n_words)
{
	struct plan plan = {.command = "record", .print = false};
	int status = take_file("record", &words, &n_words, &plan.save);

	return status ? status : run(options, &plan, words, n_words);
}

int command_replay(const struct options *options, char **words, size_t n_words)
{
	struct plan plan = {.command = "replay", .print = true};
	int status = take_file("replay", &words, &n_words, &plan.from);

	return status ? status : run(options, &plan, words, n_words);
}
