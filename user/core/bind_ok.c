/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/bind_ok.h"

#include "core/bind_address.h"

#include <netinet/in.h>

/* enum tcp_state of the kernel; a request socket has no port of its own but its listener's. */
#define TCP_NEW_SYN_RECV 12

static bool meets(uint8_t family, const uint8_t *wanted, const struct rec_socket *socket)
{
	struct bind_address ours = bind_address_of(family, wanted, false);
	struct bind_address theirs =
		bind_address_of_socket(socket->family, socket->local_addr, socket->options & SOCKOPT_V6ONLY);

	return bind_address_equal(&ours, &theirs, true, true);
}

/* Without an address, none of either family may be taken. */
static bool addresses_collide(const struct address_prefix *wanted, const struct rec_socket *socket)
{
	return !wanted->family || meets(wanted->family, wanted->addr, socket);
}

bool bind_ok_collides(const struct port_spec *wanted, uint32_t netns, const struct rec_socket *socket)
{
	if (socket->local_port != wanted->port || socket->netns != netns || socket->state == TCP_NEW_SYN_RECV)
		return false;
	if (wanted->protocol && port_spec_space(socket->protocol) != port_spec_space(wanted->protocol))
		return false;
	return addresses_collide(&wanted->address, socket);
}
