/* SPDX-License-Identifier: GPL-2.0-only */
/* When two local addresses meet, as the kernel compares those of two sockets. */
#ifndef PORTSNOOP_CORE_BIND_ADDRESS_H
#define PORTSNOOP_CORE_BIND_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel looks at in a socket. */
struct bind_address {
	uint8_t family;
	uint8_t addr[16]; /* sk_v6_rcv_saddr of an IPv6 socket */
	uint32_t v4;	  /* sk_rcv_saddr, network order: of an IPv6 socket too */
	bool v6only;
};

/* As bind(2) leaves it in a socket: addr as in event.h, IPv4 as the first four bytes. */
struct bind_address bind_address_of(uint8_t family, const uint8_t *addr, bool v6only);

/* As it is in a socket that may have connected since: only what v6only says is so. */
struct bind_address bind_address_of_socket(uint8_t family, const uint8_t *addr, bool v6only);

/*
 * inet_rcv_saddr_equal(): which of the two wildcards are taken for any address is said for each; without,
 * a wildcard equals only another.
 */
bool bind_address_equal(const struct bind_address *one, const struct bind_address *two, bool match_one,
			bool match_two);
bool bind_address_is_any(const struct bind_address *address);
bool bind_address_is_mapped(const struct bind_address *address);

#endif
