/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/live.h"

#include <portsnoop/counters.h>

#include "live.skel.h"
#include "old_live.skel.h"
#include "source/attach.h"
#include "source/books.h"
#include "source/cookies.h"
#include "source/functions.h"
#include "source/kprobes.h"
#include "source/object.h"
#include "source/old_kernel.h"
#include "source/refusals.h"
#include "source/ring.h"
#include "system/mounts.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

_Static_assert(sizeof(struct live_bpf__bss) == sizeof(struct old_live_bpf__bss) &&
		       sizeof(struct live_bpf__rodata) == sizeof(struct old_live_bpf__rodata),
	       "the programs for old kernels have the same variables");

#define URING_ARGS_WITH_CQE 3 /* (ctx, req, cqe); before, the result stands among seven */

#define PATIENCE_NS 50000000 /* for a program that was preempted while it wrote a record */

struct live {
	struct live_bpf *skeleton;
	struct attachment attachment;
	struct books books;
	struct ring ring;
	struct live_options options;
	struct type_excerpt types; /* for what is to be loaded */
	struct shared_maps maps;
	int cgroup2_fd;
	uint32_t kprobes;    /* TOLD_*: what they are to tell */
	int functions_error; /* why returns of functions are not used, a negative errno */
	int kprobes_error;   /* likewise */
};

/* Counters take memory only where they are wanted; nothing is sent where nothing else is. */
static void fit_counters(struct live_bpf *skeleton, const struct live_options *options)
{
	struct bpf_map *tables[] = {skeleton->maps.counts, skeleton->maps.spans, skeleton->maps.accepters,
				    skeleton->maps.count_names};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !options->counters; i++)
		bpf_map__set_max_entries(tables[i], 1);
	if (options->silent)
		bpf_map__set_max_entries(skeleton->maps.ring, (uint32_t)sysconf(_SC_PAGESIZE));
}

static void set_knobs(struct live_bpf *skeleton, const struct live_options *options, const struct btf *kernel)
{
	skeleton->rodata->knob_attempts = options->attempts;
	skeleton->rodata->knob_search = options->search;
	skeleton->rodata->knob_follow = options->follow;
	skeleton->rodata->knob_counters = options->counters;
	skeleton->rodata->knob_silent = options->silent;
	skeleton->rodata->knob_uring_cqe =
		attach_tracepoint_arity(kernel, "io_uring_complete") == URING_ARGS_WITH_CQE;
	bpf_map__set_max_entries(skeleton->maps.ring,
				 options->ring_size ? options->ring_size : LIVE_RING_DEFAULT);
	bpf_map__set_max_entries(skeleton->maps.cpus, (uint32_t)libbpf_num_possible_cpus());
	fit_counters(skeleton, options);
}

/* Kernels below 5.11 count BPF memory against this limit; later ones ignore it. */
static void raise_memlock(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &all);
}

/* Those that functions can tell, and are wanted. */
static uint32_t groups_wanted(const struct live_options *options)
{
	return TOLD_CALLS | (options->no_udp_send ? 0 : TOLD_AUTOBIND);
}

static bool wants(const struct live *live, enum live_backend way)
{
	return live->options.backend == BACKEND_AUTO || live->options.backend == way;
}

/* What kprobes keep takes memory only where they are used. */
static void fit_kprobes(struct live *live)
{
	struct live_bpf *skeleton = live->skeleton;

	skeleton->rodata->knob_kprobes = live->kprobes;
	if (live->kprobes) {
		kprobes_choose(skeleton->obj, live->kprobes);
		return;
	}
	bpf_map__set_max_entries(skeleton->maps.probed_calls, 1);
	bpf_map__set_max_entries(skeleton->maps.ports_told, 1);
}

