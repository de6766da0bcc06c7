/* SPDX-License-Identifier: GPL-2.0-only */
/* What is there now, read by iterators: sockets and who holds them, as ordinary records. */
#ifndef PORTSNOOP_SOURCE_SNAPSHOT_H
#define PORTSNOOP_SOURCE_SNAPSHOT_H

#include "source/fault.h"
#include "source/shared_maps.h"
#include "source/sink.h"

#include <portsnoop/event.h>
#include <stdbool.h>
#include <stdint.h>

struct btf;
struct snapshot;

struct snapshot_options {
	const struct btf
		*kernel; /* its types (kernel_types.h), needed only here; NULL: read when it comes to it */
	/*
	 * For a live trace, which shares two maps: sockets get a note, their holders become known processes,
	 * and sockets that only their notes lead to are listed too.
	 */
	bool serves_trace;
	bool lean;	/* for one walk: loads faster. Not for a trace */
	bool for_ports; /* what tells of one port is loaded now, for who may load nothing later */
};

/* What a walk is to find. */
struct snapshot_walk {
	enum rec_source source; /* of its records */
	bool ports_only;	/* no connections: of TCP, only what listens or is bound */
	bool no_remains;	/* no requests, no TIME_WAIT */
	bool remains_only;	/* of TCP nothing but these */
	bool partial;		/* sockets only, no descriptors: it judges nothing */
	bool holders_only;	/* descriptors of sockets that another walk has just listed */
	/*
	 * Descriptors are read while the namespaces still are, which is quicker. A socket that is made
	 * meanwhile can be listed without its holder, whose descriptors were read before: then a walk with
	 * holders_only is to follow.
	 */
	bool beside;
	bool with_ports; /* how ports were got, and what each namespace has set about them */
	uint16_t port;	 /* only sockets on this local port; 0: on all. Judges nothing either */
};

/* Loads the iterators. 0, or a negative errno with *fault in words. */
int snapshot_open(const struct snapshot_options *options, struct snapshot **ret_snapshot,
		  struct fault *fault);
struct shared_maps snapshot_maps(const struct snapshot *snapshot);
/*
 * The next walk runs this iterator over TCP sockets first, in every namespace before it lists what is in any:
 * for hooks that have just been attached, which need to know what is older than they are. To be kept
 * open until then.
 */
void snapshot_adopt_by(struct snapshot *snapshot, int iterator);
/*
 * One walk: the sockets of every network namespace, this thread's own first, then every process's
 * descriptors; between REC_WALK records that say what was covered and what was not. The thread enters the
 * namespaces one after the other and ends in its own. 0, a negative errno, or what the sink said; what could
 * not be looked at is no error but told (WALK_SKIPPED; netns 0: not a namespace, but all descriptors).
 */
int snapshot_walk(struct snapshot *snapshot, const struct snapshot_walk *what, const struct sink *sink);
/* Only the TCP listeners of this network namespace. */
int snapshot_walk_listeners(struct snapshot *snapshot, const struct sink *sink);
/*
 * Whether the last walk came across sockets of MPTCP that could not be read; the next can, and must follow.
 * 1, 0, or a negative errno.
 */
int snapshot_add_mptcp(struct snapshot *snapshot);
/*
 * Whether the last walk came across a descriptor of a socket that had no identity yet. A walk over sockets
 * gives it one: the next over descriptors will find it.
 */
bool snapshot_passed_over(const struct snapshot *snapshot);
void snapshot_close(struct snapshot *snapshot);

#endif
