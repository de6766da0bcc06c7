/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

ssize_t proc_read_at(int dirfd, const char *path, char *buf, size_t size)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (length < size - 1) {
		n = read(fd, buf + length, size - 1 - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	close(fd);
	buf[length] = '\0';
	return (ssize_t)length;
}

ssize_t proc_read(const char *path, char *buf, size_t size)
{
	return proc_read_at(AT_FDCWD, path, buf, size);
}

/* Field 22 of /proc/PID/stat (proc(5)), in clock ticks since boot; the comm before it may hold anything. */
static bool read_start_ticks(int dirfd, uint64_t *ret_ticks)
{
	char stat[1024], *at;

	if (proc_read_at(dirfd, "stat", stat, sizeof(stat)) <= 0)
		return false;
	at = strrchr(stat, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*ret_ticks = strtoull(at + 1, NULL, 10);
	return true;
}

int proc_open(uint32_t pid, uint64_t start_ns)
{
	uint64_t ticks, per_second = (uint64_t)sysconf(_SC_CLK_TCK);
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	if (read_start_ticks(fd, &ticks) && ticks == start_ns / (NS_PER_S / per_second))
		return fd;
	close(fd);
	return -ESRCH;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * (int64_t)NS_PER_S + now.tv_nsec;
}

uint64_t proc_boottime_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_BOOTTIME);
}

/* The two clocks cannot be read at once: of a few tries the one with the least time in between is kept. */
int64_t proc_clock_offset_ns(void)
{
	int64_t best = INT64_MAX, offset = 0;

	for (int i = 0; i < 5; i++) {
		int64_t before = clock_ns(CLOCK_BOOTTIME);
		int64_t real = clock_ns(CLOCK_REALTIME);
		int64_t after = clock_ns(CLOCK_BOOTTIME);

		if (after - before >= best)
			continue;
		best = after - before;
		offset = real - (before + (after - before) / 2);
	}
	return offset;
}

bool proc_ephemeral_range(uint16_t *ret_low, uint16_t *ret_high)
{
	char text[64], *end;
	unsigned long low, high;

	if (proc_read("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text)) <= 0)
		return false;
	low = strtoul(text, &end, 10);
	high = strtoul(end, NULL, 10);
	if (low > high || !high || high > UINT16_MAX)
		return false;
	*ret_low = (uint16_t)low;
	*ret_high = (uint16_t)high;
	return true;
}

uint32_t proc_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? (uint32_t)st.st_ino : 0;
}

/* The number behind this word in the line that begins so; -1 when there is none. */
static long count_in_line(const char *text, const char *line, const char *word)
{
	const char *at = strstr(text, line), *end;

	end = at ? strchr(at, '\n') : NULL;
	at = at ? strstr(at, word) : NULL;
	return at && end && at < end ? strtol(at + strlen(word), NULL, 10) : -1;
}

/* Hashed sockets are counted by namespace: a look here saves a look into every bucket of the host's table. */
bool proc_has_tcp(void)
{
	char text[1024];
	ssize_t length;

	if (proc_read("/proc/thread-self/net/sockstat", text, sizeof(text)) <= 0)
		return true;
	if (count_in_line(text, "TCP:", " inuse ") || count_in_line(text, "TCP:", " tw "))
		return true;
	length = proc_read("/proc/thread-self/net/sockstat6", text, sizeof(text));
	if (length == -ENOENT) /* no IPv6 */
		return false;
	return length <= 0 || count_in_line(text, "TCP6:", " inuse ");
}

uint64_t proc_tcp_sockets(void)
{
	char text[1024];
	long count = 0;

	if (proc_read("/proc/thread-self/net/sockstat", text, sizeof(text)) > 0)
		count = count_in_line(text, "TCP:", " alloc ");
	return count > 0 ? (uint64_t)count : 0;
}

/* /proc/net/netstat: a line of names and a line of values for each group. */
int64_t proc_listen_overflows(void)
{
	char text[16384], *names, *values, *name, *value, *names_next, *values_next;

	if (proc_read("/proc/net/netstat", text, sizeof(text)) <= 0)
		return -1;
	names = strstr(text, "TcpExt:");
	values = names ? strstr(names + 1, "\nTcpExt:") : NULL;
	if (!values)
		return -1;
	*values++ = '\0';
	name = strtok_r(names, " \n", &names_next);
	value = strtok_r(values, " \n", &values_next);
	while (name && value) {
		if (!strcmp(name, "ListenOverflows"))
			return strtoll(value, NULL, 10);
		name = strtok_r(NULL, " \n", &names_next);
		value = strtok_r(NULL, " \n", &values_next);
	}
	return -1;
}
