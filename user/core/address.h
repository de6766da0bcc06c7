/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IP addresses and prefixes as text and as bytes: 16 bytes in network order, IPv4 in the first four and the
 * rest zero, as in event.h. IPv4-mapped IPv6 addresses become IPv4. No names, no scopes, no sockets.
 */
#ifndef PORTSNOOP_CORE_ADDRESS_H
#define PORTSNOOP_CORE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct address_prefix {
	uint8_t addr[16];
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t bits;	/* 0-32 or 0-128; all of them for one address */
};

/* ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2 */
bool address_is_v4_mapped(const uint8_t addr[16]);
/* 0.0.0.0 or :: */
bool address_is_any(const uint8_t addr[16]);
/* One address: a.b.c.d or IPv6, without brackets. 0 or -EINVAL. */
int address_parse(const char *text, struct address_prefix *ret_address);
/* An address, or ADDRESS/BITS. Bits beyond the prefix need not be zero; they do not count. 0, -EINVAL, or
 * -ERANGE when there are more bits than the family has. */
int address_prefix_parse(const char *text, struct address_prefix *ret_prefix);
bool address_prefix_contains(const struct address_prefix *prefix, uint8_t family, const uint8_t addr[16]);

#endif
