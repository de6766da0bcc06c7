/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All sockets of some namespaces and everybody who holds them, as the kernel's /proc says, against what the
 * tool prints: the rows of /proc/net joined with the links of /proc/PID/task/TID/fd by their inode. A TCP
 * socket that is bound and no more is not in /proc/net: sock_diag lists it, or, before 6.8, whoever has it
 * says so.
 */
#ifndef LIVE_INVENTORY_H
#define LIVE_INVENTORY_H

#include "scene.h"

/* It has a file, which no process has open: its only descriptors are under way in messages. */
#define INVENTORY_IN_FLIGHT "in flight"

struct inventory_row {
	unsigned long inode; /* 0: no file refers to it, or the tool said it */
	char text[192];	     /* `NETNS proto=… local=… peer=… state=…` */
	char holders[256];   /* sorted pids with commas, or INVENTORY_IN_FLIGHT */
	bool is_bound_only;  /* not in /proc/net */
	bool in_flight;	     /* the same, and there even if nobody holds it */
};

struct inventory {
	struct inventory_row *rows; /* sorted by what they say */
	size_t n, room;
	struct inventory_row *by_inode; /* the same rows; only the kernel's have inodes */
};

/* A namespace, and a process that lives in it. */
struct place {
	unsigned netns;
	pid_t pid;
};
#define PLACES_MAX 8
struct places {
	struct place items[PLACES_MAX];
	unsigned n;
	bool bound_is_listed; /* by the kernel; or else it has to be said */
};

enum asking {
	ASKING_NOBODY, /* --no-instance: the tool walks */
	ASKING_SYNC,   /* through an instance, which looks first; the tool is not able to walk */
	ASKING_AS_IS,  /* the same, as it is */
};

unsigned netns_of(const struct scene *scene, pid_t pid);
void places_add(const struct scene *scene, struct places *places, pid_t pid);

/* By who has it, into the truth: it is bound, and there as long as somebody has it. */
void inventory_bound(const struct scene *scene, int fd);
/* The same of one that is about to have no descriptor anywhere but in a message. */
void inventory_in_flight(const struct scene *scene, int fd);

/* The kernel's; both are sorted. What was there before is forgotten. */
void inventory_read(const struct scene *scene, const struct places *places, struct inventory *inventory);
/* The tool's: `ls ports` and `ls connections`, or `who` for a port. kernel says whether descriptors are
 * right. */
void inventory_ask(struct scene *scene, const struct places *places, enum asking asking,
		   const struct inventory *kernel, struct inventory *inventory);
void inventory_ask_who(struct scene *scene, const struct places *places, enum asking asking, unsigned port,
		       const struct inventory *kernel, struct inventory *inventory);
/* True, or the first difference in words. */
bool inventory_equal(const struct inventory *kernel, const struct inventory *tool, char *difference,
		     size_t size);
void inventory_free(struct inventory *inventory);
/* What there is of each state, in words. */
const char *inventory_summary(const struct inventory *inventory, char *text, size_t size);

/*
 * Fails at the first difference, if the kernel stood still while the tool was asked; otherwise asks again.
 * Returns the number of sockets.
 */
size_t inventory_check(struct scene *scene, const struct places *places, enum asking asking);
/* The same of what is on a local port. */
size_t inventory_check_who(struct scene *scene, const struct places *places, enum asking asking,
			   unsigned port);
/* For struct tool_run: who cannot walk knows only what an instance says. */
int without_capabilities(void);

/* --- for those who fill one -------------------------------------------------------------------------------
 */

/* A new row, empty. */
struct inventory_row *inventory_add(const struct scene *scene, struct inventory *inventory);
int inventory_compare(const void *left, const void *right);
/* Each pid once, in order. Sorts them. */
void inventory_say_holders(const struct scene *scene, struct inventory_row *row, pid_t *pids, size_t n);
/* What the descriptor is that a link of /proc leads to; 0: no socket. */
unsigned long inventory_inode_of_link(const char *path);
/* Calls back for each name in a folder that is a number. */
void inventory_each_number(const char *folder, void (*body)(const char *path, void *context), void *context);
/* The row with that inode, or NULL. */
const struct inventory_row *inventory_find(const struct inventory *kernel, unsigned long inode);

#endif
