/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether an ordinary bind(2) would succeed: one without SO_REUSEADDR and SO_REUSEPORT, in a given network
 * namespace. It judges one socket at a time; who walks the table is the caller.
 */
#ifndef PORTSNOOP_CORE_BIND_OK_H
#define PORTSNOOP_CORE_BIND_OK_H

#include "core/port_spec.h"

/*
 * Whether this socket makes such a bind fail with EADDRINUSE, as inet_rcv_saddr_equal() of
 * net/ipv4/inet_connection_sock.c decides it. Whatever has the port collides, in any state: a listener, a
 * connection that went out from it, TIME_WAIT. A bind to :: asks for IPv4 too, one without an address for
 * every address of both. SO_BINDTODEVICE is not known and taken for not set.
 */
bool bind_ok_collides(const struct port_spec *wanted, uint32_t netns, const struct rec_socket *socket);

#endif
