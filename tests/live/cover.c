/* SPDX-License-Identifier: GPL-2.0-only */
#include "cover.h"

#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

static int cover(const char *place)
{
	return access(place, F_OK) ? 0 : mount("nothing", place, "tmpfs", 0, NULL);
}

static int own_mounts(void)
{
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int cover_btf(void)
{
	return own_mounts() || cover("/sys/kernel/btf");
}

int cover_cgroup2(void)
{
	return own_mounts() || cover("/sys/fs/cgroup");
}

int cover_tracefs(void)
{
	return own_mounts() || cover("/sys/kernel/tracing") || cover("/sys/kernel/debug");
}

int cover_capability(unsigned long capability)
{
	return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

int cover_cgroup2_for_good(void)
{
	return cover_cgroup2() || cover_capability(CAP_SYS_ADMIN);
}

int cover_tracefs_for_good(void)
{
	return cover_tracefs() || cover_capability(CAP_SYS_ADMIN);
}
