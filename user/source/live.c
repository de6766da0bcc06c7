/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/live_inside.h"

#include "source/refusals.h"
#include "system/mounts.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS 50000000 /* for a program that was preempted while it wrote a record */

/* Of the groups that make up calls, the first that could not be told. A negative errno. */
static int first_error(const struct functions_told *functions)
{
	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		if (TOLD_CALLS >> group & 1 && functions->errors[group])
			return -functions->errors[group];
	return -ENOTSUP;
}

/* Functions were asked for, and tell nothing. */
static int fail_without_functions(const struct live *live, struct fault *fault)
{
	bool probed = live->options.backend == BACKEND_KPROBE;
	int error = probed ? live->kprobes_error : live->functions_error;
	char reason[FINDING_TEXT_MAX];

	if (!error)
		error = first_error(probed ? &live->attachment.kprobes : &live->attachment.functions);
	fault->unsupported = true;
	return fault_set(fault, error, "%s; leave --backend out",
			 probed ? finding_kprobes_reason(-error, false, reason)
				: finding_functions_reason(-error, false, reason));
}

static bool is_forced_in_vain(const struct live *live)
{
	const struct attachment *attachment = &live->attachment;
	enum live_backend backend = live->options.backend;

	return (backend == BACKEND_FENTRY && !(attachment->functions.told & TOLD_CALLS)) ||
	       (backend == BACKEND_KPROBE && !(attachment->kprobes.told & TOLD_CALLS));
}

static int attach(struct live *live, struct fault *fault)
{
	struct attach_plan plan = {.kprobes = live->kprobes,
				   .no_udp_send = live->options.no_udp_send,
				   .search = live->options.search};
	struct finding findings[FACT_COUNT];
	char remark[768];
	int error;

	live->attachment.host = true; /* without cgroup programs, all that is left sees the machine */
	live->cgroup2_fd = mounts_open_cgroup2(&live->attachment.host);
	plan.cgroup2_fd = live->cgroup2_fd;
	error = attach_all(&live->attachment, live->skeleton->obj, &live->skeleton->bss->control, &plan);
	if (!error && is_forced_in_vain(live))
		return fail_without_functions(live, fault);
	if (!error) {
		live->adopter = bpf_program__attach_iter(live->skeleton->progs.owner_adopt, NULL);
		return 0;
	}
	fault->unsupported = true;
	live_findings(live, findings);
	return fault_set(fault, error, "no hook could be attached: %s",
			 findings_remark(findings, remark, sizeof(remark)));
}

static int map_memory(struct live *live, struct fault *fault)
{
	struct live_bpf *skeleton = live->skeleton;
	int error;

	error = ring_open(&live->ring, bpf_map__fd(skeleton->maps.ring),
			  bpf_map__max_entries(skeleton->maps.ring), &skeleton->bss->control);
	if (!error)
		error = books_open(&live->books, skeleton->obj, bpf_map__fd(skeleton->maps.cpus),
				   bpf_map__max_entries(skeleton->maps.cpus));
	return error ? fault_set(fault, error, "cannot map the ring buffer: %s", strerror(-error)) : 0;
}

int live_open(const struct live_options *options, struct live **ret_live, struct fault *fault)
{
	struct live *live = calloc(1, sizeof(*live));
	int error;

	if (!live)
		return fault_set(fault, -ENOMEM, "out of memory");
	live->cgroup2_fd = -1;
	live->maps.origins = -1;
	live->types = (struct type_excerpt)TYPE_EXCERPT_NONE;
	live->options = *options;
	error = live_prepare(live, fault);
	if (error) {
		live_close(live);
		return error;
	}
	*ret_live = live;
	return 0;
}

int live_attach(struct live *live, struct shared_maps maps, struct fault *fault)
{
	int error;

	live->maps = maps;
	error = live_load(live, fault);
	type_excerpt_close(&live->types);
	live->options.kernel = NULL;
	if (!error)
		error = map_memory(live, fault);
	return error ? error : attach(live, fault);
}

bool live_lacks_spares(const struct live *live)
{
	return live->relied_on & ~attach_told(&live->attachment);
}

int live_adopter(const struct live *live)
{
	return live->adopter ? bpf_link__fd(live->adopter) : -1;
}

int live_fd(const struct live *live)
{
	return live->ring.map_fd;
}

static int take_record(void *context, const void *record, size_t size)
{
	return sink_put(context, record, size);
}

int live_drain(struct live *live, const struct sink *sink, size_t *ret_count)
{
	struct sink to = *sink;

	return ring_drain(&live->ring, 0, take_record, &to, ret_count);
}

int live_catch_up(struct live *live, const struct sink *sink, size_t *ret_count)
{
	struct sink to = *sink;

	return ring_catch_up(&live->ring, PATIENCE_NS, take_record, &to, ret_count);
}

