/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program of a control group forbids, TCP or UDP, is told like any other failure. */
#include "act.h"
#include "ledger.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CGROUPS "/run/policy"
#define CGROUP	CGROUPS "/portsnoop-policy"

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* r0 = 0; exit: no. */
static int load_no(const struct scene *scene, enum bpf_attach_type type)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.insns = (uintptr_t)program,
		.insn_cnt = 2,
		.license = (uintptr_t) "GPL",
		.expected_attach_type = type,
	};

	setrlimit(RLIMIT_MEMLOCK,
		  &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}); /* programs count, before 5.11 */
	return (int)scene_must(scene, bpf(BPF_PROG_LOAD, &attr), "loading a program of a control group");
}

static void forbid(const struct scene *scene, int cgroup, enum bpf_attach_type type)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)load_no(scene, type),
		.attach_type = type,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	scene_must(scene, bpf(BPF_PROG_ATTACH, &attr), "attaching it");
}

/* A control group in which nobody binds or connects. The programs go when it does. */
static int make_cgroup(const struct scene *scene)
{
	int cgroup;

	scene_must(scene, unshare(CLONE_NEWNS), "mount namespace");
	scene_must(scene, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	scene_must(scene, mount("policy", "/run", "tmpfs", 0, NULL), "tmpfs on /run");
	scene_must(scene, mkdir(CGROUPS, 0755), CGROUPS);
	if (mount("policy", CGROUPS, "cgroup2", 0, NULL))
		scene_skip(scene, "cgroup v2 cannot be mounted: %s", strerror(errno));
	rmdir(CGROUP); /* of a run that was cut off */
	scene_must(scene, mkdir(CGROUP, 0755), CGROUP);
	cgroup = (int)scene_must(scene, open(CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC), CGROUP);
	forbid(scene, cgroup, BPF_CGROUP_INET4_BIND);
	forbid(scene, cgroup, BPF_CGROUP_INET4_CONNECT);
	forbid(scene, cgroup, BPF_CGROUP_INET6_CONNECT);
	return cgroup;
}

static void expect_forbidden(const struct scene *scene, int family, int type, const char *text)
{
	union address peer = address_of(text, 7541);
	int fd = act_socket(scene, family, type);

	if (act_connect(scene, fd, &peer) != EPERM)
		scene_fail(scene, "a connect to %s was not forbidden", text);
	close(fd);
}

static void be_forbidden(struct scene *scene, void *context)
{
	union address address = address_of("127.0.0.1", 7540);
	const int *cgroup = context;
	int procs = (int)scene_must(scene, openat(*cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC), CGROUP);
	int fd;

	scene_must(scene, write(procs, "0", 1), "moving into the control group");
	close(procs);
	fd = act_socket(scene, AF_INET, SOCK_STREAM); /* its group is that of who makes it, then */
	if (act_bind(scene, fd, &address) != EPERM)
		scene_fail(scene, "a bind was not forbidden");
	close(fd);
	expect_forbidden(scene, AF_INET, SOCK_STREAM, "127.0.0.1");
	expect_forbidden(scene, AF_INET, SOCK_DGRAM, "127.0.0.1");
	if (access("/proc/sys/net/ipv6/conf/lo", F_OK))
		return;
	expect_forbidden(scene, AF_INET6, SOCK_STREAM, "::1");
	expect_forbidden(scene, AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1");
}

void forbidden_by_cgroup(struct scene *scene)
{
	struct tool tool;
	int cgroup;

	tool_start(&tool, scene, NULL);
	cgroup = make_cgroup(scene);
	actor_join(scene, actor_start(scene, be_forbidden, &cgroup));
	close(cgroup);
	rmdir(CGROUP);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
}
