/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/trials.h"

#include "source/functions.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* r0 = 1; exit: what a cgroup program says to let things pass, and nobody else looks at. */
static int load(enum bpf_prog_type type, const struct bpf_prog_load_opts *options)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "portsnoop_try", "GPL", program, 2, options);

	return fd < 0 ? -errno : fd;
}

/* Closes both; the error is of the second. */
static int tried(int program, int link)
{
	int error = link < 0 ? -errno : 0;

	if (link >= 0)
		close(link);
	close(program);
	return error;
}

int trial_fentry(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	int error = kernel ? functions_probe(kernel) : -errno;

	btf__free(kernel);
	return error;
}

int trial_typed_tracepoint(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id("inet_sock_set_state", BPF_TRACE_RAW_TP), program;

	if (id < 0)
		return id;
	options.attach_btf_id = (uint32_t)id;
	program = load(BPF_PROG_TYPE_TRACING, &options);
	return program < 0 ? program : tried(program, bpf_raw_tracepoint_open(NULL, program));
}

int trial_cgroup(int cgroup2_fd)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET_SOCK_RELEASE);
	int program = cgroup2_fd < 0 ? cgroup2_fd : load(BPF_PROG_TYPE_CGROUP_SOCK, &options);

	if (program < 0)
		return program;
	return tried(program, bpf_link_create(program, cgroup2_fd, BPF_CGROUP_INET_SOCK_RELEASE, NULL));
}

/* --- perf events ------------------------------------------------------------------------------------------
 */

static int try_event(enum bpf_prog_type type, struct perf_event_attr *attr)
{
	int program, event = (int)syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (event < 0)
		return -errno;
	program = load(type, NULL);
	if (program < 0) {
		close(event);
		return program;
	}
	if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program)) {
		int error = -errno;

		close(event);
		close(program);
		return error;
	}
	return tried(program, event);
}

int trial_syscall_tracepoint(int tracefs_fd)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	char id[32];
	ssize_t length;

	if (tracefs_fd < 0)
		return tracefs_fd;
	length = proc_read_at(tracefs_fd, "events/syscalls/sys_exit_listen/id", id, sizeof(id));
	if (length <= 0)
		return length < 0 ? (int)length : -ENOENT;
	attr.config = strtoull(id, NULL, 10);
	return try_event(BPF_PROG_TYPE_TRACEPOINT, &attr);
}
