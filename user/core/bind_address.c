/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/bind_address.h"

#include "core/address.h"

#include <netinet/in.h>
#include <string.h>

/* LOOPBACK4_IPV6: what stands for IPv4 in a socket that has an IPv6 address (127.0.0.6). */
#define NO_V4 htonl(0x7f000006)

static bool is_mapped(const struct bind_address *address)
{
	return address_is_v4_mapped(address->addr);
}

/* inet6_rcv_saddr() is NULL for a socket of IPv4, and its type then that of a mapped one. */
static bool counts_as_mapped(const struct bind_address *address)
{
	return address->family == AF_INET || is_mapped(address);
}

static bool is_any6(const struct bind_address *address)
{
	return address->family == AF_INET6 && address_is_any(address->addr);
}

bool bind_address_is_mapped(const struct bind_address *address)
{
	return address->family == AF_INET6 && is_mapped(address);
}

bool bind_address_is_any(const struct bind_address *address)
{
	return address->family == AF_INET ? !address->v4 : is_any6(address);
}

struct bind_address bind_address_of_socket(uint8_t family, const uint8_t *addr, bool v6only)
{
	struct bind_address address = {.family = family};

	memcpy(address.addr, addr, sizeof(address.addr));
	if (family == AF_INET) {
		memcpy(&address.v4, addr, sizeof(address.v4));
		return address;
	}
	address.v6only = v6only;
	if (is_mapped(&address))
		memcpy(&address.v4, addr + 12, sizeof(address.v4));
	else if (!is_any6(&address))
		address.v4 = NO_V4;
	return address;
}

struct bind_address bind_address_of(uint8_t family, const uint8_t *addr, bool v6only)
{
	struct bind_address address = bind_address_of_socket(family, addr, v6only);

	if (family == AF_INET6 && !is_mapped(&address) && !is_any6(&address))
		address.v6only = true; /* __inet6_bind() sets it */
	return address;
}

/* ipv4_rcv_saddr_equal() */
static bool equal4(const struct bind_address *one, const struct bind_address *two, bool match_one,
		   bool match_two)
{
	if (two->v6only)
		return false;
	return one->v4 == two->v4 || (match_one && !one->v4) || (match_two && !two->v4);
}

/* ipv6_rcv_saddr_equal() */
static bool equal6(const struct bind_address *one, const struct bind_address *two, bool match_one,
		   bool match_two)
{
	if (counts_as_mapped(one) && counts_as_mapped(two))
		return equal4(one, two, match_one, match_two);
	if (is_any6(one) && is_any6(two))
		return true;
	if (is_any6(two) && match_two && !(two->v6only && counts_as_mapped(one)))
		return true;
	if (is_any6(one) && match_one && !(one->v6only && counts_as_mapped(two)))
		return true;
	return two->family == AF_INET6 && !memcmp(one->addr, two->addr, sizeof(one->addr));
}

bool bind_address_equal(const struct bind_address *one, const struct bind_address *two, bool match_one,
			bool match_two)
{
	if (one->family == AF_INET6)
		return equal6(one, two, match_one, match_two);
	return equal4(one, two, match_one, match_two);
}
