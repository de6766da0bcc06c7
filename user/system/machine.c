/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/machine.h"

#include "system/mounts.h"
#include "system/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INITIAL_USER_NS 0xeffffffdu /* include/linux/proc_ns.h */

/* "none [integrity] confidentiality": the brackets have the one in force. */
static int take_bracketed(char *text, char *buf, size_t size)
{
	char *mode = strchr(text, '['), *end = mode ? strchr(mode, ']') : NULL;

	if (!end)
		return -EBADMSG;
	snprintf(buf, size, "%.*s", (int)(end - mode - 1), mode + 1);
	return 0;
}

int machine_lockdown(char *buf, size_t size)
{
	int fd = mounts_open_securityfs();
	char text[64];
	ssize_t length;

	if (fd < 0)
		return fd; /* -ENODEV: without securityfs there is no lockdown either */
	length = proc_read_at(fd, "lockdown", text, sizeof(text));
	close(fd);
	if (length == -ENOENT)
		return -ENODEV;
	return length < 0 ? (int)length : take_bracketed(text, buf, size);
}

int machine_setting(const char *name, int64_t *ret_value)
{
	char path[128], text[32];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	for (char *at = path; (at = strchr(at, '.'));)
		*at = '/';
	length = proc_read(path, text, sizeof(text));
	if (length < 0)
		return (int)length;
	*ret_value = strtoll(text, NULL, 10);
	return 0;
}

bool machine_ftrace_is_off(void)
{
	int64_t enabled;

	return machine_setting("kernel.ftrace_enabled", &enabled) == 0 && !enabled;
}

/* --- 32-bit programs --------------------------------------------------------------------------------------
 */

/* In a child, which a kernel without them may kill. */
#if defined(__x86_64__)
static void refused(int signal)
{
	_exit(1);
}

/* The gate of 32-bit programs is open to 64-bit ones too: exit(0), by the numbers of i386. */
_Noreturn static void try_32bit(void)
{
	signal(SIGSEGV, refused);
	signal(SIGSYS, refused);
	__asm__ volatile("int $0x80" : : "a"(1), "b"(0) : "memory");
	_exit(1);
}
#elif defined(__aarch64__)
/* Refused where the processor or the kernel has no 32-bit mode. */
_Noreturn static void try_32bit(void)
{
	_exit(personality(PER_LINUX32) < 0 ? 1 : 0);
}
#else
_Noreturn static void try_32bit(void)
{
	_exit(1);
}
#endif

bool machine_runs_32bit(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		try_32bit();
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- namespaces -------------------------------------------------------------------------------------------
 */

uint32_t machine_namespace(const char *kind)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

bool machine_is_initial_user_namespace(void)
{
	uint32_t inode = machine_namespace("user");

	return !inode || inode == INITIAL_USER_NS; /* a kernel without them has none but that */
}
