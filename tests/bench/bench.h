/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the measuring programs share: clocks, a network namespace of their own, giving up. They print raw
 * figures, one JSON object a line; medians, ratios and goals are the business of tests/bench/run.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

/* For calls that return -1 and set errno. */
static inline int must(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(errno));
	return result;
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void pause_ms(unsigned ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&pause, &pause) && errno == EINTR)
		;
}

static inline unsigned count_of(const char *text)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*end || !*text || !count || count > 100000000)
		die("'%s' is no count", text);
	return (unsigned)count;
}

static inline void set_network(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	fd = must(open(path, O_WRONLY | O_CLOEXEC), path);
	must((int)write(fd, value, strlen(value)), path);
	close(fd);
}

/*
 * A network namespace with nothing in it but the loopback device: no run meets the TIME_WAIT sockets of the
 * one before, nor the host's firewall.
 */
static inline void private_network(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	must(unshare(CLONE_NEWNET), "unshare");
	fd = must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	must(ioctl(fd, SIOCSIFFLAGS, &request), "loopback up");
	close(fd);
	set_network("ip_local_port_range", "1024 65535");
	set_network("tcp_max_tw_buckets", "262144");
}

static inline struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

#endif
