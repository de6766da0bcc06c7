/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/seccomp.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>

/* By name, so that one that this architecture has not is passed over. */
static const char *const allowed[] = {
	/* files: /proc, names, the textfile, certificates */
	"open",
	"openat",
	"close",
	"read",
	"pread64",
	"readv",
	"write",
	"pwrite64",
	"writev",
	"lseek",
	"_llseek",
	"fstat",
	"stat",
	"lstat",
	"newfstatat",
	"fstatat64",
	"statx",
	"fstatfs",
	"fstatfs64",
	"statfs",
	"statfs64",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents64",
	"getcwd",
	"rename",
	"renameat",
	"renameat2",
	"open_by_handle_at",
	"unlink",
	"unlinkat",
	"fsync",
	"ftruncate",
	"fchmod",
	"umask",
	"dup",
	"dup3",
	"fcntl",
	"fcntl64",
	"ioctl",
	"flock",
	"pipe2",
	/* sockets: HTTP, the instance, sd_notify(3), nsswitch.conf(5) */
	"socket",
	"socketpair",
	"connect",
	"accept",
	"accept4",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"recvfrom",
	"recvmsg",
	"shutdown",
	"getsockname",
	"getpeername",
	"setsockopt",
	"getsockopt",
	"sendfile",
	"sendfile64",
	"bind",
	"listen",
	/* waiting */
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"pselect6",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_ctl",
	"epoll_create1",
	"eventfd2",
	"timerfd_create",
	"timerfd_settime",
	"signalfd4",
	"nanosleep",
	"clock_nanosleep",
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"gettimeofday",
	"time",
	"futex",
	"futex_time64",
	"restart_syscall",
	/* memory and threads: the walker's */
	"mmap",
	"mmap2",
	"munmap",
	"mremap",
	"mprotect",
	"madvise",
	"brk",
	"membarrier",
	"rseq",
	"set_robust_list",
	"get_robust_list",
	"clone",
	"clone3",
	"exit",
	"exit_group",
	"sched_yield",
	"sched_getaffinity",
	"set_tid_address",
	"prctl",
	"arch_prctl",
	/* signals */
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"sigaltstack",
	"tgkill",
	"wait4",
	"waitid",
	/* who and where we are */
	"getpid",
	"gettid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getrandom",
	"getrusage",
	"prlimit64",
	"getrlimit",
	"sysinfo",
	"uname",
	"capget",
	"capset",
	/* the namespaces that are walked */
	"setns",
};

/* Reading what was attached, starting iterators, running what is loaded. Nothing more is loaded, made or
 * attached. */
static const int allowed_of_bpf[] = {
	BPF_MAP_LOOKUP_ELEM,
	BPF_MAP_UPDATE_ELEM,
	BPF_MAP_DELETE_ELEM,
	BPF_MAP_GET_NEXT_KEY,
	BPF_MAP_LOOKUP_AND_DELETE_ELEM,
	BPF_MAP_LOOKUP_BATCH,
	BPF_MAP_LOOKUP_AND_DELETE_BATCH,
	BPF_MAP_UPDATE_BATCH,
	BPF_MAP_DELETE_BATCH,
	BPF_PROG_GET_NEXT_ID,
	BPF_PROG_GET_FD_BY_ID,
	BPF_OBJ_GET_INFO_BY_FD,
	BPF_ITER_CREATE,
	BPF_PROG_TEST_RUN,
};

/* Threads, but no processes. What clone3() is asked for no filter can see: the C library does without it. */
static int allow_threads(scmp_filter_ctx filter)
{
	/* s390 has the flags second; nobody builds for it. */
	int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	return error ? error : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int allow_bpf(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(allowed_of_bpf) / sizeof(allowed_of_bpf[0]) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
					 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)allowed_of_bpf[i]));
	return error;
}

static int allow_all(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		int number = seccomp_syscall_resolve_name(allowed[i]), error;

		if (number == __NR_SCMP_ERROR)
			continue; /* newer than the library */
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
		if (error && error != -EDOM && error != -EEXIST)
			return error;
	}
	return 0;
}

int seccomp_confine(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error;

	if (!filter)
		return -ENOMEM;
	error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!error)
		error = allow_all(filter);
	if (!error)
		error = allow_threads(filter);
	if (!error)
		error = allow_bpf(filter);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}
