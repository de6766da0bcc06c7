/* SPDX-License-Identifier: GPL-2.0-only */
/* What of the programs is loaded, and how: what this kernel has, and what is asked for. */
#include "source/live_inside.h"

#include "old_live.skel.h"
#include "source/functions.h"
#include "source/kprobes.h"
#include "source/object.h"
#include "source/old_kernel.h"

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

bool live_wants(const struct live *live, enum live_backend way)
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

	if (!live_wants(live, BACKEND_FENTRY))
		live->functions_error = -ENOTSUP;
	else if (!live->functions_error)
		live->functions_error = functions_probe(kernel);
	live->functions =
		live->functions_error ? 0 : functions_choose(live->skeleton->obj, kernel, no_udp_send);
	left &= ~live->functions;
	if (!live_wants(live, BACKEND_KPROBE))
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
	live->relied_on = live->options.spares ? 0 : live->functions | kprobes_sure(kernel, live->kprobes);
	attach_leave_out(live->skeleton->obj, live->functions & live->relied_on,
			 live->kprobes & live->relied_on);
	if (live->options.search) {
		bpf_program__set_autoload(live->skeleton->progs.cgroup_bind4, true);
		bpf_program__set_autoload(live->skeleton->progs.cgroup_bind6, true);
	}
}

bool live_is_old(const struct live *live)
{
	return live->maps.origins >= 0;
}

int live_prepare(struct live *live, struct fault *fault)
{
	size_t size;
	const void *elf = live_is_old(live) ? old_live_bpf__elf_bytes(&size) : live_bpf__elf_bytes(&size);
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
	if (!error && live_is_old(live))
		error = bpf_map__reuse_fd(bpf_object__find_map_by_name(live->skeleton->obj, "origins"),
					  live->maps.origins);
	return error ? error : live_bpf__load(live->skeleton);
}

static int load_anew(struct live *live, struct fault *fault)
{
	int error;

	live_bpf__destroy(live->skeleton);
	live->skeleton = NULL;
	error = live_prepare(live, fault);
	return error ? error : load_once(live);
}

/* A kernel that refuses one of the programs for functions has the next way to fall back on. */
static int load_next_way(struct live *live, int error, struct fault *fault)
{
	if (live->kprobes)
		live->kprobes_error = error;
	else
		live->functions_error = error;
	live->kprobes = 0; /* until it is chosen anew, which may fail before that */
	return load_anew(live, fault);
}

int live_load(struct live *live, struct fault *fault)
{
	int error;

	raise_memlock();
	error = live_is_old(live) ? load_anew(live, fault) : load_once(live);
	while (error && (live->kprobes || !live->functions_error))
		error = load_next_way(live, error, fault);
	if (!error)
		return 0;
	return live_is_old(live) ? old_kernel_fault(fault, error, "the BPF programs")
				 : fault_set_refused(fault, error, "the BPF programs");
}
