/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel side keeps between hooks. Maps are defined in maps.bpf.c, and only there. */
#ifndef PORTSNOOP_BPF_MAPS_H
#define PORTSNOOP_BPF_MAPS_H

#include "vmlinux.h"

#include <portsnoop/counters.h>
#include <portsnoop/counts.h>
#include <portsnoop/event.h>
#include <portsnoop/told.h>

#include <bpf/bpf_helpers.h>

/* What we know of one socket; lives and dies with it (socket storage). */
struct note {
	__u64 creator_start_ns;
	__u64 owner_start_ns; /* connector or accepter, kept when `task` becomes the releaser */
	__u64 begun_ns;	      /* SYN sent, or child made */
	__u64 since_ns;	      /* connection established, listening, or port got */
	__u64 listener;	      /* cookie: a listener's own, so that its clones know where they come from */
	__u32 creator_pid;
	__u32 owner_pid;
	__u32 flags; /* NOTE_* */
	__u16 port;  /* the port that was last reported, host order */
	__u8 state;  /* the last state change that was told, TCP_* */
	__u8 reserved;
	__u64 owner_cgroup_id; /* only with counters, as the next two */
	__u32 owner_name;      /* enum count_name */
	__u32 netns;	       /* inode; of what came in. 0: not known */
	struct rec_task task;  /* who acted last in process context: connector, accepter, releaser */
#ifdef OLD_KERNEL
	__u64 child; /* address of what came in: two that are made of one request have the same cookie */
#endif
};

#define NOTE_IN		0x0001 /* came through a listener */
#define NOTE_OUT	0x0002 /* connected */
#define NOTE_AUTOBOUND	0x0004 /* connect chose the port */
#define NOTE_ACCEPTED	0x0008
#define NOTE_RELEASED	0x0010 /* last descriptor gone; task is the releaser */
#define NOTE_TASK	0x0020 /* task is filled */
#define NOTE_FAILED	0x0040 /* an entry of failed_connects may stand */
#define NOTE_PORT_CLAIM 0x0080 /* a CLAIM_AUTOBIND or CLAIM_LISTEN entry may stand */
/* Only on old kernels: */
#define NOTE_RELEASE_COMES 0x0100 /* cgroup programs see this socket */
#define NOTE_ADOPTED	   0x0200 /* a listener that was there before */

#ifndef OLD_KERNEL
struct notes_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct note);
};
#else
/* By cookie (notes.h). */
struct notes_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, __u64);
	__type(value, struct note);
};

/*
 * Where a connection comes from: its storage begins with a copy of its listener's. A listener that was there
 * before has none: then the request leads from the one to the other, by the cookie that it leaves to the
 * connection. Both hold the listener's cookie; the storage of a socket that is no child holds its own.
 */
struct origins_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, __u64);
};
struct requests_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
};
#endif

/*
 * A fact that began where the socket's storage could be reached and ends in a system-call tracepoint, where
 * it cannot. Whoever deletes the entry reports the fact: exactly once. Keyed by socket cookie.
 */
enum claim_kind {
	CLAIM_ACCEPT,	/* established, not yet accepted */
	CLAIM_TAKEN,	/* accepted before it was established (TCP fast open) */
	CLAIM_AUTOBIND, /* connect(2) of an unbound UDP socket */
	CLAIM_LISTEN,	/* listen(2) of an unbound socket */
};

struct claim {
	__u64 time_ns;
	__u64 listener;
	__u32 kind; /* enum claim_kind */
	__u32 reserved;
};

struct claims_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, struct claim);
};

/*
 * When the state change told that this socket's connect failed, so that connect(2) need not, now or when it
 * is asked again. By cookie. Not of all is the release seen, and what stays of the others goes one day: a
 * failure could be told twice, and nothing missed.
 */
struct failed_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
};

/* What a bind asks for, by thread: the kernel's own copy of the address, from cgroup/bind4,6. */
struct asked {
	__u64 cookie;
	__u8 addr[16];
	__u16 port;
	__u16 family;
	__u32 reserved;
	__u64 begun_ns; /* of the kernel's search for a port; 0: none is asked for, or nobody wants to know */
};

struct asked_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct asked);
};

/*
 * Processes that may hold sockets: they acted on one, a walk found them with one, or such a process forked
 * them. Only their forks, execs and exits are sent. Deleted by exit.
 */
struct known_process {
	__u64 start_ns;
	__u32 flags; /* KNOWN_* */
	__u32 name;  /* of its executable: enum count_name */
};
#define KNOWN_DESCRIBED 0x1 /* name, path and arguments were sent since the last exec */
#define KNOWN_NAMED	0x2 /* name is filled since then; only with counters */

