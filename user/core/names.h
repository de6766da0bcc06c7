/* SPDX-License-Identifier: GPL-2.0-only */
/* Names and settings that came in as meta records: users, services, cgroup paths, port ranges. Bounded. */
#ifndef PORTSNOOP_CORE_NAMES_H
#define PORTSNOOP_CORE_NAMES_H

#include <portsnoop/event.h>

#include <stddef.h>
#include <stdint.h>

struct names;

struct names *names_new(size_t max_names);
void names_free(struct names *names);
/* Keeps the text under (type, key), in place of an earlier one. When full, the name used longest ago goes.
 * 0 or -ENOMEM. */
int names_put(struct names *names, enum meta_type type, uint64_t key, const char *text);
/* NULL: not known. */
const char *names_get(const struct names *names, enum meta_type type, uint64_t key);
/* Each name until the callback returns something else than 0, which is returned. */
int names_each(const struct names *names,
	       int (*callback)(void *context, enum meta_type type, uint64_t key, const char *text),
	       void *context);
/* The key of the first name of that type that reads so. 0 or -ENOENT. */
int names_find(const struct names *names, enum meta_type type, const char *text, uint64_t *ret_key);

#endif
