/* SPDX-License-Identifier: GPL-2.0-only */
/* Capabilities: what is missing, and giving up what is no longer needed. */
#ifndef PORTSNOOP_SYSTEM_PRIVILEGES_H
#define PORTSNOOP_SYSTEM_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Puts the names of the capabilities without which nothing can be traced, and which this process lacks, into
 * buf, with commas. Returns true when none is missing.
 */
bool privileges_for_tracing(char *buf, size_t size);
/* The same for a one-shot walk with iterators: CAP_BPF and CAP_PERFMON. */
bool privileges_for_walking(char *buf, size_t size);

/* Whether this process has a capability (CAP_BPF ... of capabilities(7)) now. */
bool privileges_have(unsigned capability);

/*
 * Gives up for good what attaching needed and running does not. CAP_BPF goes too if works(context), tried by
 * a child process without it, says that it is not needed: kernels below 5.19 read maps only with it, unless
 * unprivileged BPF is allowed. 0 or a negative errno.
 */
int privileges_drop(bool (*works)(const void *context), const void *context);

/*
 * For a process that others speak to: gives up, too, what looking up names does not take; or writing a file
 * (writes) in somebody else's folder. 0 or a negative errno.
 */
int privileges_drop_to_names(bool writes);
/* For a thread that does nothing but walk: what entering namespaces and iterators take stays. The same. */
int privileges_drop_to_walking(void);
/* The calling thread has no capabilities any more. Nobody can be told when that fails: there is nothing that
 * it could fail for. */
void privileges_drop_all(void);

#endif
