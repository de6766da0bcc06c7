/* SPDX-License-Identifier: GPL-2.0-only */
/* export: metrics, from counters in the kernel and the tables of a trace, for as long as it runs. */
#include "command/command.h"
#include "command/export_metrics.h"
#include "command/export_service.h"
#include "command/session.h"
#include "core/metrics_labels.h"
#include "core/metrics_state.h"
#include "io/output.h"
#include "io/whole_file.h"
#include "source/counters.h"
#include "system/privileges.h"
#include "system/proc.h"
#include "view/metrics_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_NS   15000000000
#define TEXTFILE_MODE 0644
#define SHOWN	      1 /* ends a trace that was to be scraped once */
#define RING_MOST     (1u << 30)

struct export
{
	const struct options *options;
	struct export_source source;
	struct export_service service;
	struct scrape *scrape;
	bool file_due;		     /* or standard output */
	int timer;		     /* of the text file */
	int write_error;	     /* of it or of standard output */
	struct whole_file *textfile; /* NULL: there is none */
};

/* --- a scrape ---------------------------------------------------------------------------------------------
 */

static int render(void *context, enum exposition exposition, struct metrics_text *ret_text)
{
	struct export *export = context;
	uint64_t begun_ns = proc_boottime_ns();
	int error = export_collect(&export->source, export->scrape);

	if (!error)
		error = metrics_render(export->source.metrics, exposition, ret_text);
	if (!error)
		export->source.memory.page_bytes = ret_text->length;
	export->source.scrape_s = (double)(proc_boottime_ns() - begun_ns) / 1e9;
	return error;
}

static int print(const struct metrics_text *text)
{
	struct output *out = malloc(sizeof(*out));
	int error;

	if (!out)
		return -ENOMEM;
	output_init(out, STDOUT_FILENO);
	error = output_put(out, text->data, text->length);
	if (!error)
		error = output_flush(out);
	free(out);
	return error;
}

/* A text file that cannot be written now is tried again, and is complained about once. */
static int write_due(struct export *export)
{
	const struct options *options = export->options;
	struct metrics_text text;
	int error = render(export, EXPOSITION_TEXT, &text);

	export->file_due = false;
	if (error)
		return error;
	if (options->textfile) {
		error = whole_file_write(export->textfile, text.data, text.length);
		loop_timer_in(export->scrape->loop, export->timer,
			      options->interval_ns ? options->interval_ns : INTERVAL_NS);
	} else {
		error = print(&text);
	}
	free(text.data);
	if (error && error != export->write_error && !options->once && !options->quiet)
		complain("%s: %s", options->textfile, strerror(-error));
	export->write_error = error;
	if (options->once)
		return error ? error : SHOWN;
	return 0;
}

static int looked(void *context)
{
	struct export *export = context;

	export_service_publish(&export->service);
	return export->file_due ? write_due(export) : 0;
}

static int due(void *context)
{
	struct export *export = context;

	export->file_due = true;
	return scrape_ask(export->scrape);
}

static int hangup(void *context)
{
	export_service_reload(&((struct export *)context)->service);
	return 0;
}

static void tick(void *context)
{
	struct export *export = context;

	export_memory_tick(&export->source.memory, export->source.metrics);
	export_service_tick(&export->service);
}

static int begin(void *context, struct scrape *scrape)
{
	struct export *export = context;
	int error;

	export->scrape = scrape;
	export->timer = loop_add_timer(scrape->loop, due, export);
	if (export->timer < 0)
		return export->timer;
	error = export_service_begin(&export->service, scrape);
	if (error)
		return error;
	return export->options->textfile || export->options->once ? due(export) : 0;
}

/* Whatever the filter says of printing. */
static void count_event(void *context, const struct model *model, const struct change *change)
{
	const struct export_source *source = &((struct export *)context)->source;

	if (source->model && record_is_public(change->record.header->kind))
		metrics_state_count(source->metrics, source->model, source->filter, change);
}

/* --- the command ------------------------------------------------------------------------------------------
 */

static int parse_labels(const char *option, const char *list, uint32_t *ret_labels)
{
	const char *unknown;
	int length;

	if (!list || !metric_labels_parse(list, ret_labels, &unknown, &length))
		return EXIT_DONE;
	complain("%s: \"%.*s\" is no label of a metric; portsnoop(1) lists them", option, length, unknown);
	return EXIT_USAGE;
}

