/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a bind(2) would succeed, by the kernel's own rules, from what the kernel would look at. Pure: the
 * wish and the tables come in, the verdict and who is in the way go out.
 *
 * Follows __inet_bind() and __inet6_bind() for the order of refusals, inet_csk_get_port() with
 * sk_reuseport_match(), inet_bind_conflict() and its bind2 kin for TCP, udp_lib_get_port() for UDP.
 */
#ifndef PORTSNOOP_CORE_BIND_CONFLICT_H
#define PORTSNOOP_CORE_BIND_CONFLICT_H

#include <portsnoop/bind_table.h>
#include <portsnoop/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bind that is asked about: of a new socket. */
struct bind_wish {
	uint8_t addr[16];  /* as in event.h; zero: all of the family */
	uint8_t family;	   /* AF_INET or AF_INET6; an IPv4-mapped address is of AF_INET6 */
	uint16_t port;	   /* not 0 */
	uint16_t protocol; /* IPPROTO_TCP (MPTCP shares its ports) or IPPROTO_UDP */
	uint32_t uid;	   /* fsuid of who made the socket */
	uint32_t device;   /* SO_BINDTODEVICE; 0: none */
	bool reuseaddr, reuseport, v6only;
	bool privileged;   /* CAP_NET_BIND_SERVICE in the user namespace of the network namespace */
	int address_error; /* positive errno of the same bind without a port: not local, no such device */
};

/* What no type of the kernel shows, so that it must be tried. */
enum bind_habit { HABIT_UNKNOWN, HABIT_NO, HABIT_YES };

struct bind_habits {
	/* When more than 10 UDP sockets share a slot, it looks by address for what a wildcard meets, and so
	 * passes by what is bound to one: until 7.0 and its stable kin (e537dd15d0d4). */
	enum bind_habit udp_wildcards_by_address;
	/* It looks by address for what an IPv4-mapped one meets: since 6.8 (5e07e672412b) and its stable
	 * kin, which then pass by ::ffff:0.0.0.0. */
	enum bind_habit mapped_by_address;
};

/* What the kernel has on that port. */
struct bind_inventory {
	struct bind_answer answer;
	struct bind_row *rows; /* in the kernel's order, chain by chain */
	size_t n_rows;
	uint32_t hz; /* jiffies a second; 0: not known */
	struct bind_habits habits;
	bool orphans_are_root; /* before 6.17 (c51da3f7a161) a socket without a file counted as root's */
};

/* What would make it share, of the asking side. */
#define REMEDY_REUSEADDR 0x01
#define REMEDY_REUSEPORT 0x02
#define REMEDY_USER	 0x04 /* to be of the same user, with SO_REUSEPORT */
#define REMEDY_V6ONLY	 0x08
#define REMEDY_PRIVILEGE 0x10

struct bind_conflict {
	size_t row; /* index */
	enum bind_overlap overlap;
	enum bind_rule rule;
	unsigned remedies; /* REMEDY_*: each alone, against this one */
};

struct bind_verdict {
	int error;	    /* positive errno; 0: it would succeed */
	bool unknown;	    /* a habit decides, and is not known; error is EADDRINUSE, perhaps */
	size_t n_conflicts; /* with EADDRINUSE */
	unsigned remedies;  /* REMEDY_*: each alone makes the whole bind succeed */
};

/*
 * conflicts: room for as many as there are rows, or NULL when only the verdict is wanted. In the kernel's
 * order, so that the first is the one that it meets first.
 */
void bind_conflict_judge(const struct bind_wish *wish, const struct bind_inventory *inventory,
			 struct bind_conflict *conflicts, struct bind_verdict *ret_verdict);

/* SOCKOPT_* as the kernel has them of this one. */
uint8_t bind_row_options(const struct bind_row *row);
/* Of one in TIME_WAIT: gone in so many seconds; 0: not known. */
uint32_t bind_row_seconds_left(const struct bind_inventory *inventory, const struct bind_row *row);
/* Who is named first: listeners, then what else can be stopped, then connections and their remains, at
 * BIND_RANK_LAST. */
unsigned bind_rule_rank(enum bind_rule rule);
#define BIND_RANK_LAST 4
/* Words that stay: "listener", "their-wildcard". */
const char *bind_rule_name(enum bind_rule rule);
const char *bind_overlap_name(enum bind_overlap overlap);

#endif
