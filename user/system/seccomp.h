/* SPDX-License-Identifier: GPL-2.0-only */
/* The system calls that are left to a process that has attached everything and speaks HTTP. */
#ifndef PORTSNOOP_SYSTEM_SECCOMP_H
#define PORTSNOOP_SYSTEM_SECCOMP_H

/*
 * From now on, for all threads: what is not on the list fails with EPERM. Nothing that starts a program,
 * takes up tracing or changes who we are is on it. 0, or a negative errno when the kernel has no filters.
 */
int seccomp_confine(void);

#endif