static int check(const struct options *options)
{
	uint64_t size = options->ring_size, page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (options->child) {
		complain("export: nothing is expected after --");
		return EXIT_USAGE;
	}
	if (options->once && (options->n_listen || options->web_config)) {
		complain("--once serves nobody: it makes no sense with --listen and --web-config");
		return EXIT_USAGE;
	}
	if (options->interval_ns && (options->once || !options->textfile)) {
		complain("--interval makes no sense %s",
			 options->once ? "with --once" : "without --textfile");
		return EXIT_USAGE;
	}
	if (options->no_events && size) {
		complain("--ring-size makes no sense with --no-events: nothing goes through the ring");
		return EXIT_USAGE;
	}
	if (size && (size < page || size > RING_MOST || size & (size - 1))) {
		complain("--ring-size %llu: expected a power of two from %lluK to 1G",
			 (unsigned long long)size, (unsigned long long)page >> 10);
		return EXIT_USAGE;
	}
	if (options->max_memory && options->max_memory < EXPORT_MEMORY_LEAST) {
		complain("--max-memory: %lluM at least", EXPORT_MEMORY_LEAST >> 20);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* A label that no counter has cannot limit what is counted. */
static int parse_words(const struct options *options, char **words, size_t n_words,
		       struct filter **ret_filter)
{
	int status = parse_filter(options, false, words, n_words, ret_filter);
	const char *key = status ? NULL : labels_unknown_key(*ret_filter);

	if (!key)
		return status;
	complain("export: \"%s\" is no label of a metric. What is counted can be limited by port, lport, "
		 "rport, "
		 "laddr, comm, proto, ipv4, ipv6, state, direction, in, out, errno, netns and container",
		 key);
	filter_free(*ret_filter);
	*ret_filter = NULL;
	return EXIT_USAGE;
}

static int open_textfile(struct export *export)
{
	const char *path = export->options->textfile;
	int error = path ? whole_file_new(path, TEXTFILE_MODE, &export->textfile) : 0;

	if (error == -EEXIST)
		complain("--textfile %s: no file, and only a file is replaced; --once prints the metrics",
			 path);
	else if (error)
		complain("--textfile %s: %s", path, strerror(-error));
	if (error == -ENOMEM)
		return EXIT_INTERNAL;
	return error ? EXIT_USAGE : EXIT_DONE;
}

static int make_source(struct export *export, const struct filter *filter, struct pipeline *pipeline)
{
	struct metrics_options metrics = {.series = export->options->series, .labels = METRICS_LABELS_ALL};
	struct export_source *source = &export->source;
	uint32_t dropped = 0;
	int status = parse_labels("--labels", export->options->labels, &metrics.labels);

	if (!status)
		status = parse_labels("--drop-labels", export->options->drop_labels, &dropped);
	if (status)
		return status;
	metrics.labels &= ~dropped;
	source->filter = filter;
	source->silent = export->options->no_events;
	source->memory.most = export->options->max_memory;
	source->metrics = metrics_new(&metrics);
	if (source->metrics)
		source->counts = metrics_counts_new(source->metrics, pipeline_model(pipeline), filter);
	if (source->counts) {
		source->model = pipeline_model(pipeline);
		return EXIT_DONE;
	}
	complain("out of memory");
	return EXIT_INTERNAL;
}

static int status_of(const struct export *export, int result, const struct fault *fault)
{
	if (!result || result == -EPIPE)
		return EXIT_DONE;
	if (*fault->text)
		return complain_of_start(fault);
	if (export->write_error && export->options->textfile) {
		complain("%s: %s", export->options->textfile, strerror(-result));
		return EXIT_OUTPUT;
	}
	return output_status(result);
}

static int run(struct export *export, struct pipeline *pipeline)
{
	const struct scrape_plan plan = {.silent = export->options->no_events,
					 .begin = begin,
					 .looked = looked,
					 .hangup = hangup,
					 .tick = tick,
					 .context = export};
	int measuring_fd = export->options->bpf_stats ? counters_measure_programs() : -1, result;
	struct fault fault = {0};

	export->source.measured = measuring_fd >= 0;
	if (export->options->bpf_stats && measuring_fd < 0)
		complain("--bpf-stats: the kernel does not measure its programs: %s",
			 strerror(-measuring_fd));
	result = session_run_scraped(export->options, pipeline, &plan, &fault);
	if (measuring_fd >= 0)
		close(measuring_fd);
	return status_of(export, result, &fault);
}

int command_export(const struct options *options, char **words, size_t n_words)
{
	struct export export = {.options = options};
	const struct pipeline_options pipeline_options = {.limits = export_memory_limits(options->max_memory),
							  .watch = count_event,
							  .watch_context = &export};
	struct pipeline *pipeline = NULL;
	struct filter *filter = NULL;
	int status = check(options);

	if (!status)
		status = parse_words(options, words, n_words, &filter);
	if (!status)
		status = open_textfile(&export);
	if (!status)
		status = check_kernel(privileges_for_tracing);
	if (!status)
		status = export_service_open(&export.service, options, render, &export);
	if (!status) {
		pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
		status = pipeline ? make_source(&export, filter, pipeline) : EXIT_INTERNAL;
	}
	if (!status)
		status = run(&export, pipeline);
	export_service_close(&export.service);
	metrics_counts_free(export.source.counts);
	metrics_free(export.source.metrics);
	whole_file_free(export.textfile);
	pipeline_free(pipeline);
	filter_free(filter);
	return status;
}
