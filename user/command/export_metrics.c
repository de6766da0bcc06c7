/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/export_metrics.h"

#include "core/metrics_state.h"
#include "core/record.h"
#include "system/proc.h"
#include "system/self.h"

static void tell(struct metrics *metrics, enum metric_family family, double value)
{
	const struct metric_labels none = {{NULL}};

	metrics_add(metrics, family, &none, value);
}

static void tell_of(struct metrics *metrics, enum metric_family family, enum metric_label label,
		    const char *text, double value)
{
	struct metric_labels labels = {{NULL}};

	labels.value[label] = text;
	metrics_add(metrics, family, &labels, value);
}

/* --- the kernel side --------------------------------------------------------------------------------------
 */

static void tell_books(const struct export_source *source, const struct live *live)
{
	uint64_t emitted[SUMMARY_KINDS], lost[LOSS_STAGE_COUNT];

	live_read_books(live, emitted, lost);
	for (unsigned kind = 0; kind < SUMMARY_KINDS && !source->silent; kind++)
		if (emitted[kind])
			tell_of(source->metrics, FAMILY_EVENTS, LABEL_KIND, record_kind_name(kind),
				(double)emitted[kind]);
	for (unsigned stage = 0; stage < LOSS_STAGE_COUNT; stage++)
		tell_of(source->metrics, FAMILY_LOST, LABEL_STAGE, record_stage_name(stage),
			(double)lost[stage]);
}

static int tell_program(void *context, const struct counters_program *program)
{
	const struct export_source *source = context;

	tell_of(source->metrics, FAMILY_BPF_MISSED, LABEL_PROGRAM, program->name, (double)program->missed);
	if (!source->measured)
		return 0;
	tell_of(source->metrics, FAMILY_BPF_SECONDS, LABEL_PROGRAM, program->name,
		(double)program->run_time_ns / 1e9);
	tell_of(source->metrics, FAMILY_BPF_RUNS, LABEL_PROGRAM, program->name, (double)program->runs);
	return 0;
}

static void tell_probes(struct metrics *metrics, const uint8_t probes[FACT_COUNT])
{
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		struct metric_labels labels = {{NULL}};

		if (probes[fact] == PROBE_NONE)
			continue;
		labels.value[LABEL_FACT] = record_fact_name(fact);
		labels.value[LABEL_PROBE] = record_probe_name(probes[fact]);
		metrics_add(metrics, FAMILY_PROBE, &labels, 1);
	}
}

static void tell_table(struct metrics *metrics, const char *table, uint64_t entries, uint64_t capacity)
{
	tell_of(metrics, FAMILY_TABLE_ENTRIES, LABEL_TABLE, table, (double)entries);
	tell_of(metrics, FAMILY_TABLE_CAPACITY, LABEL_TABLE, table, (double)capacity);
}

static uint64_t add_up(const __u64 *numbers, unsigned from, unsigned to)
{
	uint64_t sum = 0;

	for (unsigned i = from; i < to; i++)
		sum += __atomic_load_n(&numbers[i], __ATOMIC_RELAXED);
	return sum;
}

static void tell_left_out(struct metrics *metrics, const char *table, uint64_t rows)
{
	tell_of(metrics, FAMILY_TABLE_LEFT_OUT, LABEL_TABLE, table, (double)rows);
}

static void tell_tables(struct export_source *source, const struct counting *counting)
{
	const struct model_limits limits = model_limits(source->model);
	struct metrics *metrics = source->metrics;
	uint64_t other = add_up(counting->other, 0, COUNT_KIND_COUNT) + counting->names_other;

	tell_table(metrics, "sockets", model_socket_count(source->model), limits.sockets);
	tell_table(metrics, "processes", model_process_count(source->model), limits.processes);
	tell_left_out(metrics, "sockets", model_rows_left_out(source->model));
	tell_left_out(metrics, "processes", model_processes_evicted(source->model));
	tell_table(metrics, "counts", add_up(counting->keys, 0, COUNT_FIRST_SPAN), COUNTS_MAX);
	tell_table(metrics, "spans", add_up(counting->keys, COUNT_FIRST_SPAN, COUNT_KIND_COUNT), SPANS_MAX);
	tell_table(metrics, "names", counting->names, COUNT_NAMES_MAX);
	tell_table(metrics, "series", metrics_series_count(metrics), metrics_series_limit(metrics));
	metrics_count_dropped(metrics, other - source->other);
	source->other = other;
}

/* --- portsnoop itself -------------------------------------------------------------------------------------
 */

static void tell_build(struct metrics *metrics)
{
	struct metric_labels labels = {{NULL}};

	labels.value[LABEL_VERSION] = PORTSNOOP_VERSION;
	labels.value[LABEL_LIBBPF] = counters_libbpf_version();
	metrics_add(metrics, FAMILY_BUILD, &labels, 1);
}

static void tell_self(struct metrics *metrics)
{
	struct self_cost cost;

	if (self_cost_read(&cost))
		return;
	tell(metrics, FAMILY_CPU, cost.cpu_s);
	tell(metrics, FAMILY_RESIDENT, (double)cost.resident_bytes);
	tell(metrics, FAMILY_VIRTUAL, (double)cost.virtual_bytes);
	tell(metrics, FAMILY_OPEN_FDS, (double)cost.open_fds);
	tell(metrics, FAMILY_MAX_FDS, (double)cost.max_fds);
	tell(metrics, FAMILY_START_TIME, cost.started_s);
}

static void tell_times(const struct export_source *source, const struct scrape *scrape)
{
	uint64_t age_ns = proc_boottime_ns() - scrape->begun_ns;

	tell(source->metrics, FAMILY_STATE_AGE, (double)age_ns / 1e9);
	tell(source->metrics, FAMILY_WALK_DURATION, (double)scrape->took_ns / 1e9);
	if (source->scrape_s > 0)
		tell(source->metrics, FAMILY_SCRAPE_DURATION, source->scrape_s);
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

int export_collect(struct export_source *source, struct scrape *scrape)
{
	const struct counters_reader reader = {.name = metrics_counts_name,
					       .count = metrics_counts_count,
					       .span = metrics_counts_span,
					       .context = source->counts};
	const struct counters counters = live_counters(scrape->live);
	struct metrics *metrics = source->metrics;
	int error;

	metrics_begin(metrics);
	export_memory_begin(&source->memory, metrics, source->model);
	error = scrape_read_counters(scrape, &reader);
	if (!error)
		error = metrics_state_tell(metrics, source->model, source->filter, proc_boottime_ns());
	if (error)
		return error;
	tell_build(metrics);
	tell_probes(metrics, live_probes(scrape->live));
	tell_books(source, scrape->live);
	counters_each_program(&counters, tell_program, source);
	tell_tables(source, counters.counting);
	tell_times(source, scrape);
	tell_self(metrics);
	export_memory_tell(&source->memory, metrics);
	tell(metrics, FAMILY_SERIES_DROPPED, (double)metrics_dropped(metrics));
	metrics_end(metrics);
	return 0;
}
