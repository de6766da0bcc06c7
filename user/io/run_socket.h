/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket on which one portsnoop answers others: $PORTSNOOP_RUNDIR/instance.sock, by default in
 * /run/portsnoop. Mode 0600, of the account that runs it; one at a time, which a lock beside it decides. It
 * moves bytes and knows nothing of them.
 */
#ifndef PORTSNOOP_IO_RUN_SOCKET_H
#define PORTSNOOP_IO_RUN_SOCKET_H

#include <stdbool.h>

struct run_socket {
	int listen_fd; /* negative: another one serves, or nobody may */
	int lock_fd;
	char path[108]; /* sun_path */
};

/* 0; -EBUSY when another one serves; or why there can be none. */
int run_socket_open(struct run_socket *socket);
/* Takes the socket away. */
void run_socket_close(struct run_socket *socket);
/*
 * A client, non-blocking, if root or our own account asks. Returns the descriptor, -EAGAIN when there is
 * none, -EPERM when it was another account, which is gone then.
 */
int run_socket_accept(const struct run_socket *socket);
/* Connects to who serves. Returns the descriptor (blocking), or a negative errno when nobody does, or it
 * hangs.
 */
int run_socket_connect(void);

#endif
