/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot_programs.h"

#include <portsnoop/walk.h>

#include "old_snapshot.skel.h"
#include "snapshot.skel.h"
#include "source/kernel_types.h"
#include "source/object.h"
#include "source/old_kernel.h"

_Static_assert(sizeof(struct snapshot_bpf__bss) == sizeof(struct old_snapshot_bpf__bss) &&
		       sizeof(struct snapshot_bpf__rodata) == sizeof(struct old_snapshot_bpf__rodata),
	       "the programs for old kernels have the same variables");
#pragma GCC diagnostic push /* generated code subtracts void pointers */
#pragma GCC diagnostic ignored "-Wpointer-arith"
#include "lean_holders.skel.h"
#include "lean_mptcp.skel.h"
#include "lean_sockets.skel.h"
#pragma GCC diagnostic pop

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
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
	*programs = (struct snapshot_programs){.covered_fd = -1, .maps = {-1, -1, -1}};
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

/* Which of the programs: found out by trying, since to look for one type takes as long as to load them all.
 */
enum choice {
	ALL_PROGRAMS,
	WITHOUT_IN_FLIGHT, /* no iterator over AF_UNIX: it is of 5.15 (2c860a43dd77), and not where that is a
			      module */
	FOR_OLD_KERNELS,
	CHOICE_COUNT
};

static int size_maps(struct snapshot_bpf *full, bool serves_trace, enum choice choice)
{
	full->rodata->knob_adopt = serves_trace;
	bpf_program__set_autoload(full->progs.snapshot_noted, serves_trace);
	bpf_program__set_autoload(full->progs.snapshot_in_flight, choice == ALL_PROGRAMS);
	return serves_trace ? 0 : bpf_map__set_max_entries(full->maps.processes, 1);
}

static int attach(struct snapshot_programs *programs, enum iterator iterator, struct bpf_program *program,
		  struct bpf_link **ret_link)
{
	int origins = programs->maps.origins, notes = bpf_map__fd(programs->full->maps.notes);
	union bpf_iter_link_info map = {.map.map_fd = (__u32)(origins >= 0 ? origins : notes)};
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

static void take_maps(struct snapshot_programs *programs, bool old)
{
	const struct snapshot_bpf *full = programs->full;

	programs->covered_fd = bpf_map__fd(full->maps.covered);
	programs->sockets = programs->holders = &full->bss->walk;
	programs->maps.notes = bpf_map__fd(full->maps.notes);
	programs->maps.processes = bpf_map__fd(full->maps.processes);
	if (old)
		programs->maps.origins = bpf_object__find_map_fd_by_name(full->obj, "origins");
}

static int open_and_load(struct snapshot_programs *programs, const struct snapshot_options *options,
			 enum choice choice)
{
	struct snapshot_bpf *full = calloc(1, sizeof(*full));
	struct type_excerpt types = TYPE_EXCERPT_NONE;
	size_t size;
	const void *elf = choice == FOR_OLD_KERNELS ? old_snapshot_bpf__elf_bytes(&size)
						    : snapshot_bpf__elf_bytes(&size);
	int error = full ? snapshot_bpf__create_skeleton(full) : -ENOMEM;

	programs->full = full;
	if (!error)
		error = object_open(full->skeleton, elf, size, options->kernel, &types);
	if (!error)
		error = size_maps(full, options->serves_trace, choice);
	if (!error)
		error = snapshot_bpf__load(full);
	type_excerpt_close(&types);
	return error;
}

static int load_one(struct snapshot_programs *programs, const struct snapshot_options *options,
		    enum choice choice)
{
	int error = open_and_load(programs, options, choice);

	if (error)
		return error;
	take_maps(programs, choice == FOR_OLD_KERNELS);
	return attach_full(programs);
}

static int load_full(struct snapshot_programs *programs, const struct snapshot_options *options,
		     struct fault *fault)
{
	bool old = options->lean && old_kernel_is(); /* the light ones were refused */
	int error = -EAGAIN;

	for (enum choice choice = old ? FOR_OLD_KERNELS : 0; error && choice < CHOICE_COUNT; choice++) {
		if (choice == FOR_OLD_KERNELS && !old && !(old = old_kernel_is()))
			break;
		snapshot_bpf__destroy(programs->full);
		forget(programs);
		error = load_one(programs, options, choice);
	}
	if (!error)
		return 0;
	return old ? old_kernel_fault(fault, error, "the BPF iterators")
		   : fault_set_refused(fault, error, "the BPF iterators");
}

/* For who has not read the kernel's types. */
static int load_full_alone(struct snapshot_programs *programs, const struct snapshot_options *options,
			   struct fault *fault)
{
	struct snapshot_options with_types = *options;
	struct btf *types;
	int error = kernel_types_read(&types, fault);

	if (error)
		return error;
	with_types.kernel = types;
	error = load_full(programs, &with_types, fault);
	btf__free(types);
	return error;
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
	return options->kernel ? load_full(programs, options, fault)
			       : load_full_alone(programs, options, fault);
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

bool snapshot_programs_are_old(const struct snapshot_programs *programs)
{
	return programs->maps.origins >= 0;
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
