/* SPDX-License-Identifier: GPL-2.0-only */
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Noreturn static void end(const struct scene *scene, int status, const char *format, va_list arguments)
{
	char reason[1024];
	int length = vsnprintf(reason, sizeof(reason), format, arguments);

	if (length > (int)sizeof(reason) - 1)
		length = sizeof(reason) - 1;
	if (length > 0 && write(scene->reason_fd, reason, (size_t)length) < 0)
		perror("live: the reason is lost");
	fflush(stdout);
	_exit(status);
}

void scene_fail(const struct scene *scene, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	end(scene, SCENE_FAILED, format, arguments);
}

void scene_skip(const struct scene *scene, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	end(scene, SCENE_SKIPPED, format, arguments);
}

void scene_note(const struct scene *scene, const char *format, ...)
{
	va_list arguments;

	printf("    %s: ", scene->name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

long scene_must(const struct scene *scene, long result, const char *what)
{
	if (result < 0)
		scene_fail(scene, "%s: %s", what, strerror(errno));
	return result;
}

unsigned scene_count(const struct scene *scene, unsigned n)
{
	double count = n * scene->scale;

	return count < 1 ? 1 : (unsigned)count;
}

const char *scene_smallest_ring(char buf[24])
{
	snprintf(buf, 24, "%ld", sysconf(_SC_PAGESIZE));
	return buf;
}

uint64_t scene_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- what the scenario runs in ----------------------------------------------------------------------------
 */

void scene_isolate(struct scene *scene)
{
	struct ifreq lo = {.ifr_name = "lo"};
	struct stat stat_buf;
	int fd;

	scene->home_netns = (int)scene_must(scene, open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "netns");
	if (unshare(CLONE_NEWNET))
		scene_skip(scene, "no network namespaces here: %s", strerror(errno));
	scene_must(scene, stat("/proc/self/ns/net", &stat_buf), "netns");
	scene->netns = (uint32_t)stat_buf.st_ino;
	fd = (int)scene_must(scene, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	scene_must(scene, ioctl(fd, SIOCGIFFLAGS, &lo), "flags of lo");
	lo.ifr_flags |= IFF_UP;
	scene_must(scene, ioctl(fd, SIOCSIFFLAGS, &lo), "lo up");
	close(fd);
}

bool scene_set(const struct scene *scene, const char *path, const char *value)
{
	char full[256];
	int fd;
	bool written;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return written;
}

void scene_must_set(const struct scene *scene, const char *path, const char *value)
{
	if (!scene_set(scene, path, value))
		scene_fail(scene, "cannot set %s to %s: %s", path, value, strerror(errno));
}

void scene_need_program(const struct scene *scene, const char *name)
{
	const char *path = getenv("PATH");
	char folders[4096], full[4352], *rest = folders, *folder;

	snprintf(folders, sizeof(folders), "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	while ((folder = strsep(&rest, ":"))) {
		snprintf(full, sizeof(full), "%s/%s", folder, name);
		if (access(full, X_OK) == 0)
			return;
	}
	scene_skip(scene, "%s is not installed", name);
}

void scene_need_ipv6(const struct scene *scene)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || access("/proc/sys/net/ipv6/conf/lo", F_OK))
		scene_skip(scene, "no IPv6 here");
	close(fd);
}

/* --- actors -----------------------------------------------------------------------------------------------
 */

pid_t actor_start(struct scene *scene, actor_body *body, void *context)
{
	pid_t parent = getpid(), pid;

	fflush(stdout);
	pid = fork();
	scene_must(scene, pid, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	scene->threaded = false;
	body(scene, context);
	fflush(stdout);
	_exit(0);
}

void actor_join(struct scene *scene, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			scene_fail(scene, "waitpid: %s", strerror(errno));
	if (WIFSIGNALED(status))
		scene_fail(scene, "an actor died of signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status)); /* it has said why */
}

void actor_kill(struct scene *scene, pid_t pid)
{
	scene_must(scene, kill(pid, SIGKILL), "kill");
	scene_must(scene, waitpid(pid, NULL, 0), "waitpid");
}

int gate_new(struct scene *scene)
{
	return (int)scene_must(scene, eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC), "eventfd");
}

void gate_post(const struct scene *scene, int gate)
{
	scene_must(scene, eventfd_write(gate, 1), "gate");
}

/* Whoever was to open the gate may have failed: that is looked at now and then, and left for its reaper. */
static void fail_with_child(const struct scene *scene)
{
	siginfo_t child = {0};

	if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) || !child.si_pid)
		return;
	if (child.si_code != CLD_EXITED || child.si_status)
		scene_fail(scene, "process %d ended with %s %d, and others wait for it", (int)child.si_pid,
			   child.si_code == CLD_EXITED ? "status" : "signal", child.si_status);
}

void gate_wait(const struct scene *scene, int gate)
{
	struct pollfd waiting = {.fd = gate, .events = POLLIN};
	eventfd_t value;

	while (poll(&waiting, 1, 1000) <= 0)
		fail_with_child(scene);
	while (eventfd_read(gate, &value))
		if (errno != EINTR)
			scene_fail(scene, "gate: %s", strerror(errno));
}

void *shared_new(const struct scene *scene, size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		scene_fail(scene, "mmap: %s", strerror(errno));
	return memory;
}
