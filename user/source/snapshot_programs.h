/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The iterators in the kernel, loaded by light skeletons or an ordinary one. The light ones let the kernel
 * resolve types, which is quick but needs 5.17, and cannot share maps; the ordinary one works everywhere.
 */
#ifndef PORTSNOOP_SOURCE_SNAPSHOT_PROGRAMS_H
#define PORTSNOOP_SOURCE_SNAPSHOT_PROGRAMS_H

#include "source/snapshot.h"

#include <stdint.h>

enum iterator {
	ITERATE_TCP,
	ITERATE_UDP,
	ITERATE_TASKS,
	ITERATE_FILES,
	ITERATE_IN_FLIGHT,
	ITERATE_NOTED,
	ITERATOR_COUNT
};

struct snapshot_bpf;
struct lean_sockets_bpf;
struct lean_holders_bpf;
struct lean_mptcp_bpf;
struct walk_state;

struct snapshot_programs {
	struct snapshot_bpf *full; /* or the other two */
	struct lean_sockets_bpf *lean_sockets;
	struct lean_holders_bpf *lean_holders;
	struct lean_mptcp_bpf *lean_mptcp;    /* in its place, once there was a socket of MPTCP */
	struct walk_state *sockets, *holders; /* what their iterators go by; the same one in the ordinary */
	int links[ITERATOR_COUNT];	      /* descriptors for bpf_iter_create(); negative: left out */
	int covered_fd;			      /* map of the namespaces that are done */
	struct shared_maps maps;	      /* to share; the light skeletons have none */
};

int snapshot_programs_load(struct snapshot_programs *programs, const struct snapshot_options *options,
			   struct fault *fault);
/* What the next walk is to find; forgets the last one. */
void snapshot_programs_begin(struct snapshot_programs *programs, const struct snapshot_walk *what);
/* The network namespace that the next reader of tcp and udp is in: they take it on trust. */
void snapshot_programs_set_netns(struct snapshot_programs *programs, uint32_t inode);
/* Whether they are those for old kernels, which cannot give a socket its cookie (cookies.h). */
bool snapshot_programs_are_old(const struct snapshot_programs *programs);
/* After the walk over tasks: whether socket storage must not be walked on this kernel. */
bool snapshot_programs_notes_kill(const struct snapshot_programs *programs);
/*
 * After a walk: whether there was a socket of MPTCP that the light programs do not read; then loads those
 * that do, for the walks that follow. 1 when it did, 0 when there was no need, or a negative errno.
 */
int snapshot_programs_add_mptcp(struct snapshot_programs *programs);
/* After the walk over descriptors: whether there was one that led to a socket without an identity. */
bool snapshot_programs_passed_over(const struct snapshot_programs *programs);
void snapshot_programs_close(struct snapshot_programs *programs);

#endif
