/* SPDX-License-Identifier: GPL-2.0-only */
/* Which program gives which fact, and what is not seen without it. Functions (functions.h, kprobes.h) have
 * tables of their own. */
#ifndef PORTSNOOP_SOURCE_HOOKS_H
#define PORTSNOOP_SOURCE_HOOKS_H

#include "core/finding.h"

#include <portsnoop/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A program and the facts that need it. A fact is available when all of its programs are attached. */
struct hook {
	const char *program;
	enum rec_probe probe;
	uint32_t facts;	    /* bit per enum fact */
	uint32_t unless;    /* TOLD_*: not needed where functions tell all of these */
	const char *unseen; /* without it; NULL: all of the fact */
	const char *since;  /* the kernel that has it, where that is above the floor */
	bool is_old;	    /* only among the programs for old kernels (bpf/compat.h) */
};

#define HOOKS_MAX		32
#define HOOK_UNSEEN_UDP_CONNECT "UDP ports by connect (told late, when given back)"

/* In the order of attaching: the first of a pair before the second. Functions come before all of them. */
const struct hook *hooks_table(size_t *ret_count);
bool hook_is_udp_send(const struct hook *hook);
/* Whether functions tell what it would, given what they tell. */
bool hook_is_told(const struct hook *hook, uint32_t told);

#endif
