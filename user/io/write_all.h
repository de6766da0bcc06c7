/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to a descriptor, all of them, however slowly they are read. */
#ifndef PORTSNOOP_IO_WRITE_ALL_H
#define PORTSNOOP_IO_WRITE_ALL_H

#include <stddef.h>

/*
 * 0 or a negative errno; -EPIPE: the reader has gone; -ETIMEDOUT: there is one who has not read for a second,
 * and we are to end: SIGTERM or SIGHUP waits, blocked, or has been taken (write_all_hurry()). A terminal that
 * takes nothing may keep a write all the same.
 */
int write_all(int fd, const void *data, size_t length);
/* We are to end, as a signal said that nobody but the caller will see. For good. */
void write_all_hurry(void);
/* Such an error in words. Static, or strerror()'s. */
const char *write_all_error(int error);

#endif
