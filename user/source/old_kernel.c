/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/old_kernel.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/resource.h>

bool old_kernel_is(void)
{
	/* The youngest of what is missing there; programs for kprobes have it since the same change. */
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_task_pt_regs, NULL) == 0;
}

int old_kernel_fault(struct fault *fault, int error, const char *what)
{
	struct rlimit limit;

	if (error != -EPERM || getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return fault_set_refused(fault, error, what);
	fault->unsupported = true;
	return fault_set(fault, error,
			 "this kernel refuses %s (%s): it counts their memory against the limit of locked "
			 "memory (ulimit -l), which takes CAP_SYS_RESOURCE to raise",
			 what, strerror(EPERM));
}
