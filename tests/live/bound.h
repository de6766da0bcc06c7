/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP sockets that are bound and no more, as the kernel lists them by sock_diag (TCP_BOUND_INACTIVE, since
 * 6.8): /proc/net has none of them.
 */
#ifndef LIVE_BOUND_H
#define LIVE_BOUND_H

#include "scene.h"

typedef void bound_socket(const struct scene *scene, unsigned long inode, const char *proto,
			  const char *local, void *context);
/* Of the namespace that the process lives in. */
void bound_each(const struct scene *scene, pid_t pid, bound_socket *body, void *context);
bool bound_is_listed(const struct scene *scene);

#endif
