/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc tells of a process that wants to bind a port: its user, its rights there, and what confines it.
 */
#ifndef PORTSNOOP_SYSTEM_ASKER_H
#define PORTSNOOP_SYSTEM_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#define ASKER_PATH_MAX 1024

struct asker {
	uint32_t uid;	 /* fsuid: whose its sockets are */
	bool privileged; /* CAP_NET_BIND_SERVICE in the user namespace of the network namespace */
	bool seccomp;	 /* it has a filter of system calls */
	bool no_new_privs;
	char label[128];	     /* of a security module; "": none, or unconfined */
	char cgroup[ASKER_PATH_MAX]; /* v2; "" where there is none */
};

/* netns_fd: the network namespace that it is about. 0, -ESRCH, or another negative errno. */
int asker_read(uint32_t pid, int netns_fd, struct asker *ret_asker);
/* Whether the kernel has a security module of this name: "landlock", "bpf". */
bool asker_kernel_has_lsm(const char *name);

#endif
