/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/bind_restraints.h"

#include "system/asker.h"
#include "system/mounts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define PROGRAMS_MAX 64

/* --- control groups ---------------------------------------------------------------------------------------
 */

/* bpf/calls_cgroup: it looks and lets pass. */
static bool is_own(const char *name)
{
	return !strncmp(name, "cgroup_bind", 11) || !strncmp(name, "cgroup_post_bin", 15);
}

static bool read_info(uint32_t id, struct bpf_prog_info *ret_info)
{
	uint32_t size = sizeof(*ret_info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool found;

	memset(ret_info, 0, sizeof(*ret_info));
	if (fd < 0)
		return false;
	found = bpf_obj_get_info_by_fd(fd, ret_info, &size) == 0;
	close(fd);
	return found;
}

/* One that cannot be looked at is somebody's. */
static bool is_foreign(uint32_t id)
{
	struct bpf_prog_info info;

	return !read_info(id, &info) || !is_own(info.name);
}

/* Attached there or above. More than have room: some are foreign. */
static bool has_foreign(int cgroup_fd, enum bpf_attach_type type)
{
	uint32_t ids[PROGRAMS_MAX], n = PROGRAMS_MAX, flags;

	if (bpf_prog_query(cgroup_fd, type, BPF_F_QUERY_EFFECTIVE, &flags, ids, &n))
		return errno == ENOSPC;
	for (uint32_t i = 0; i < n; i++)
		if (is_foreign(ids[i]))
			return true;
	return false;
}

static bool is_seen_by_cgroup(const char *cgroup, uint8_t family)
{
	bool host, seen;
	int root = *cgroup ? mounts_open_cgroup2(&host) : -1, fd;

	if (root < 0)
		return false;
	fd = openat(root, cgroup[1] ? cgroup + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(root);
	if (fd < 0)
		return false;
	seen = has_foreign(fd, family == AF_INET ? BPF_CGROUP_INET4_BIND : BPF_CGROUP_INET6_BIND) ||
	       has_foreign(fd, family == AF_INET ? BPF_CGROUP_INET4_POST_BIND : BPF_CGROUP_INET6_POST_BIND);
	close(fd);
	return seen;
}

/* --- BPF LSM ----------------------------------------------------------------------------------------------
 */

static bool is_asked_about_binds(const struct bpf_prog_info *info, uint32_t hook)
{
	return info->type == BPF_PROG_TYPE_LSM && info->attach_btf_id == hook;
}

static bool is_seen_by_lsm(void)
{
	struct bpf_prog_info info;
	uint32_t id = 0;
	int hook;

	if (!asker_kernel_has_lsm("bpf"))
		return false;
	hook = libbpf_find_vmlinux_btf_id("socket_bind", BPF_LSM_MAC);
	while (hook > 0 && !bpf_prog_get_next_id(id, &id))
		if (read_info(id, &info) && is_asked_about_binds(&info, (uint32_t)hook))
			return true;
	return false;
}

bind_doubts bind_restraints(const char *cgroup, uint8_t family)
{
	bind_doubts doubts = 0;

	if (is_seen_by_cgroup(cgroup, family))
		doubts |= 1u << DOUBT_CGROUP;
	if (is_seen_by_lsm())
		doubts |= 1u << DOUBT_BPF_LSM;
	return doubts;
}
