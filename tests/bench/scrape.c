/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a scrape of `export` takes without the kernel: series from the tables and from counters, and their
 * text. No kernel, no privileges.
 *
 * usage: scrape ROUNDS LISTENERS PROCESSES
 *
 * {"series":…,"lines":…,"bytes":…,"first_ns":…,"scrape_ns":[…]}; CPU time. Of these the first scrape makes
 * the series, later ones find them. Under callgrind, collect in scrape_once() alone (tests/bench/run does).
 */
#include "mix.h"

#include "core/metrics_counts.h"
#include "core/metrics_state.h"
#include "core/model.h"
#include "view/metrics_text.h"

#define FIRST_PORT 10000
#define FIRST_PID  1000
#define KEYS_MAX   1000 /* as many have a histogram each */

struct bench {
	struct model *model;
	struct metrics *metrics;
	struct metrics_counts *counts;
	struct metrics_text text;
	unsigned listeners, processes;
};

/* --- the tables -------------------------------------------------------------------------------------------
 */

static void apply(struct bench *bench, const void *data, size_t size)
{
	struct record record;
	struct change change;

	if (record_decode(data, size, &record) || model_apply(bench->model, &record, &change))
		die("a record was refused");
}

static void tell(struct bench *bench, enum meta_type type, uint64_t key, const char *text)
{
	union {
		struct rec_meta meta;
		char room[sizeof(struct rec_meta) + 160];
	} u = {.meta = {.key = key, .type = (uint16_t)type, .length = (uint16_t)strlen(text)}};

	u.meta.header.kind = REC_META;
	u.meta.header.size = sizeof(u);
	memcpy(u.meta.text, text, strlen(text));
	apply(bench, &u, sizeof(u));
}

static unsigned pid_of(const struct bench *bench, unsigned listener)
{
	return FIRST_PID + listener % bench->processes;
}

/* Every other one in a container. */
static void add_process(struct bench *bench, unsigned pid)
{
	struct rec_process record = {
		.header = header_of(REC_PROCESS, sizeof(record), 0), .task = task_of(pid), .parent_pid = 1};
	char path[128];

	snprintf(path, sizeof(path),
		 pid % 2 ? "/system.slice/docker-%064x.scope" : "/system.slice/%u.service", pid);
	tell(bench, META_CGROUP, pid, path);
	record.task.cgroup_id = pid;
	record.path_length =
		(uint16_t)snprintf(record.path, sizeof(record.path), "/usr/sbin/program-%u", pid);
	record.header.flags = REC_F_TASK | PROCESS_F_TEXT_PATH;
	apply(bench, &record, sizeof(record));
}

static void add_listener(struct bench *bench, unsigned number)
{
	struct rec_socket_row row = {
		.fact = {.header = header_of(REC_SOCKET, sizeof(row), number),
			 .socket = {.cookie = LISTENER + number,
				    .netns = NETNS,
				    .local_addr = {127, 0, 0, 1},
				    .local_port = (uint16_t)(FIRST_PORT + number),
				    .protocol = IPPROTO_TCP,
				    .family = AF_INET,
				    .state = 10}}, /* LISTEN */
		.queue_limit = 128,
	};
	struct rec_holder holder = {.header = header_of(REC_HOLDER, sizeof(holder), number),
				    .task = task_of(pid_of(bench, number)),
				    .cookie = LISTENER + number,
				    .protocol = IPPROTO_TCP,
				    .fd = 3};

	row.fact.header.flags = REC_F_SOCKET;
	holder.header.flags = REC_F_TASK;
	holder.task.cgroup_id = holder.task.pid;
	apply(bench, &row, sizeof(row));
	apply(bench, &holder, sizeof(holder));
}

static void fill(struct bench *bench)
{
	tell(bench, META_CLOCK, UINT64_C(1790000000000000000), "");
	tell(bench, META_RANGE, NETNS, "32768 60999");
	for (unsigned i = 0; i < bench->processes; i++)
		add_process(bench, FIRST_PID + i);
	for (unsigned i = 0; i < bench->listeners; i++)
		add_listener(bench, i);
}

/* --- a scrape ---------------------------------------------------------------------------------------------
 */

/* Connections that were accepted, and that ended, at some of the listeners. */
static void tell_counters(struct bench *bench)
{
	const struct span span = {
		.n = 1000, .sent = 123456, .received = 789, .sum_ns = 41000000, .buckets = {500, 400, 100}};
	struct count_key key = {.netns = NETNS, .direction = DIRECTION_IN, .reason = CLOSE_PEER};
	char name[COUNT_NAME_LEN];

	for (unsigned i = 0; i < bench->listeners && i < KEYS_MAX; i++) {
		key.name = COUNT_NAME_FIRST + i % bench->processes;
		key.port = (uint16_t)(FIRST_PORT + i);
		key.cgroup_id = pid_of(bench, i);
		snprintf(name, sizeof(name), "program-%u", pid_of(bench, i));
		metrics_counts_name(bench->counts, key.name, name);
		for (key.kind = COUNT_ACCEPT; key.kind <= COUNT_CLOSE; key.kind++)
			metrics_counts_span(bench->counts, &key, &span, false);
	}
}

__attribute__((noinline)) void scrape_once(struct bench *bench);

void scrape_once(struct bench *bench)
{
	metrics_begin(bench->metrics);
	tell_counters(bench);
	if (metrics_state_tell(bench->metrics, bench->model, NULL, BOOT_NS))
		die("out of memory");
	metrics_end(bench->metrics);
	if (metrics_render(bench->metrics, EXPOSITION_TEXT, &bench->text))
		die("out of memory");
}

static unsigned long long timed_scrape(struct bench *bench)
{
	uint64_t begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	free(bench->text.data);
	bench->text.data = NULL;
	scrape_once(bench);
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun;
}

static unsigned count_lines(const struct metrics_text *text)
{
	unsigned lines = 0;

	for (size_t i = 0; i < text->length; i++)
		lines += text->data[i] == '\n';
	return lines;
}

int main(int argc, char **argv)
{
	const struct metrics_options options = {.labels = METRICS_LABELS_ALL};
	struct bench bench = {.model = model_new(NULL), .metrics = metrics_new(&options)};
	unsigned long long first;
	unsigned rounds;

	if (argc != 4)
		die("usage: scrape ROUNDS LISTENERS PROCESSES");
	rounds = count_of(argv[1]);
	bench.listeners = count_of(argv[2]);
	bench.processes = count_of(argv[3]);
	if (!bench.model || !bench.metrics ||
	    !(bench.counts = metrics_counts_new(bench.metrics, bench.model, NULL)))
		die("out of memory");
	fill(&bench);
	first = timed_scrape(&bench);
	printf("{\"series\":%zu,\"lines\":%u,\"bytes\":%zu,\"first_ns\":%llu,\"scrape_ns\":[",
	       metrics_series_count(bench.metrics), count_lines(&bench.text), bench.text.length, first);
	for (unsigned i = 0; i < rounds; i++)
		printf("%s%llu", i ? "," : "", timed_scrape(&bench));
	printf("]}\n");
	free(bench.text.data);
	metrics_counts_free(bench.counts);
	metrics_free(bench.metrics);
	model_free(bench.model);
	return 0;
}