struct processes_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32); /* pid */
	__type(value, struct known_process);
};

/* Refusals since the last record, by port. */
struct refused_key {
	__u8 local_addr[16];
	__u32 netns;
	__u16 port;
	__u8 family;
	__u8 reserved;
};
struct refused {
	__u64 reported_ns;
	__u64 pending;
	__u8 peer_addr[16];
	__u16 peer_port;
	__u16 reserved[3];
};
struct refused_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct refused_key);
	__type(value, struct refused);
};

/* While system calls that return from accept are traced beside the function: threads, by tid. */
struct threads_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u8);
};

/*
 * Threads in whose context the first copy of a pair has just run, and of which pair: by thread number. An
 * array, since its slots can always be written, by whoever is in between.
 */
#define FIRST_RAN_SLOTS 65536
#define MARK_TID_BITS	24 /* a thread number has at most 22 */
struct first_ran_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FIRST_RAN_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
};

/* By function and thread. */
struct probed_calls_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct probed_call);
};

/* When kprobes told the port that a UDP socket got by a send; they cannot put it into the note. By cookie. */
struct ports_told_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
};

/* Subflows of MPTCP that still end, by cookie: who let go of the socket above; pid 0: nobody knows. */
struct subflows_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct rec_task);
};

/* With counters: who accepted a connection whose note cannot be reached then. By cookie. */
struct accepter {
	__u64 cgroup_id;
	__u32 name; /* enum count_name */
	__u32 reserved;
};
struct accepters_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct accepter);
};

/*
 * The counters (counts.h). One entry for all CPUs and atomic additions: one for each CPU would take the
 * memory of a whole table a CPU, and counting is little beside what the kernel does for a connection.
 */
struct counts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COUNTS_MAX);
	__type(key, struct count_key);
	__type(value, struct count);
};
struct spans_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SPANS_MAX);
	__type(key, struct count_key);
	__type(value, struct span);
};
/* What found no room there, by kind. */
struct counts_other_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNT_FIRST_SPAN);
	__type(key, __u32);
	__type(value, struct count);
};
struct spans_other_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNT_KIND_COUNT - COUNT_FIRST_SPAN + 1); /* the last one is always zero */
	__type(key, __u32);
	__type(value, struct span);
};
struct count_names_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COUNT_NAMES_MAX);
	__type(key, struct count_name_text);
	__type(value, __u32);
};

struct cpus_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* user space makes it the number of possible CPUs */
	__type(key, __u32);
	__type(value, struct cpu_counters);
};

struct ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024); /* --ring-size */
};

extern struct notes_map notes SEC(".maps");
#ifdef OLD_KERNEL
extern struct origins_map origins SEC(".maps");
extern struct requests_map requests SEC(".maps");
#endif
extern struct claims_map claims SEC(".maps");
extern struct failed_map failed_connects SEC(".maps");
extern struct asked_map asked SEC(".maps");
extern struct processes_map processes SEC(".maps");
extern struct refused_map refused SEC(".maps");
extern struct threads_map calls_told SEC(".maps");     /* the function has told why this call failed */
extern struct threads_map accepts_told SEC(".maps");   /* the function has told this call */
extern struct threads_map accepts_inside SEC(".maps"); /* was inside when the function was hooked */
extern struct subflows_map subflows_released SEC(".maps");
extern struct first_ran_map first_ran SEC(".maps");
extern struct probed_calls_map probed_calls SEC(".maps");
extern struct ports_told_map ports_told SEC(".maps");
extern struct accepters_map accepters SEC(".maps");
extern struct counts_map counts SEC(".maps");
extern struct spans_map spans SEC(".maps");
extern struct counts_other_map counts_other SEC(".maps");
extern struct spans_other_map spans_other SEC(".maps");
extern struct count_names_map count_names SEC(".maps");
extern struct cpus_map cpus SEC(".maps");
extern struct ring_map ring SEC(".maps");

extern struct control control;
extern struct counting counting;

/* Knobs, set before loading. */
extern const volatile bool knob_attempts;    /* emit REC_ATTEMPT */
extern const volatile bool knob_search;	     /* how long the kernel searches for a port */
extern const volatile bool knob_follow;	     /* forks and exits of all processes */
extern const volatile bool knob_wake_always; /* no atomic exchange on this kernel: default wake-ups */
extern const volatile bool knob_kprobes;     /* programs on kprobes are loaded */
extern const volatile bool knob_counters;    /* count (counters.h) */
extern const volatile bool knob_silent;	     /* send nothing: counters are all that is wanted */
extern const volatile bool knob_uring_cqe;   /* see compat_uring_aux_result() */

#endif
