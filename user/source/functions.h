/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Returns of kernel functions (fexit): where the kernel lets them be traced, they tell what system-call
 * tracepoints and programs on the way of every UDP send would have to tell, and cost nobody else anything.
 */
#ifndef PORTSNOOP_SOURCE_FUNCTIONS_H
#define PORTSNOOP_SOURCE_FUNCTIONS_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

/* What is told by functions is told by them alone: each of these entirely or not at all. */
enum told {
	TOLD_BIND = 0x01,
	TOLD_LISTEN = 0x02,
	TOLD_CONNECT = 0x04,
	TOLD_AUTOBIND = 0x08,
	TOLD_ACCEPT = 0x10,
	TOLD_CALLS = TOLD_BIND | TOLD_LISTEN | TOLD_CONNECT | TOLD_ACCEPT, /* all that a call can be */
};

#define TOLD_GROUPS   5
#define FUNCTIONS_MAX 24 /* links of functions_attach() */

struct functions_told {
	uint32_t told;		 /* TOLD_* */
	int errors[TOLD_GROUPS]; /* why the others are not, by bit: a positive errno */
};

/*
 * Whether this kernel lets returns of functions be traced, tried on one of them, which is called. 0 or a
 * negative errno, -FINDING_OFF and -FINDING_SILENT among them.
 */
int functions_probe(const struct btf *kernel);
/* Of the programs, those that fit this kernel are to be loaded; no_udp_send: but not what tells UDP sends. */
void functions_choose(struct bpf_object *object, const struct btf *kernel, bool no_udp_send);
/* Attaches what was loaded. Links are the caller's. */
struct functions_told functions_attach(const struct bpf_object *object, struct bpf_link *links[FUNCTIONS_MAX],
				       unsigned *ret_n_links);
/*
 * Looks for threads that were inside accept(2) when its function was hooked. True when there are some: their
 * first return passes the hook by.
 */
bool functions_accepts_inside(const struct bpf_object *object);
/* Whether some of them are still there. */
bool functions_accepts_remain(const struct bpf_object *object);

#endif