/* Each way is tried where the better one leaves something to tell. */
static void choose_functions(struct live *live, const struct btf *kernel)
{
	uint32_t left = groups_wanted(&live->options);
	bool no_udp_send = live->options.no_udp_send;

	if (!wants(live, BACKEND_FENTRY))
		live->functions_error = -ENOTSUP;
	else if (!live->functions_error)
		live->functions_error = functions_probe(kernel);
	if (!live->functions_error)
		left &= ~functions_choose(live->skeleton->obj, kernel, no_udp_send);
	if (!wants(live, BACKEND_KPROBE))
		live->kprobes_error = -ENOTSUP;
	else if (left && !live->kprobes_error)
		live->kprobes_error = kprobes_probe();
	live->kprobes = live->kprobes_error ? 0 : left;
	fit_kprobes(live);
}

/* What this kernel has decides what is loaded and how. */
static void fit_to_kernel(struct live *live)
{
	const struct btf *kernel = live->options.kernel;

	set_knobs(live->skeleton, &live->options, kernel);
	attach_choose(live->skeleton->obj, kernel, live->options.no_udp_send);
	bpf_program__set_autoload(live->skeleton->progs.port_chosen, live->options.search);
	choose_functions(live, kernel);
}

/* The walks have found out which programs this kernel takes. */
static bool is_old(const struct live *live)
{
	return live->maps.origins >= 0;
}

static int prepare(struct live *live, struct fault *fault)
{
	size_t size;
	const void *elf = is_old(live) ? old_live_bpf__elf_bytes(&size) : live_bpf__elf_bytes(&size);
	int error;

	type_excerpt_close(&live->types);
	live->skeleton = calloc(1, sizeof(*live->skeleton));
	error = live->skeleton ? live_bpf__create_skeleton(live->skeleton) : -ENOMEM;
	if (!error)
		error = object_open(live->skeleton->skeleton, elf, size, live->options.kernel, &live->types);
	if (error)
		return fault_set(fault, error, "the BPF programs cannot be read: %s", strerror(-error));
	fit_to_kernel(live);
	return 0;
}

static int load_once(struct live *live)
{
	int error = bpf_map__reuse_fd(live->skeleton->maps.notes, live->maps.notes);

	if (!error)
		error = bpf_map__reuse_fd(live->skeleton->maps.processes, live->maps.processes);
	if (!error && is_old(live))
		error = bpf_map__reuse_fd(bpf_object__find_map_by_name(live->skeleton->obj, "origins"),
					  live->maps.origins);
	return error ? error : live_bpf__load(live->skeleton);
}

static int load_anew(struct live *live, struct fault *fault)
{
	int error;

	live_bpf__destroy(live->skeleton);
	live->skeleton = NULL;
	error = prepare(live, fault);
	return error ? error : load_once(live);
}

/* A kernel that refuses one of the programs for functions has the next way to fall back on. */
static int load_next_way(struct live *live, int error, struct fault *fault)
{
	if (live->kprobes)
		live->kprobes_error = error;
	else
		live->functions_error = error;
	return load_anew(live, fault);
}

static int load(struct live *live, struct fault *fault)
{
	int error;

	raise_memlock();
	error = is_old(live) ? load_anew(live, fault) : load_once(live);
	while (error && (live->kprobes || !live->functions_error))
		error = load_next_way(live, error, fault);
	if (!error)
		return 0;
	return is_old(live) ? old_kernel_fault(fault, error, "the BPF programs")
			    : fault_set_refused(fault, error, "the BPF programs");
}

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
		if (is_old(live))
			cookies_make(); /* one that fails is told by the walk that follows */
		attach_run_iterator(live->skeleton->progs.owner_adopt);
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
	error = prepare(live, fault);
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
	error = load(live, fault);
	type_excerpt_close(&live->types);
	live->options.kernel = NULL;
	if (!error)
		error = map_memory(live, fault);
	return error ? error : attach(live, fault);
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
	attach_findings(&live->attachment, wants(live, BACKEND_FENTRY) ? -live->functions_error : 0,
			wants(live, BACKEND_KPROBE) ? -live->kprobes_error : 0, ret_findings);
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
	live_bpf__destroy(live->skeleton);
	type_excerpt_close(&live->types);
	free(live);
}
