/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a kind of hook works here, tried with a program that does nothing: loaded, attached and taken away
 * again. Each returns 0 or a negative errno. Functions: functions_probe(), kprobes_probe().
 */
#ifndef PORTSNOOP_SOURCE_TRIALS_H
#define PORTSNOOP_SOURCE_TRIALS_H

/* The kernel's types, then a function's return. */
int trial_fentry(void);
/* A tracepoint with typed arguments. */
int trial_typed_tracepoint(void);
/* The tracepoint of a system call; tracefs_fd as of mounts_open_tracefs(). */
int trial_syscall_tracepoint(int tracefs_fd);
/* A program on the root of the control groups; cgroup2_fd as of mounts_open_cgroup2(). */
int trial_cgroup(int cgroup2_fd);

#endif
