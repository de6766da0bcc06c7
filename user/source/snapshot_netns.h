/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network namespaces of one walk: by which way each can be entered, and what became of it. They are
 * entered by the calling thread alone; a process's other threads stay where they are.
 */
#ifndef PORTSNOOP_SOURCE_SNAPSHOT_NETNS_H
#define PORTSNOOP_SOURCE_SNAPSHOT_NETNS_H

#include <portsnoop/walk.h>
#include <stdbool.h>
#include <stdint.h>

enum netns_state {
	NETNS_WAITING,
	NETNS_COVERED,
	NETNS_SKIPPED,
	NETNS_GONE, /* every way led nowhere: nobody is in it any more */
};

struct netns {
	uint32_t inode;
	uint32_t tids[WALK_NETNS_TASKS];
	uint8_t n_tids;
	uint8_t state; /* enum netns_state */
	bool revealed; /* a socket of it was found */
	char *name;    /* below /run/netns; NULL: none */
};

struct netns_set;

/* Holds the calling thread's own namespace, in state NETNS_WAITING. NULL: no memory. */
struct netns_set *netns_set_new(void);
void netns_set_free(struct netns_set *set);

/* Each: false when there was no room. */
bool netns_set_add_task(struct netns_set *set, uint32_t inode, uint32_t tid);
/* The ones with a name, as `ip netns` keeps them. */
bool netns_set_add_named(struct netns_set *set);
/* A socket of this namespace was found: if nothing else is known of it, or it was gone, it waits again. */
bool netns_set_reveal(struct netns_set *set, uint32_t inode);

/* In the order of adding, so the own one first. A callback that returns non-zero ends it. */
int netns_set_each(struct netns_set *set, int (*callback)(struct netns *netns, void *context), void *context);

/* Moves the calling thread there. 0, -ENOENT when there is no way any more, or why it is not allowed. */
int netns_enter(struct netns_set *set, const struct netns *netns);
/* Back to its own. 0 or a negative errno. */
int netns_return(struct netns_set *set);

#endif
