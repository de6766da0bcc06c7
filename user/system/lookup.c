/* SPDX-License-Identifier: GPL-2.0-only */
/* Control groups by their id. Users and services: lookup_nss.c, in a static program lookup_files.c. */
#include "system/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HANDLE_KERNFS 0xfe /* FILEID_KERNFS, include/linux/exportfs.h: the handle is the 64-bit id */

/* Where this descriptor's directory is in the tree that is seen here; a detached mount's own root is "". */
static bool path_of(int fd, char path[PATH_MAX])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n <= 0)
		return false;
	path[n == 1 ? 0 : n] = '\0'; /* "/" */
	return true;
}

/* A descriptor, or a negative errno: -ESTALE when there is no such control group. */
static int open_cgroup(int cgroup2_fd, uint64_t id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};
	int fd;

	memcpy(u.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cgroup2_fd, &u.handle, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool lookup_cgroup_gone(int cgroup2_fd, uint64_t id)
{
	int fd = open_cgroup(cgroup2_fd, id);

	if (fd >= 0)
		close(fd);
	return fd == -ESTALE;
}

bool lookup_cgroup(int cgroup2_fd, uint64_t id, char *buf, size_t size)
{
	char root[PATH_MAX], path[PATH_MAX];
	int fd = open_cgroup(cgroup2_fd, id);
	bool known;

	if (fd < 0)
		return false;
	known = path_of(fd, path) && path_of(cgroup2_fd, root) && !strncmp(path, root, strlen(root)) &&
		strlen(path) - strlen(root) < size;
	close(fd);
	if (known)
		strcpy(buf, path[strlen(root)] ? path + strlen(root) : "/");
	return known;
}
