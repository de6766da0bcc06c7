/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A parsed filter: what filter_parse() makes and filter_match() runs. For them, and for whoever derives a
 * weaker filter from one; everybody else sees struct filter only by name.
 *
 * The operations run from first to last over one truth value. `A and B` is A, SKIP_IF_FALSE to behind B, B;
 * `A or B` likewise with SKIP_IF_TRUE; `not A` is A, NEGATE. Skips go forward only and nest like the text
 * did, so the tree can be had back: what a skip at i leaves out is the right-hand side, all before i the
 * left.
 */
#ifndef PORTSNOOP_CORE_FILTER_PROGRAM_H
#define PORTSNOOP_CORE_FILTER_PROGRAM_H

#include "core/address.h"
#include "core/filter.h"

/* What a key takes. */
enum filter_value_kind {
	VALUE_NONE,
	VALUE_PORT,
	VALUE_ADDRESS,
	VALUE_ENDPOINT,
	VALUE_NUMBER,
	VALUE_USER,
	VALUE_NAME,
	VALUE_CONTAINER,
	VALUE_NETNS,
	VALUE_PROTOCOL,
	VALUE_STATE,
	VALUE_EVENT,
	VALUE_DIRECTION,
	VALUE_ERRNO,
	VALUE_CLASS,
	VALUE_FIELD,
};

/* X(NAME, as it is written, what it takes) */
#define FILTER_KEY_LIST(X)                                                                                   \
	X(PORT, "port", VALUE_PORT)                                                                          \
	X(LPORT, "lport", VALUE_PORT)                                                                        \
	X(RPORT, "rport", VALUE_PORT)                                                                        \
	X(ADDR, "addr", VALUE_ADDRESS)                                                                       \
	X(LADDR, "laddr", VALUE_ADDRESS)                                                                     \
	X(RADDR, "raddr", VALUE_ADDRESS)                                                                     \
	X(SERVES, "serves", VALUE_ENDPOINT)                                                                  \
	X(PID, "pid", VALUE_NUMBER)                                                                          \
	X(COMM, "comm", VALUE_NAME)                                                                          \
	X(USER, "user", VALUE_USER)                                                                          \
	X(UID, "uid", VALUE_NUMBER)                                                                          \
	X(PROTO, "proto", VALUE_PROTOCOL)                                                                    \
	X(IPV4, "ipv4", VALUE_NONE)                                                                          \
	X(IPV6, "ipv6", VALUE_NONE)                                                                          \
	X(STATE, "state", VALUE_STATE)                                                                       \
	X(EVENT, "event", VALUE_EVENT)                                                                       \
	X(DIRECTION, "direction", VALUE_DIRECTION)                                                           \
	X(IN, "in", VALUE_NONE)                                                                              \
	X(OUT, "out", VALUE_NONE)                                                                            \
	X(FAILED, "failed", VALUE_NONE)                                                                      \
	X(ERRNO, "errno", VALUE_ERRNO)                                                                       \
	X(NETNS, "netns", VALUE_NETNS)                                                                       \
	X(CONTAINER, "container", VALUE_CONTAINER)                                                           \
	X(CGROUP, "cgroup", VALUE_NAME)                                                                      \
	X(CLASS, "class", VALUE_CLASS)                                                                       \
	X(HAS, "has", VALUE_FIELD)

enum filter_key {
#define X(name, text, value) KEY_##name,
	FILTER_KEY_LIST(X)
#undef X
		KEY_COUNT
};

/* One alternative. Which members count depends on the key. */
struct filter_value {
	uint32_t low, high; /* ports, pids, uids, inodes, or low alone: protocol, direction, errno */
	const char *text;   /* fixed name, literal or pattern; in filter->text or static */
	bool wild;	    /* text is a pattern for glob_match() */
	bool id_prefix;	    /* text may be the beginning of a container ID */
	struct address_prefix prefix; /* family 0: any address */
};

enum filter_op_kind { OP_TEST, OP_NEGATE, OP_SKIP_IF_FALSE, OP_SKIP_IF_TRUE };

struct filter_op {
	uint8_t kind;	   /* enum filter_op_kind */
	uint8_t key;	   /* OP_TEST: enum filter_key */
	uint16_t n_values; /* OP_TEST: alternatives */
	uint32_t target;   /* OP_TEST: the first value; OP_SKIP_*: the operation to go on with */
};

struct filter {
	struct filter_op *ops;
	size_t n_ops, ops_room;
	struct filter_value *values;
	size_t n_values, values_room;
	char *text; /* of the values; as large as the words could ever need */
	size_t text_used;
};

_Static_assert(FILTER_SIZE_MAX <= UINT16_MAX, "filter_op.n_values is too small");

#endif
