/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gives the sockets of a network namespace their cookies where iterators cannot (bpf/compat.h): the kernel
 * makes one for each socket that it tells of by netlink (sock_diag(7)), which are those that tcp and udp
 * list.
 */
#ifndef PORTSNOOP_SOURCE_COOKIES_H
#define PORTSNOOP_SOURCE_COOKIES_H

#include <sys/types.h>

/* In the namespace of the calling thread. 0 or a negative errno. */
int cookies_make(void);
/* Of the socket of another process's descriptor, through a copy of it (Linux 5.6). The same. */
int cookies_make_of(pid_t pid, int descriptor);

#endif
