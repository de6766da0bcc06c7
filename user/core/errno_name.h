/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of Linux error numbers, those of user space and those that never leave the kernel. */
#ifndef PORTSNOOP_CORE_ERRNO_NAME_H
#define PORTSNOOP_CORE_ERRNO_NAME_H

/* "EADDRINUSE" for 98; NULL for 0, negative numbers and numbers without a name. Where a number has two names,
 * the kernel's main one: EAGAIN, EDEADLK, EOPNOTSUPP. */
const char *errno_name(int number);
/* The positive number of a name in any case, second names such as EWOULDBLOCK too. 0: there is no such name.
 */
int errno_from_name(const char *name);
/* "Operation not permitted" for a positive number; the name of one that only the kernel knows. */
const char *errno_words(int number);

#endif
