/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a name and a password belong together. bcrypt takes its time on purpose: what was right is kept (as
 * a keyed digest) and costs nothing the next time; what has to be tried is limited, so that guessing neither
 * succeeds nor keeps others from being answered. For one thread.
 */
#ifndef PORTSNOOP_IO_WEB_USERS_H
#define PORTSNOOP_IO_WEB_USERS_H

#include "io/web_config.h"

#include <stdint.h>

#define WEB_TRIES_BURST	  10
#define WEB_TRIES_EACH_NS 1000000000 /* one more */

struct web_users;

enum web_verdict {
	WEB_ALLOWED,
	WEB_DENIED,
	WEB_LATER, /* too much was tried lately: not looked at */
};

/* The config is borrowed and must outlive it. 0 or a negative errno. */
int web_users_new(const struct web_config *config, struct web_users **ret_users);
/* NULL is fine. */
void web_users_free(struct web_users *users);
/* name and password may be NULL: none were given. */
enum web_verdict web_users_check(struct web_users *users, const char *name, const char *password,
				 uint64_t now_ns);

#endif
