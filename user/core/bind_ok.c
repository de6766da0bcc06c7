/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/bind_ok.h"

#include "core/endpoint.h"

#include <netinet/in.h>
#include <string.h>

/* enum tcp_state of the kernel; a request socket has no port of its own but its listener's. */
#define TCP_NEW_SYN_RECV 12

static bool overlap(const struct address_prefix *wanted, const struct endpoint *local)
{
	return address_is_any(wanted->addr) || endpoint_is_wildcard(local) ||
	       !memcmp(wanted->addr, local->addr, sizeof(wanted->addr));
}

static bool addresses_collide(const struct address_prefix *wanted, const struct rec_socket *socket)
{
	struct endpoint local = endpoint_local(socket);

	if (!wanted->family)
		return true;
	if (wanted->family == local.family)
		return overlap(wanted, &local);
	if (wanted->family == AF_INET6)
		return address_is_any(wanted->addr);
	/* The IPv4 side of an IPv6 socket is its wildcard, or, with another address, none that can be asked
	 * for; only IPV6_V6ONLY, which a bind to an address implies, keeps 0.0.0.0 out of its way. */
	return !(socket->options & SOCKOPT_V6ONLY) &&
	       (address_is_any(wanted->addr) || endpoint_is_wildcard(&local));
}

/* TCP and MPTCP share their ports. */
static uint16_t port_space(uint16_t protocol)
{
	return protocol == IPPROTO_MPTCP ? IPPROTO_TCP : protocol;
}

bool bind_ok_collides(const struct port_spec *wanted, uint32_t netns, const struct rec_socket *socket)
{
	if (socket->local_port != wanted->port || socket->netns != netns || socket->state == TCP_NEW_SYN_RECV)
		return false;
	if (wanted->protocol && port_space(socket->protocol) != port_space(wanted->protocol))
		return false;
	return addresses_collide(&wanted->address, socket);
}
