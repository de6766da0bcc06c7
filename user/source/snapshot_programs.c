/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot_programs.h"

#include "snapshot.skel.h"
#pragma GCC diagnostic push /* generated code subtracts void pointers */
#pragma GCC diagnostic ignored "-Wpointer-arith"
#include "snapshot_lean.skel.h"
#pragma GCC diagnostic pop

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

/* --- the light skeleton -----------------------------------------------------------------------------------
 */

static int load_lean(struct snapshot_programs *programs)
{
	struct snapshot_lean_bpf *lean = snapshot_lean_bpf__open();
	int error;

	if (!lean)
		return -ENOMEM;
	error = snapshot_lean_bpf__load(lean);
	if (!error)
		error = snapshot_lean_bpf__attach(lean);
	if (error) {
		snapshot_lean_bpf__destroy(lean);
		return error;
	}
	programs->lean = lean;
	programs->links[ITERATE_TCP] = lean->links.snapshot_tcp_fd;
	programs->links[ITERATE_UDP] = lean->links.snapshot_udp_fd;
	programs->links[ITERATE_TASKS] = lean->links.snapshot_tasks_fd;
	programs->links[ITERATE_FILES] = lean->links.snapshot_files_fd;
	programs->links[ITERATE_IN_FLIGHT] = lean->links.snapshot_in_flight_fd;
	programs->covered_fd = lean->maps.covered.map_fd;
	return 0;
}

/* --- the ordinary one -------------------------------------------------------------------------------------
 */

static int size_maps(struct snapshot_bpf *full, bool serves_trace)
{
	full->rodata->knob_adopt = serves_trace;
	bpf_program__set_autoload(full->progs.snapshot_noted, serves_trace);
	/* Since 5.15 (2c860a43dd77), and only where AF_UNIX is no module. */
	if (libbpf_find_vmlinux_btf_id("unix", BPF_TRACE_ITER) < 0)
		bpf_program__set_autoload(full->progs.snapshot_in_flight, false);
	return serves_trace ? 0 : bpf_map__set_max_entries(full->maps.processes, 1);
}

static int attach(struct snapshot_programs *programs, enum iterator iterator, struct bpf_program *program,
		  struct bpf_link **ret_link)
{
	union bpf_iter_link_info map = {.map.map_fd = (__u32)bpf_map__fd(programs->full->maps.notes)};
	DECLARE_LIBBPF_OPTS(bpf_iter_attach_opts, of_map, .link_info = &map, .link_info_len = sizeof(map));
	struct bpf_link *link;

	if (!bpf_program__autoload(program))
		return 0;
	link = bpf_program__attach_iter(program, iterator == ITERATE_NOTED ? &of_map : NULL);
	if (!link)
		return -errno;
	*ret_link = link;
	programs->links[iterator] = bpf_link__fd(link);
	return 0;
}

static int attach_full(struct snapshot_programs *programs)
{
	struct snapshot_bpf *full = programs->full;
	int error = attach(programs, ITERATE_TCP, full->progs.snapshot_tcp, &full->links.snapshot_tcp);

	if (!error)
		error = attach(programs, ITERATE_UDP, full->progs.snapshot_udp, &full->links.snapshot_udp);
	if (!error)
		error = attach(programs, ITERATE_TASKS, full->progs.snapshot_tasks,
			       &full->links.snapshot_tasks);
	if (!error)
		error = attach(programs, ITERATE_FILES, full->progs.snapshot_files,
			       &full->links.snapshot_files);
	if (!error)
		error = attach(programs, ITERATE_IN_FLIGHT, full->progs.snapshot_in_flight,
			       &full->links.snapshot_in_flight);
	if (!error)
		error = attach(programs, ITERATE_NOTED, full->progs.snapshot_noted,
			       &full->links.snapshot_noted);
	return error;
}

static int load_full(struct snapshot_programs *programs, const struct snapshot_options *options,
		     struct fault *fault)
{
	struct snapshot_bpf *full = snapshot_bpf__open();
	int error;

	if (!full)
		return fault_set(fault, -errno, "cannot read the kernel's type information (BTF): %s",
				 strerror(errno));
	programs->full = full;
	error = size_maps(full, options->serves_trace);
	if (!error)
		error = snapshot_bpf__load(full);
	if (!error)
		error = attach_full(programs);
	if (!error) {
		programs->covered_fd = bpf_map__fd(full->maps.covered);
		programs->notes_fd = bpf_map__fd(full->maps.notes);
		programs->processes_fd = bpf_map__fd(full->maps.processes);
		return 0;
	}
	return fault_set_refused(fault, error, "the BPF iterators");
}

/* --- both -------------------------------------------------------------------------------------------------
 */

int snapshot_programs_load(struct snapshot_programs *programs, const struct snapshot_options *options,
			   struct fault *fault)
{
	*programs = (struct snapshot_programs){.covered_fd = -1, .notes_fd = -1, .processes_fd = -1};
	for (int i = 0; i < ITERATOR_COUNT; i++)
		programs->links[i] = -1;
	/* Kernels below 5.17, and who knows what else: the ordinary one says why it cannot be. */
	if (options->lean && load_lean(programs) == 0)
		return 0;
	return load_full(programs, options, fault);
}

/* Two types of the same layout, since each skeleton has its own. */
#define BEGIN(walk)                                                                                          \
	do {                                                                                                 \
		memset(&(walk), 0, sizeof(walk));                                                            \
		(walk).source = what->source;                                                                \
		(walk).ports_only = what->ports_only;                                                        \
		(walk).no_remains = what->no_remains;                                                        \
		(walk).port = what->port;                                                                    \
	} while (0)

void snapshot_programs_begin(struct snapshot_programs *programs, const struct snapshot_walk *what)
{
	if (programs->lean)
		BEGIN(programs->lean->bss->walk);
	else
		BEGIN(programs->full->bss->walk);
}

void snapshot_programs_set_netns(struct snapshot_programs *programs, uint32_t inode)
{
	if (programs->lean)
		programs->lean->bss->walk.netns = inode;
	else
		programs->full->bss->walk.netns = inode;
}

bool snapshot_programs_notes_kill(const struct snapshot_programs *programs)
{
	return programs->full && programs->full->bss->walk.notes_kill;
}

void snapshot_programs_close(struct snapshot_programs *programs)
{
	snapshot_lean_bpf__destroy(programs->lean);
	snapshot_bpf__destroy(programs->full);
}
