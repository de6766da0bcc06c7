/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel file systems that may be mounted somewhere, elsewhere or not at all, without touching any mount. */
#ifndef PORTSNOOP_SYSTEM_MOUNTS_H
#define PORTSNOOP_SYSTEM_MOUNTS_H

#include <stdbool.h>

/*
 * A directory descriptor of the cgroup v2 root: of a usual mount point that holds all of it, or else detached
 * from the mount tree where the privileges allow. *ret_host: it is the root of the whole hierarchy, not that
 * of a container.
 * Returns the descriptor or a negative errno.
 */
int mounts_open_cgroup2(bool *ret_host);

/* A directory descriptor of tracefs. Returns it or a negative errno; -EACCES: it is mounted, but not to be
 * read. */
int mounts_open_tracefs(void);
/* The same for securityfs; -ENODEV: this kernel has none. */
int mounts_open_securityfs(void);

#endif
