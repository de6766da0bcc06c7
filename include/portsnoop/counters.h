/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where events can be lost, and the counters that the kernel side keeps. One list each; append-only. */
#ifndef PORTSNOOP_COUNTERS_H
#define PORTSNOOP_COUNTERS_H

#include <portsnoop/event.h>

/* X(NAME, text, what a person should know and do) */
#define LOSS_STAGE_LIST(X)                                                                                   \
	X(RING, "ring", "the ring buffer was full: give --ring-size a larger value")                         \
	X(SKIPPED, "skipped", "the kernel did not run a program because it was already running on that CPU") \
	X(PROBE, "probe", "a return probe had no free slot")                                                 \
	X(MAP, "map", "a kernel table was full")                                                             \
	X(QUEUE, "queue", "the queue between threads was full")                                              \
	X(SINK, "sink", "the output could not take it")                                                      \
	X(TABLE, "table", "a table of portsnoop was full and a row was left out")

enum loss_stage {
#define X(name, text, advice) LOSS_##name,
	LOSS_STAGE_LIST(X)
#undef X
		LOSS_STAGE_COUNT
};
_Static_assert((int)LOSS_STAGE_COUNT <= SUMMARY_STAGES, "summary has no room for every stage");

/* Programs that are attached twice, since the kernel skips one that interrupts itself. */
enum paired_program {
	PAIRED_STATE,
	PAIRED_REFUSE,
	PAIRED_FORK,
	PAIRED_EXEC,
	PAIRED_EXIT,
	PAIRED_URING,
	PAIRED_BIND4,
	PAIRED_BIND6,
	PAIRED_LISTEN,
	PAIRED_CONNECT_TCP,
	PAIRED_CONNECT_UDP,
	PAIRED_AUTOBIND,
	PAIRED_ACCEPT,
	PAIRED_BIND_CALL,
	PAIRED_LISTEN_CALL,
	PAIRED_CONNECT_CALL,
	PAIRED_COUNT
};
#define PAIRED_ROOM 16
_Static_assert((int)PAIRED_COUNT <= PAIRED_ROOM, "no room for every pair");

/*
 * What one CPU counted. The kernel side writes with atomic additions, since an interrupt can come between;
 * user space reads the mapped page. Only ever grows.
 */
struct cpu_counters {
	__u64 emitted[SUMMARY_KINDS]; /* by enum rec_kind, before the reservation */
	__u64 dropped[SUMMARY_KINDS]; /* the reservation failed */
	__u64 rescued[PAIRED_ROOM]; /* by enum paired_program: runs of the second copy for a skipped first */
	__u64 map_full;		    /* an update of a bounded map failed */
	__u8 on_stack[PAIRED_ROOM]; /* by enum paired_program: its first copy is on this CPU's stack */
	__u64 announced;	    /* the process whose name this CPU sent or found sent last; a mix */
	__u64 calls_begun;	    /* functions under kprobes: called, */
	__u64 calls_ended;	    /* and returned from; the same threads can be on two CPUs */
	__u64 calls_unended;	    /* the return was not seen, as the thread's next call shows */
	__u64 calls_unbegun;	    /* the return was seen, the call was not */
	__u64 reserved[8];	    /* a multiple of a cache line, so that CPUs do not share one */
};
_Static_assert(sizeof(struct cpu_counters) % 64 == 0, "CPUs would share a cache line");

/* Shared by kernel and user space: the wake-up handshake of the ring, and what a tick has to look at. */
struct control {
	__u64 need_wakeup;    /* 1: the reader sleeps, the next producer must wake it */
	__u64 refuse_pending; /* refusals counted but not yet in a record */
	__u64 stopped;	      /* 1: emit nothing any more, the books are being closed */
	__u64 lost;	      /* 1: something was dropped since user space looked */
	__u64 accept_exits;   /* 1: returns of accept(2) are traced beside the kernel function */
	__u64 told;	      /* TOLD_*: what functions tell, and nobody else may */
	__u64 probing;	      /* enum probing */
};

#endif