bool live_may_sleep(struct live *live)
{
	return ring_may_sleep(&live->ring);
}

bool live_has_lost(struct live *live)
{
	__u64 *lost = &live->skeleton->bss->control.lost;
	bool told = live->books.news;

	live->books.news = false;
	return told ||
	       (__atomic_load_n(lost, __ATOMIC_RELAXED) && __atomic_exchange_n(lost, 0, __ATOMIC_RELAXED));
}

static int look_after(struct live *live, bool final, const struct sink *sink)
{
	struct control *control = &live->skeleton->bss->control;
	int result = 0;

	attach_tick(&live->attachment, live->skeleton->obj);
	books_look_at_calls(&live->books);
	if (__atomic_exchange_n(&control->refuse_pending, 0, __ATOMIC_RELAXED))
		result = refusals_flush(bpf_map__fd(live->skeleton->maps.refused), sink);
	return result ? result : books_tell(&live->books, final, sink);
}

int live_tick(struct live *live, const struct sink *sink)
{
	return look_after(live, false, sink);
}

int live_put_ready(struct live *live, const struct sink *sink, uint32_t sockets, uint32_t processes,
		   uint32_t namespaces)
{
	struct rec_ready record = {
		.header = {.size = sizeof(record), .kind = REC_READY, .time_ns = proc_boottime_ns()},
		.schema = PORTSNOOP_SCHEMA,
		.uncountable = books_uncountable(&live->books),
		.sockets = sockets,
		.processes = processes,
		.namespaces = namespaces,
		.scope = live->attachment.host ? SCOPE_HOST : SCOPE_CONTAINER,
	};

	memcpy(record.probes, live->attachment.probes, sizeof(live->attachment.probes));
	return sink_put(sink, &record, sizeof(record));
}

/* Detaching takes the kernel 70 ms a tracepoint; that can wait until people have their summary. */
static void stop_emitting(struct live *live)
{
	__atomic_store_n(&live->skeleton->bss->control.stopped, 1, __ATOMIC_SEQ_CST);
	attach_wait_for_programs();
}

int live_stop(struct live *live, const struct sink *sink)
{
	size_t count;
	int result;

	stop_emitting(live);
	result = live_drain(live, sink, &count);
	return result ? result : look_after(live, true, sink);
}

int live_put_summary(struct live *live, const struct sink *sink)
{
	return books_put_summary(&live->books, sink);
}

bool live_can_read(const void *context)
{
	const struct live *live = context;
	struct cpu_counters counters;
	uint32_t first = 0;

	return bpf_map_lookup_elem(bpf_map__fd(live->skeleton->maps.cpus), &first, &counters) == 0 &&
	       books_can_read(&live->books);
}

void live_table_full(struct live *live, uint64_t rows)
{
	live->books.table_full = rows;
}

void live_findings(const struct live *live, struct finding ret_findings[FACT_COUNT])
{
	attach_findings(&live->attachment, live_wants(live, BACKEND_FENTRY) ? -live->functions_error : 0,
			live_wants(live, BACKEND_KPROBE) ? -live->kprobes_error : 0, ret_findings);
}

bool live_is_whole(const struct live *live)
{
	return attach_is_whole(&live->attachment);
}

bool live_sees_host(const struct live *live)
{
	return live->attachment.host;
}

struct counters live_counters(const struct live *live)
{
	const struct live_bpf *skeleton = live->skeleton;

	return (struct counters){
		.counts_fd = bpf_map__fd(skeleton->maps.counts),
		.spans_fd = bpf_map__fd(skeleton->maps.spans),
		.counts_other_fd = bpf_map__fd(skeleton->maps.counts_other),
		.spans_other_fd = bpf_map__fd(skeleton->maps.spans_other),
		.names_fd = bpf_map__fd(skeleton->maps.count_names),
		.counting = &skeleton->bss->counting,
		.object = skeleton->obj,
	};
}

void live_read_books(const struct live *live, uint64_t ret_emitted[SUMMARY_KINDS],
		     uint64_t ret_lost[LOSS_STAGE_COUNT])
{
	books_read_emitted(&live->books, ret_emitted);
	books_read(&live->books, ret_lost);
}

const uint8_t *live_probes(const struct live *live)
{
	return live->attachment.probes;
}

int live_cgroup2_fd(const struct live *live)
{
	return live->cgroup2_fd;
}

void live_close(struct live *live)
{
	if (!live)
		return;
	attach_end(&live->attachment);
	books_close(&live->books);
	ring_close(&live->ring);
	if (live->cgroup2_fd >= 0)
		close(live->cgroup2_fd);
	bpf_link__destroy(live->adopter);
	live_bpf__destroy(live->skeleton);
	type_excerpt_close(&live->types);
	free(live);
}
