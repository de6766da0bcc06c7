/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Actors that do one thing at a time, as they are told, and answer when it is done: for what depends on the
 * order of acts of several processes. Descriptors are numbers of the puppet's own.
 */
#ifndef LIVE_PUPPET_H
#define LIVE_PUPPET_H

#include "scene.h"

struct puppet {
	struct scene *scene;
	pid_t pid;
	int wire;
	int pid_fd;
	bool is_child; /* of ours, not of another puppet */
};

/* A socket in a puppet. */
struct prop {
	int fd;
	uint64_t cookie;
};

void puppet_start(struct scene *scene, struct puppet *puppet);
/* Its child, with all that it has. */
void puppet_fork(struct puppet *parent, struct puppet *child);
/* It goes on as `cat`, which keeps what is not closed on exec, and can only be killed. */
void puppet_exec(struct puppet *puppet);
/* It exits by itself, or is killed; returns when it has let go of everything. */
void puppet_exit(struct puppet *puppet);
void puppet_kill(struct puppet *puppet);

/* Namespaces of its own: of the network, and of pids for the children to come. */
void puppet_leave_netns(struct puppet *puppet);
void puppet_leave_pid_ns(struct puppet *puppet);

#define PUPPET_REUSEPORT 1 /* may be given to what has flags */

/* port 0: any. */
struct prop puppet_bind(struct puppet *puppet, int type, const char *address, uint16_t port);
struct prop puppet_listen(struct puppet *puppet, const char *address, uint16_t port, int flags);
struct prop puppet_connect(struct puppet *puppet, const char *address, uint16_t port);
struct prop puppet_accept(struct puppet *puppet, int fd);
int puppet_dup(struct puppet *puppet, int fd);
void puppet_close(struct puppet *puppet, int fd);
void puppet_keep_on_exec(struct puppet *puppet, int fd);
/* As inventory_bound() and inventory_in_flight(). */
void puppet_say_bound(struct puppet *puppet, int fd);
void puppet_say_in_flight(struct puppet *puppet, int fd);

/* A way for descriptors: the ends in both. */
struct link {
	int from_fd, to_fd;
};
struct link puppet_link(struct puppet *from, struct puppet *to);
/* Sends a copy; it is in flight until it is taken. */
void puppet_give(struct puppet *from, const struct link *link, int fd);
/* Returns the new descriptor. */
int puppet_take(struct puppet *to, const struct link *link);

#endif
