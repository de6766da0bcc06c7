/* SPDX-License-Identifier: GPL-2.0-only */
/* Links of programs that only together tell a group of facts (TOLD_*): each group entirely or not at all. */
#ifndef PORTSNOOP_SOURCE_GROUPS_H
#define PORTSNOOP_SOURCE_GROUPS_H

#include <bpf/libbpf.h>
#include <portsnoop/told.h>
#include <stdint.h>

#define GROUPS_LINKS_MAX 32

/* What came of it. */
struct functions_told {
	uint32_t told;		 /* TOLD_* */
	int errors[TOLD_GROUPS]; /* why the others are not, by bit: a positive errno */
};

struct groups {
	struct bpf_link *links[GROUPS_LINKS_MAX];
	uint32_t told_by[GROUPS_LINKS_MAX]; /* TOLD_* of each link */
	unsigned n_links;
	struct functions_told result;
};

/* A link for these groups. */
void groups_add(struct groups *groups, uint32_t told, struct bpf_link *link);
/* What would have been a part of these groups is not there; error is positive, the first counts. */
void groups_fail(struct groups *groups, uint32_t told, int error);
/*
 * What has a part that is not attached is told otherwise: its other parts go again. The links that are left
 * go to the end of links[], and are the caller's. Of the wanted groups, those without any link failed with
 * ENOENT.
 */
struct functions_told groups_settle(struct groups *groups, uint32_t wanted, struct bpf_link *links[],
				    unsigned *n_links);

#endif
