/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sched.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HOST_ROOT_INODE 1 /* of the root of a cgroup hierarchy; a container's root is a directory below */

/* fsopen(2) and fsmount(2), since 5.2: a mount that nobody else sees and that goes with its descriptor. */
static int open_detached(const char *type)
{
	int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), mount = -1, root = -1, error;

	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (mount < 0) {
		error = -errno;
	} else {
		/* What fsmount(2) gives is an O_PATH descriptor; names and handles are looked up below a real
		 * one. */
		root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		error = -errno;
		close(mount);
	}
	close(context);
	return root >= 0 ? root : error;
}

/* The first of the usual places that really holds this file system. -EACCES: it is there, but not for us. */
static int open_mounted(const char *const places[], long magic)
{
	int error = -ENOENT;

	for (; *places; places++) {
		int fd = open(*places, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd < 0 && errno == EACCES && statfs(*places, &fs) == 0 && fs.f_type == magic)
			error = -EACCES;
		if (fd < 0)
			continue;
		if (fstatfs(fd, &fs) == 0 && fs.f_type == magic)
			return fd;
		close(fd);
	}
	return error;
}

/* Why it cannot be mounted says more than that it is not; that it may not be read says most. */
static int open_anywhere(const char *const places[], long magic, const char *type)
{
	int mounted = open_mounted(places, magic), detached;

	if (mounted >= 0)
		return mounted;
	detached = open_detached(type);
	return detached < 0 && mounted == -EACCES ? mounted : detached;
}

static bool is_host_root(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == HOST_ROOT_INODE;
}

/*
 * Where it is mounted and whole, that will do: to mount it once more waits for RCU, ten milliseconds. Else a
 * detached one, which may show more than a container's.
 */
static int open_cgroup2_here(void)
{
	static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL};
	int mounted = open_mounted(places, CGROUP2_SUPER_MAGIC), detached;

	if (mounted >= 0 && is_host_root(mounted))
		return mounted;
	detached = open_detached("cgroup2");
	if (detached < 0 && mounted >= 0)
		return mounted;
	if (mounted >= 0)
		close(mounted);
	return detached; /* why it cannot be mounted says more than that it is not */
}

/* From inside a container that shares the host's pid namespace, pid 1's cgroup namespace is the host's. */
static int open_cgroup2_of_init(void)
{
	int own = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	int init = open("/proc/1/ns/cgroup", O_RDONLY | O_CLOEXEC);
	int fd = -EPERM;

	if (own >= 0 && init >= 0 && setns(init, CLONE_NEWCGROUP) == 0) {
		fd = open_detached("cgroup2");
		if (setns(own, CLONE_NEWCGROUP) && fd >= 0) {
			close(fd); /* not to stay in a namespace that is not ours */
			fd = -errno;
		}
	}
	if (own >= 0)
		close(own);
	if (init >= 0)
		close(init);
	return fd;
}

int mounts_open_cgroup2(bool *ret_host)
{
	int fd = open_cgroup2_here(), host;

	if (fd < 0)
		return fd;
	if (is_host_root(fd)) {
		*ret_host = true;
		return fd;
	}
	host = open_cgroup2_of_init();
	if (host >= 0 && is_host_root(host)) {
		close(fd);
		*ret_host = true;
		return host;
	}
	if (host >= 0)
		close(host);
	*ret_host = false;
	return fd;
}

int mounts_open_tracefs(void)
{
	static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing", NULL};

	return open_anywhere(places, TRACEFS_MAGIC, "tracefs");
}

int mounts_open_securityfs(void)
{
	static const char *const places[] = {"/sys/kernel/security", NULL};

	return open_anywhere(places, SECURITYFS_MAGIC, "securityfs");
}
