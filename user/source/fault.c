/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/fault.h"

#include "core/errno_name.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>

int fault_set(struct fault *fault, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return error;
}

/* What bpf(2) and the verifier mean by it. */
static const char *meaning_of(int error)
{
	switch (-error) {
	case EPERM:
		return "A capability is missing, or a container, a security module or lockdown forbids it";
	case ENOMEM:
		return "The kernel has no memory for it, or a control group's limit is too low";
	case ENOSYS:
		return "It was built without CONFIG_BPF_SYSCALL";
	case EINTR:
	case EAGAIN:
		return "Something interrupted it; try again";
	default: /* EINVAL, E2BIG, EACCES, ESRCH ...: a program, a map or a helper that it does not know */
		return "portsnoop needs what Linux 5.10 has";
	}
}

/* Not the kernel's fault. */
static int set_crowded(struct fault *fault, int error, const char *what)
{
	struct rlimit limit;

	fault->unsupported = true;
	if (error == -EMFILE && !getrlimit(RLIMIT_NOFILE, &limit))
		return fault_set(fault, error,
				 "%s take more file descriptors than this process may have: %llu (ulimit -n)",
				 what, (unsigned long long)limit.rlim_cur);
	return fault_set(fault, error, "no file descriptors are left for %s: %s", what, errno_words(-error));
}

int fault_set_refused(struct fault *fault, int error, const char *what)
{
	struct utsname kernel;

	if (error == -EMFILE || error == -ENFILE)
		return set_crowded(fault, error, what);
	if (uname(&kernel))
		kernel.release[0] = '\0';
	fault->unsupported = true;
	return fault_set(fault, error,
			 "this kernel (%s) refuses %s: %s. %s; --verbose shows what the kernel says",
			 kernel.release, what, errno_words(-error), meaning_of(error));
}
