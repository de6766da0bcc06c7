/* SPDX-License-Identifier: GPL-2.0-only */
/* Network namespaces that somebody gave a name: ip-netns(8), and docker as far as its directory can be read.
 */
#ifndef PORTSNOOP_SYSTEM_NETNS_H
#define PORTSNOOP_SYSTEM_NETNS_H

#include <stdint.h>

/* Calls back for each name, those of ip-netns(8) first, until the callback returns something else than 0,
 * which is returned. One namespace may have several names. */
int netns_each_name(int (*callback)(void *context, uint32_t inode, const char *name), void *context);
/* Whether some namespace has this name. 0 or -ENOENT. */
int netns_find_name(const char *name);
/* Opens the namespace that a word stands for: a pid, a name of ip-netns(8), a path. A descriptor, or a
 * negative errno. */
int netns_open(const char *word);
/* When a name came or went last, CLOCK_REALTIME ns as the file system has it; 0: there never was one. The
 * namespace behind a name that is being made may follow a little later. */
int64_t netns_names_changed_ns(void);

#endif
