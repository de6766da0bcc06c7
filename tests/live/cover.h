/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine without something, for one run of the tool: what it would find is covered in a mount namespace of
 * its own. All are for tool_run's prepare: 0 when it worked.
 */
#ifndef LIVE_COVER_H
#define LIVE_COVER_H

int cover_btf(void);
int cover_cgroup2(void);
int cover_tracefs(void);
/* The same, and nothing can be mounted instead: without CAP_SYS_ADMIN. */
int cover_cgroup2_for_good(void);
int cover_tracefs_for_good(void);
/* The program that is executed next does not have this capability. */
int cover_capability(unsigned long capability);

#endif
