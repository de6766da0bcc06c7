/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to a descriptor, all of them, however slowly they are read. */
#ifndef PORTSNOOP_IO_WRITE_ALL_H
#define PORTSNOOP_IO_WRITE_ALL_H

#include <stddef.h>

/*
 * 0 or a negative errno; -EPIPE: the reader has gone; -ETIMEDOUT: there is one that has not read anything for
 * a second, and SIGTERM or SIGHUP waits, blocked, to end us.
 */
int write_all(int fd, const void *data, size_t length);
/* Such an error in words. Static, or strerror()'s. */
const char *write_all_error(int error);

#endif
