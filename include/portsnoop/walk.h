/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a walk over the kernel's sockets needs besides records; it never leaves the program that walks. */
#ifndef PORTSNOOP_WALK_H
#define PORTSNOOP_WALK_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Network namespaces that one walk looks into. */
#define WALK_NETNS_MAX 4096

/* A task by which a network namespace can be entered: each time it is not the task before's. */
struct walk_task {
	__u32 netns; /* inode */
	__u32 tid;   /* as the reader's pid namespace has it */
};

#endif
