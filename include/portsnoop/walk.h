/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a walk over the kernel's sockets needs besides records; it never leaves the program that walks. */
#ifndef PORTSNOOP_WALK_H
#define PORTSNOOP_WALK_H

#include <portsnoop/event.h>

/* Network namespaces that one walk looks into. */
#define WALK_NETNS_MAX 4096

#define WALK_NETNS_TASKS 4 /* ways into one by different tasks: some may end before they are taken */

/* A task by which a network namespace can be entered. Of neighbours in the same one, so many are told. */
struct walk_task {
	__u32 netns; /* inode */
	__u32 tid;   /* as the reader's pid namespace has it */
};

/* What the iterators go by: zeroed and set before each walk. */
struct walk_state {
	__u32 source;	   /* enum rec_source */
	__u32 netns;	   /* inode of the namespace that tcp and udp list */
	__u32 last_netns;  /* of the task told last */
	__u16 port;	   /* only sockets on this local port, host order; 0: on all */
	__u8 ports_only;   /* no connections */
	__u8 no_remains;   /* nothing that is no whole socket: requests, TIME_WAIT */
	__u8 remains_only; /* of TCP nothing but that */
	__u8 with_ports;   /* how ports were got, too: SOCKET_F_PORT_READ */
	__u8 mptcp_unread; /* said by snapshot_holders: a socket of MPTCP, which this object does not read */
	__u8 passed_over;  /* said by snapshot_files: a subflow that has no cookie yet */
	__u8 notes_kill;   /* said by snapshot_tasks: to look at notes would take the kernel down */
	__u8 neighbours;   /* tasks told in a row, all in last_netns */
	__u64 last_start_ns; /* of the thread that `task` describes; descriptors come thread by thread */
	struct rec_task task;
};

#endif
