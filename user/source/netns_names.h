/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which network namespace has which name, as far as somebody needs to know. Names come, go and move while a
 * trace runs, and inodes are used again, so what was told is corrected.
 */
#ifndef PORTSNOOP_SOURCE_NETNS_NAMES_H
#define PORTSNOOP_SOURCE_NETNS_NAMES_H

#include <stdint.h>

struct netns_names;

/* tell: this namespace has this name from now on; "" has none any more. NULL when there is no memory. */
struct netns_names *netns_names_new(int (*tell)(void *context, uint32_t inode, const char *name),
				    void *context);
void netns_names_free(struct netns_names *names);
/* This namespace is going to be seen: tells its name, if that was not told. now_ns: CLOCK_BOOTTIME. 0, or
 * what tell returned. */
int netns_names_need(struct netns_names *names, uint32_t inode, uint64_t now_ns);
/* Tells what has changed. Once a second. 0, or what tell returned. */
int netns_names_tick(struct netns_names *names, uint64_t now_ns);

#endif
