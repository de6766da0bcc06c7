/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Returns of kernel functions (fexit): where the kernel lets them be traced, they tell what system-call
 * tracepoints and programs on the way of every UDP send would have to tell, and cost nobody else anything.
 */
#ifndef PORTSNOOP_SOURCE_FUNCTIONS_H
#define PORTSNOOP_SOURCE_FUNCTIONS_H

#include "source/groups.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Whether this kernel lets returns of functions be traced, tried on one of them, which is called. 0 or a
 * negative errno, -FINDING_OFF and -FINDING_SILENT among them.
 */
int functions_probe(const struct btf *kernel);
/*
 * Of the programs, those that fit this kernel are to be loaded; no_udp_send: but not what tells UDP sends.
 * Returns the groups (TOLD_*) that they tell when they can all be attached.
 */
uint32_t functions_choose(struct bpf_object *object, const struct btf *kernel, bool no_udp_send);
/* Attaches what was loaded, GROUPS_LINKS_MAX links at most: they go to the end of links[], and are the
 * caller's. */
struct functions_told functions_attach(const struct bpf_object *object, struct bpf_link *links[],
				       unsigned *n_links);
/*
 * Looks for threads that were inside accept(2) when its function was hooked. True when there are some: their
 * first return passes the hook by.
 */
bool functions_accepts_inside(const struct bpf_object *object);
/* Whether some of them are still there. */
bool functions_accepts_remain(const struct bpf_object *object);

#endif
