/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot_programs.h"

#include <portsnoop/walk.h>

#include "snapshot.skel.h"
#pragma GCC diagnostic push /* generated code subtracts void pointers */
#pragma GCC diagnostic ignored "-Wpointer-arith"
#include "lean_holders.skel.h"
#include "lean_mptcp.skel.h"
#include "lean_sockets.skel.h"
#pragma GCC diagnostic pop

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

/* --- the light skeletons ----------------------------------------------------------------------------------
 */

static int load_lean_sockets(struct snapshot_programs *programs)
{
	struct lean_sockets_bpf *lean = lean_sockets_bpf__open();
	int error;

	if (!lean)
		return -ENOMEM;
	programs->lean_sockets = lean;
	error = lean_sockets_bpf__load(lean);
	if (!error)
		error = lean_sockets_bpf__attach(lean);
	if (error)
		return error;
	programs->links[ITERATE_TCP] = lean->links.snapshot_tcp_fd;
	programs->links[ITERATE_UDP] = lean->links.snapshot_udp_fd;
	programs->links[ITERATE_TASKS] = lean->links.snapshot_tasks_fd;
	programs->sockets = &lean->bss->walk;
	return 0;
}

static int load_lean_holders(struct snapshot_programs *programs)
{
	struct lean_holders_bpf *lean = lean_holders_bpf__open();
	int error;

	if (!lean)
		return -ENOMEM;
	programs->lean_holders = lean;
	error = lean_holders_bpf__load(lean);
	if (!error)
		error = lean_holders_bpf__attach(lean);
	if (error)
		return error;
	programs->links[ITERATE_FILES] = lean->links.snapshot_files_fd;
	programs->links[ITERATE_IN_FLIGHT] = lean->links.snapshot_in_flight_fd;
	programs->covered_fd = lean->maps.covered.map_fd;
	programs->holders = &lean->bss->walk;
	return 0;
}

static void *load_holders_beside(void *programs)
{
	return (void *)(intptr_t)load_lean_holders(programs);
}

static void forget(struct snapshot_programs *programs)
{
	*programs = (struct snapshot_programs){.covered_fd = -1, .notes_fd = -1, .processes_fd = -1};
	for (int i = 0; i < ITERATOR_COUNT; i++)
		programs->links[i] = -1;
}

/* Side by side: a command that looks once waits for nothing as long as for this. */
static int load_lean(struct snapshot_programs *programs)
{
	pthread_t other;
	void *result = NULL;
	int error;

	if (pthread_create(&other, NULL, load_holders_beside, programs)) {
		error = load_lean_sockets(programs);
		result = error ? NULL : load_holders_beside(programs);
	} else {
		error = load_lean_sockets(programs);
		pthread_join(other, &result);
	}
	if (!error)
		error = (int)(intptr_t)result;
	if (error) {
		snapshot_programs_close(programs);
		forget(programs);
	}
	return error;
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
		programs->sockets = programs->holders = &full->bss->walk;
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
	forget(programs);
	/* Kernels below 5.17, and who knows what else: the ordinary one says why it cannot be. */
	if (options->lean && load_lean(programs) == 0)
		return 0;
	return load_full(programs, options, fault);
}

void snapshot_programs_begin(struct snapshot_programs *programs, const struct snapshot_walk *what)
{
	const struct walk_state state = {
		.source = what->source,
		.ports_only = what->ports_only,
		.no_remains = what->no_remains,
		.remains_only = what->remains_only,
		.with_ports = what->with_ports,
		.port = what->port,
	};

	*programs->sockets = state;
	*programs->holders = state;
}

void snapshot_programs_set_netns(struct snapshot_programs *programs, uint32_t inode)
{
	programs->sockets->netns = inode;
}

bool snapshot_programs_notes_kill(const struct snapshot_programs *programs)
{
	return programs->sockets->notes_kill;
}

int snapshot_programs_add_mptcp(struct snapshot_programs *programs)
{
	struct lean_mptcp_bpf *lean;
	int error;

	if (!programs->holders->mptcp_unread)
		return 0;
	lean = programs->lean_mptcp = lean_mptcp_bpf__open();
	if (!lean)
		return -ENOMEM;
	error = lean_mptcp_bpf__load(lean);
	if (!error)
		error = lean_mptcp_bpf__attach(lean);
	if (error)
		return error;
	programs->links[ITERATE_FILES] = lean->links.snapshot_files_fd;
	programs->links[ITERATE_IN_FLIGHT] = lean->links.snapshot_in_flight_fd;
	programs->covered_fd = lean->maps.covered.map_fd;
	programs->holders = &lean->bss->walk;
	return 1;
}

bool snapshot_programs_passed_over(const struct snapshot_programs *programs)
{
	return programs->holders->passed_over;
}

void snapshot_programs_close(struct snapshot_programs *programs)
{
	lean_sockets_bpf__destroy(programs->lean_sockets);
	lean_holders_bpf__destroy(programs->lean_holders);
	lean_mptcp_bpf__destroy(programs->lean_mptcp);
	snapshot_bpf__destroy(programs->full);
}
