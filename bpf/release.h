/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the current process is the one that let go of a socket. Mostly it is. But whoever looks at the
 * descriptors of another process (ls, lsof, ss -p, an iterator) holds a reference while it looks, and when
 * the last descriptor is closed just then, the socket ends where the onlooker's reference does: on its way
 * out of the system call that looked. Then nobody here knows who closed it, and nobody is named.
 */
#ifndef PORTSNOOP_BPF_RELEASE_H
#define PORTSNOOP_BPF_RELEASE_H

#include "compat.h"
#include "maps.h"
#include "task.h"

#define PF_EXITING   0x00000004
#define PF_IO_WORKER 0x00000010 /* of an io_uring: a thread of the process, but in no system call */

/*
 * System calls that take descriptors away: by closing, by putting another in their place, by giving up the
 * table, by failing to hand out a new one; or messages with descriptors in them.
 */
static __always_inline bool call_lets_go(long number)
{
	switch (number) {
#if defined(bpf_target_x86)
	case 3:	  /* close */
	case 33:  /* dup2 */
	case 43:  /* accept */
	case 47:  /* recvmsg */
	case 59:  /* execve */
	case 272: /* unshare */
	case 288: /* accept4 */
	case 292: /* dup3 */
	case 299: /* recvmmsg */
	case 322: /* execveat */
#elif defined(bpf_target_arm64)
	case 24:  /* dup3 */
	case 57:  /* close */
	case 97:  /* unshare */
	case 202: /* accept */
	case 212: /* recvmsg */
	case 221: /* execve */
	case 242: /* accept4 */
	case 243: /* recvmmsg */
	case 281: /* execveat */
#else
#error "the numbers of this architecture's system calls are missing"
#endif
	case 426: /* io_uring_enter */
	case 436: /* close_range */
		return true;
	}
	return false;
}

/* The same by the numbers of 32-bit programs, i386 or ARM. */
static __always_inline bool call_lets_go_compat(long number)
{
	switch (number) {
	case 6:	 /* close */
	case 11: /* execve */
	case 63: /* dup2 */
#if defined(bpf_target_x86)
	case 310: /* unshare */
	case 330: /* dup3 */
	case 337: /* recvmmsg */
	case 358: /* execveat */
	case 364: /* accept4 */
	case 372: /* recvmsg */
#elif defined(bpf_target_arm64)
	case 285: /* accept */
	case 297: /* recvmsg */
	case 337: /* unshare */
	case 358: /* dup3 */
	case 365: /* recvmmsg */
	case 366: /* accept4 */
	case 387: /* execveat */
#endif
	case 417: /* recvmmsg_time64 */
	case 426: /* io_uring_enter */
	case 436: /* close_range */
		return true;
	}
	return false;
}

/* Its creator, connector or accepter has the socket anyway, whatever it is doing. */
static __always_inline bool note_knows_current(const struct note *note)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (note->creator_pid == pid && note->creator_start_ns == task_current_start_ns())
		return true;
	return note->flags & NOTE_TASK && note->task.pid == pid &&
	       note->task.start_ns == task_current_start_ns();
}

static __always_inline bool released_by_onlooker(const struct note *note)
{
	const struct task_struct *task = compat_current_task();
	struct pt_regs *regs;
	long number;

	if (TASK_READ(task, flags) & (PF_EXITING | PF_IO_WORKER) || note_knows_current(note))
		return false;
	regs = compat_syscall_regs();
	number = compat_syscall_number(regs);
	return compat_syscall_is_32bit(task) ? !call_lets_go_compat(number) : !call_lets_go(number);
}

#endif
