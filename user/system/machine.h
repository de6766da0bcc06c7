/* SPDX-License-Identifier: GPL-2.0-only */
/* What kind of machine this is, and how it is set, as far as it bears on tracing. Nothing is changed. */
#ifndef PORTSNOOP_SYSTEM_MACHINE_H
#define PORTSNOOP_SYSTEM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The mode in force: "none", "integrity" or "confidentiality". 0, -ENODEV when this kernel has no lockdown,
 * or why it cannot be known. */
int machine_lockdown(char *buf, size_t size);
/* A number of sysctl(8), by its name with dots. 0 or a negative errno. */
int machine_setting(const char *name, int64_t *ret_value);
/*
 * Whether kernel.ftrace_enabled is 0. Hooks on functions can be attached then and do not fire; worse, when
 * one is taken away again the kernel may find its books wrong and give up tracing functions until it is
 * booted anew (seen on 6.1 to 7.2). So none may be attached.
 */
bool machine_ftrace_is_off(void);
/* Whether a 32-bit system call works here, tried by a child. */
bool machine_runs_32bit(void);
/* Whether this is the initial user namespace, where alone capabilities count for BPF. */
bool machine_is_initial_user_namespace(void);
/* Inode of the caller's namespace of this kind ("pid", "user"); 0: not known. */
uint32_t machine_namespace(const char *kind);
/* Inode of the initial pid namespace: include/linux/proc_ns.h. */
#define MACHINE_INITIAL_PID_NS 0xeffffffcu

#endif
