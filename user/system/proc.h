/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc tells about processes and this host. Everything read there may be gone, or another's, by now. */
#ifndef PORTSNOOP_SYSTEM_PROC_H
#define PORTSNOOP_SYSTEM_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a small file into buf and ends it with NUL. Returns the length, or a negative errno. */
ssize_t proc_read_at(int dirfd, const char *path, char *buf, size_t size);
ssize_t proc_read(const char *path, char *buf, size_t size);

/* Opens /proc/PID if the process there began at start_ns (CLOCK_BOOTTIME). Returns a descriptor or -ESRCH. */
int proc_open(uint32_t pid, uint64_t start_ns);

/* The host's or the caller's settings. */
int64_t proc_clock_offset_ns(void); /* CLOCK_REALTIME - CLOCK_BOOTTIME */
uint64_t proc_boottime_ns(void);
bool proc_ephemeral_range(uint16_t *ret_low, uint16_t *ret_high); /* of the caller's network namespace */
uint32_t proc_netns(void);					  /* inode of the caller's, 0 unknown */
/*
 * Whether the calling thread's network namespace has any TCP socket with a port, TIME_WAIT included. True
 * also when that cannot be found out.
 */
bool proc_has_tcp(void);
/* All TCP sockets of this machine, whatever their namespace; 0 when that cannot be found out. */
uint64_t proc_tcp_sockets(void);
/* ListenOverflows of the caller's network namespace: how often an accept queue was full; -1 unknown. */
int64_t proc_listen_overflows(void);

#endif
