/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records that only user space makes: about walks over the kernel's sockets, what it found out by looking,
 * and what one portsnoop tells another. A part of event.h, which includes it; its rules apply.
 */
#ifndef PORTSNOOP_EVENT_USER_H
#define PORTSNOOP_EVENT_USER_H

#include <portsnoop/event.h>

/*
 * A walk over the kernel's sockets: what was found stands between its begin and its end as REC_SOCKET and
 * REC_HOLDER with the same source. What is in the tables, was not found, and has not changed since begin_ns
 * is not there any more, in every namespace that the walk covered.
 */
enum walk_part {
	WALK_BEGIN,   /* netns: 0 */
	WALK_COVERED, /* the sockets of this namespace were listed to the end */
	WALK_SKIPPED, /* this namespace could not be entered: error says why */
	WALK_HOLDERS, /* all descriptors of all processes were looked at */
	WALK_END,
	WALK_PART_COUNT
};
struct rec_walk {
	struct rec_header header;
	__u64 begin_ns; /* when the part began, CLOCK_BOOTTIME */
	__u32 netns;	/* inode */
	__s32 error;	/* positive errno */
	__u8 part;	/* enum walk_part */
	__u8 partial;	/* not every socket or no descriptors are looked at: nothing is judged by this walk */
	__u8 reserved[6];
};

/* Who held a socket last that has no holder now, or a port that was given back. */
#define PAST_F_PORT 0x0100 /* the port of fact.socket; otherwise the socket with its cookie */
struct rec_past {
	struct rec_fact fact;
	__u64 until_ns;
};

/* What one portsnoop asks another, on its socket; the answer is records, and ends with WALK_END. */
#define ASK_SYNC	0x1 /* all that happened before must be in the tables: walk first */
#define ASK_CONNECTIONS 0x2 /* connections too, not only ports */
#define ASK_WITH_PORTS	0x4 /* how ports were got, and what namespaces have set about them */
struct rec_ask {
	struct rec_header header;
	__u32 schema;
	__u32 flags; /* ASK_* */
	__u16 port;  /* 0: all; otherwise ports and connections with this local port */
	__u16 reserved[3];
};

/*
 * What a portsnoop that runs has seen of a destination: the connections made to it from one local address,
 * second by second (each at its number modulo the size).
 */
#define DESTINATION_SECONDS 64
struct rec_destination {
	struct rec_header header;
	__u64 since_ns;	 /* the first was seen */
	__u64 failed;	 /* connects for which no port was left */
	__u64 failed_ns; /* the last of them */
	__u64 second;	 /* the newest, CLOCK_BOOTTIME */
	__u32 netns;	 /* inode */
	__u16 peer_port; /* host order */
	__u16 family;
	__u8 local_addr[16];
	__u8 peer_addr[16];
	__u32 assigned[DESTINATION_SECONDS]; /* connections made */
	__u32 waiting[DESTINATION_SECONDS];  /* connections that went into TIME_WAIT */
	__u32 left[DESTINATION_SECONDS];     /* connections that ended otherwise */
};

/* How the address of one in the way meets the one that a bind asks for. */
enum bind_overlap {
	OVERLAP_NONE,
	OVERLAP_SAME,
	OVERLAP_THEIR_WILDCARD, /* it has every address of the family */
	OVERLAP_THEIR_DUAL,	/* it is IPv6 and takes IPv4 too */
	OVERLAP_OUR_WILDCARD,
	OVERLAP_OUR_DUAL,
	OVERLAP_COUNT
};

/* Why it does not share. */
enum bind_rule {
	RULE_LISTENER,
	RULE_BOUND, /* has the port and neither listens nor is connected */
	RULE_CONNECTION,
	RULE_TIME_WAIT,
	RULE_UDP,
	RULE_REUSEPORT_USER, /* both have SO_REUSEPORT, and the users differ */
	RULE_COUNT
};

/* One that is in a bind's way. */
#define CONFLICT_F_ORPHAN 0x01 /* no file refers to it */
struct rec_conflict {
	__u64 cookie; /* 0: nobody has asked for one yet */
	__u8 local_addr[16];
	__u8 peer_addr[16];
	__u16 peer_port;
	__u8 family;
	__u8 state;   /* TCP_*; what is left of a connection: TCP_TIME_WAIT or what it stands for */
	__u8 options; /* SOCKOPT_* */
	__u8 rule;    /* enum bind_rule */
	__u8 overlap; /* enum bind_overlap */
	__u8 flags;   /* CONFLICT_F_* */
	__u32 left_s; /* TIME_WAIT: gone in so many seconds; 0: not known */
	__u32 reserved;
};

/*
 * Who is in the way of a bind that failed with EADDRINUSE, as the kernel's tables were a moment later; fact
 * is the bind's. The record ends behind the last of n.
 */
#define CONFLICTS_MAX 16
struct rec_conflicts {
	struct rec_fact fact;
	__u64 as_of_ns;
	__u32 total; /* n of them follow */
	__u16 n;
	__u16 error; /* positive errno: the tables could not be read */
	struct rec_conflict conflicts[CONFLICTS_MAX];
};
#define CONFLICTS_SIZE(n) (sizeof(struct rec_conflicts) - (CONFLICTS_MAX - (n)) * sizeof(struct rec_conflict))

/* What a walk repaired. */
struct rec_resync {
	struct rec_header header;
	__u32 added;
	__u32 removed;
	__u32 owner_changed;
	__u32 netns_skipped;
};

REC_ASSERT_SIZE(rec_conflict, 56);
REC_ASSERT_SIZE(rec_conflicts, 152 + CONFLICTS_MAX * 56);
REC_ASSERT_SIZE(rec_past, 144);
REC_ASSERT_SIZE(rec_ask, 32);
REC_ASSERT_SIZE(rec_walk, 40);
REC_ASSERT_SIZE(rec_resync, 32);

#endif
