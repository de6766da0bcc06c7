/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side counts by itself, so that a full ring does not make it wrong: the key and the value of
 * its two tables. A key is a set of labels that has been met; what finds no room is counted by kind alone.
 */
#ifndef PORTSNOOP_COUNTS_H
#define PORTSNOOP_COUNTS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/*
 * X(NAME, most keys that it may have). Those up to ACCEPT are in the table `counts`, which only counts; those
 * from CONNECT on are in `spans`, which measures too.
 */
#define COUNT_KIND_LIST(X)                                                                                   \
	X(BIND, 2048)                                                                                        \
	X(BIND_ERROR, 2048)                                                                                  \
	X(CONNECT_ERROR, 2048)                                                                               \
	X(REFUSE, 1024)                                                                                      \
	X(ASSIGN, 512)                                                                                       \
	X(EXHAUST, 512)                                                                                      \
	X(CONNECT, 4096)                                                                                     \
	X(ACCEPT, 8192)                                                                                      \
	X(CLOSE, 8192)

enum count_kind {
#define X(name, most) COUNT_##name,
	COUNT_KIND_LIST(X)
#undef X
		COUNT_KIND_COUNT
};
#define COUNT_KIND_ROOM	 16 /* a power of two, for the verifier */
#define COUNT_FIRST_SPAN COUNT_CONNECT
#define COUNTS_MAX	 8192  /* the most keys of the kinds before it, together */
#define SPANS_MAX	 20480 /* and of the rest */

#define COUNT_NAMES_MAX 4096
#define COUNT_NAME_LEN	64 /* of an executable, with its NUL; a longer one is cut */
enum count_name {
	COUNT_NAME_UNKNOWN, /* nobody, or not known who */
	COUNT_NAME_OTHER,   /* there were too many */
	COUNT_NAME_FIRST,   /* of those that were given to names, in the order in which they came */
};

/* By which act the kernel chose a port. */
enum count_assigned { ASSIGNED_NOT, ASSIGNED_BIND, ASSIGNED_LISTEN, ASSIGNED_CONNECT, ASSIGNED_SEND };

/* What is no label of its kind is zero. */
struct count_key {
	__u64 cgroup_id; /* of the process; ACCEPT, CLOSE */
	__u32 netns;	 /* inode; REFUSE, ASSIGN, EXHAUST, ACCEPT, CLOSE */
	__u32 name;	 /* of the process's executable: enum count_name; not REFUSE, ASSIGN, EXHAUST */
	__s32 error;	 /* BIND_ERROR, CONNECT_ERROR: a positive errno or CONNECT_ABORTED */
	__u16 port; /* REFUSE, ACCEPT, CLOSE that came in: local; CONNECT, CONNECT_ERROR, other CLOSE: peer's
		     */
	__u16 protocol; /* IPPROTO_*; BIND, BIND_ERROR, CONNECT_ERROR */
	__u8 kind;	/* enum count_kind */
	__u8 assigned;	/* enum count_assigned; BIND, ASSIGN */
	__u8 direction; /* enum rec_direction; CLOSE */
	__u8 reason;	/* enum close_reason; CLOSE */
	__u32 reserved;
};

/* Bytes before the first NUL; hostile. */
struct count_name_text {
	char text[COUNT_NAME_LEN];
};

struct count {
	__u64 n;
	/* Somebody that it happened to, for people to look at; not always of the same event. */
	__u64 last_ns; /* CLOCK_BOOTTIME; 0: not kept for this kind */
	__u32 last_pid;
	__u32 reserved;
};

/* Durations, in buckets up to and with these bounds; one more bucket for what is longer. */
#define SPAN_BOUNDS 15
#define US	    1000ull
#define MS	    1000000ull
#define S	    1000000000ull
#define SPAN_BOUNDS_CONNECT                                                                                  \
	{                                                                                                    \
		100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS,          \
			100 * MS, 250 * MS, 500 * MS, 1 * S, 5 * S, 30 * S                                   \
	}
#define SPAN_BOUNDS_ACCEPT                                                                                   \
	{                                                                                                    \
		10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, \
			25 * MS, 100 * MS, 500 * MS, 1 * S, 10 * S                                           \
	}
#define SPAN_BOUNDS_CLOSE                                                                                    \
	{                                                                                                    \
		1 * MS, 5 * MS, 10 * MS, 50 * MS, 100 * MS, 500 * MS, 1 * S, 5 * S, 10 * S, 30 * S, 60 * S,  \
			300 * S, 900 * S, 3600 * S, 86400 * S                                                \
	}

/* The first bucket whose bound is not below. Halves what is left four times, as the verifier likes it. */
static inline __attribute__((always_inline)) __u32 span_bucket(const __u64 *bounds, __u64 duration_ns)
{
	__u32 at = 0;

	if (duration_ns > bounds[7])
		at = 8;
	if (duration_ns > bounds[at + 3])
		at += 4;
	if (duration_ns > bounds[at + 1])
		at += 2;
	return at + (duration_ns > bounds[at & 14]);
}
_Static_assert(SPAN_BOUNDS == 15, "span_bucket() halves fifteen bounds");

struct span {
	__u64 n;
	__u64 sent, received; /* payload bytes; CLOSE */
	__u64 retransmits;    /* segments; CLOSE */
	__u64 sum_ns;	      /* of those whose beginning is known, as what follows */
	__u64 buckets[SPAN_BOUNDS + 1];
};

_Static_assert((int)COUNT_KIND_COUNT <= COUNT_KIND_ROOM, "kinds without room");
_Static_assert(sizeof(struct count_key) == 32 && sizeof(struct span) == 168, "padding");

/* What the kernel side says of its tables; shared with user space. */
struct counting {
	__u64 keys[COUNT_KIND_ROOM];  /* that each kind has */
	__u64 other[COUNT_KIND_ROOM]; /* counted without labels */
	__u32 names;		      /* given so far */
	__u32 names_other;	      /* executables that found no name */
};

#endif
