/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the ports are used that the kernel assigns from: for each network namespace and protocol which of its
 * range are taken and how, towards which destination how many are left, which process has how many, and what
 * of that somebody should know. Read from the tables, and from nothing else.
 *
 * The kernel's rules, of __inet_hash_connect() in net/ipv4/inet_hashtables.c: a connect may be given a port
 * that other connects share, if its local address, peer and peer port differ; never one that bind or listen
 * got, nor a reserved one. TIME_WAIT counts as its connection did.
 */
#ifndef PORTSNOOP_CORE_EPHEMERAL_H
#define PORTSNOOP_CORE_EPHEMERAL_H

#include "core/model.h"
#include "core/port_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ports of one protocol in one namespace. All sets are of ports within the range. */
struct ephemeral_space {
	uint32_t netns;
	uint16_t protocol;
	uint16_t low, high; /* the range, both included */
	bool range_known;   /* told by the kernel, not taken from IANA */
	bool reserved_known;
	struct port_set reserved;
	struct port_set in_use;	   /* by a whole socket, or a request */
	struct port_set exclusive; /* TCP: no connect is given it; UDP: bound to every address */
	struct port_set listening; /* TCP */
	struct port_set time_wait; /* perhaps with others */
	unsigned n_usable;	   /* of the range, but the reserved ones */
	unsigned n_reserved, n_in_use, n_exclusive;
	unsigned n_time_wait; /* by nothing else any more */
	unsigned n_blocked;   /* usable but exclusive: for no connect, wherever it goes */
};

/* TCP connections from here with the same local address, peer and peer port. */
struct ephemeral_destination {
	size_t space;		       /* index */
	struct rec_socket ends;	       /* without the local port */
	unsigned in_use, time_wait;    /* connections */
	unsigned available;	       /* ports that one more connect could be given */
	const struct process *process; /* that has most of them; NULL: not known */
	/* Of who watches, or watched: */
	bool watched;
	double assigned_per_second;
	uint64_t failed;	       /* connects for which no port was left, since somebody watches */
	bool will_be_exhausted;	       /* within an hour, if it goes on like that */
	unsigned exhausted_in_seconds; /* then */
};

/* A process that holds ports of the range, each counted once. */
struct ephemeral_consumer {
	size_t space;
	const struct process *process;
	unsigned in_use;
	unsigned exclusive;    /* of them */
	unsigned bound_before; /* of these: by bind to any port, before a connect */
};

/* All processes of one container, or else of one systemd unit: each port counted once. */
struct ephemeral_group {
	size_t space;
	const struct process *process; /* one of them: whose control group says which it is */
	unsigned processes, in_use, exclusive;
};

enum ephemeral_finding_kind {
	FINDING_EXHAUSTED,	     /* a destination has no port left */
	FINDING_NEAR_EXHAUSTION,     /* four fifths are used, or it is a matter of minutes */
	FINDING_BIND_BEFORE_CONNECT, /* a process takes ports away from everybody */
	FINDING_LISTENER_IN_RANGE,   /* somebody's connect may be given its port while it restarts */
	FINDING_RANGE_NARROW,
	FINDING_TW_REUSE_OFF, /* and TIME_WAIT holds most of what a destination uses */
	FINDING_EPHEMERAL_COUNT
};

/* What is not named below a kind is zero. */
struct ephemeral_finding {
	enum ephemeral_finding_kind kind;
	size_t space;
	size_t destination;	       /* EXHAUSTED, NEAR_EXHAUSTION, TW_REUSE_OFF: index */
	const struct process *process; /* of these, BIND_BEFORE_CONNECT, LISTENER_IN_RANGE; NULL: not known */
	unsigned count;		       /* BIND_BEFORE_CONNECT: ports */
	uint16_t port;		       /* LISTENER_IN_RANGE */
};

struct ephemeral {
	struct ephemeral_space *spaces; /* by namespace, then protocol */
	size_t n_spaces;
	struct ephemeral_destination *destinations; /* the one with the fewest ports left first */
	size_t n_destinations;
	struct ephemeral_consumer *consumers; /* the one with the most ports first */
	size_t n_consumers;
	struct ephemeral_group *groups; /* the same */
	size_t n_groups;
	struct ephemeral_finding *findings; /* the most urgent kind first */
	size_t n_findings;
	bool by_events;
	bool incomplete; /* there are more namespaces than are told apart: some are left out */
};

/*
 * netns: inode of the only namespace that it is about; 0: all. now_ns: CLOCK_BOOTTIME. by_events: nobody has
 * looked for TIME_WAIT, as in a recording; then a destination has what went into it in the last 60 s, and of
 * the spaces it is not known. Pointers into the model: good until its next change. 0 or -ENOMEM.
 */
int ephemeral_read(const struct model *model, uint32_t netns, uint64_t now_ns, bool by_events,
		   struct ephemeral *ret_ephemeral);
void ephemeral_free(struct ephemeral *ephemeral);
/* Of what is usable towards this destination, 0 to 1. */
double ephemeral_used_ratio(const struct ephemeral *ephemeral,
			    const struct ephemeral_destination *destination);
/*
 * Whether a connect there may be given the port of a TIME_WAIT that is older than a second (tcp_tw_reuse;
 * both ends must use TCP timestamps). Where the setting is not known, it may not.
 */
bool ephemeral_takes_over(const struct model *model, const struct rec_socket *ends);
/* "exhausted", "bind-before-connect", … */
const char *ephemeral_finding_name(enum ephemeral_finding_kind kind);

#endif
