/* SPDX-License-Identifier: GPL-2.0-only */
/* The current process. Only to be asked in process context: elsewhere `current` is whoever was interrupted.
 */
#ifndef PORTSNOOP_BPF_TASK_H
#define PORTSNOOP_BPF_TASK_H

#include "emit.h"

#include <portsnoop/event.h>

static __always_inline __u64 task_start_ns(const struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/*
 * The same of the current process. Nearly always the leader itself asks: then it is one load. Pointers are
 * followed by probe reads, since for each one that is loaded from a trusted pointer the verifier (6.2 and
 * later) searches all of the kernel's types by name, half a millisecond of start-up a time.
 */
static __always_inline __u64 task_current_start_ns(void)
{
	const struct task_struct *task = compat_current_task();

	return TASK_READ(task, pid) == TASK_READ(task, tgid) ? TASK_READ(task, start_boottime)
							     : task_start_ns(task);
}

#define PF_KTHREAD 0x00200000

/* A kernel thread acts for somebody else: the last reference of a ring that ended, for example. */
static __always_inline bool task_is_kernel_thread(void)
{
	return TASK_READ(compat_current_task(), flags) & PF_KTHREAD;
}

static __always_inline void task_fill_current(struct rec_task *to)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	to->start_ns = task_current_start_ns();
	to->cgroup_id = bpf_get_current_cgroup_id();
	to->pid = pid_tgid >> 32;
	to->tid = pid_tgid;
	to->uid = bpf_get_current_uid_gid();
	to->reserved = 0;
	bpf_get_current_comm(to->comm, sizeof(to->comm));
}

/*
 * Sends name, executable and arguments of the current process, once per generation. Defined in
 * process.bpf.c. 0 when they are sent, now or before.
 */
int process_announce(void);

/*
 * Functions on their own (current.bpf.c), which the verifier walks once a program and not wherever they are
 * called.
 */

/* The same with a glance at what this CPU did last: mostly the same process again. Every hook that names the
 * current process calls it. */
int announce_current(void);
/* The socket with the port (socket.h) that a descriptor of the current process leads to; 0: none. */
__u64 current_socket(int fd);
/* How the current process's table of descriptors is used: FILES_*. */
int current_files(void);
#define FILES_SHARED	0x1 /* another process has the same */
#define FILES_OF_THREAD 0x2 /* there is but one thread */

static __always_inline struct sock *socket_of_fd(int fd)
{
	return (struct sock *)current_socket(fd);
}

#endif
