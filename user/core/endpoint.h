/* SPDX-License-Identifier: GPL-2.0-only */
/* One end of a socket as people see it: IPv4-mapped IPv6 addresses are IPv4. */
#ifndef PORTSNOOP_CORE_ENDPOINT_H
#define PORTSNOOP_CORE_ENDPOINT_H

#include <portsnoop/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint {
	uint8_t addr[16]; /* network order; IPv4 in the first four bytes, the rest zero */
	uint8_t family;	  /* AF_INET or AF_INET6 */
	uint16_t port;	  /* host order; 0: none */
};

#define ENDPOINT_TEXT_MAX 56 /* "[" INET6_ADDRSTRLEN "]:65535" */

struct endpoint endpoint_local(const struct rec_socket *socket);
struct endpoint endpoint_peer(const struct rec_socket *socket);
bool endpoint_is_wildcard(const struct endpoint *endpoint);
/* An IPv6 wildcard without IPV6_V6ONLY: it serves IPv4 too. */
bool endpoint_is_dual_stack(const struct rec_socket *socket);
/* The address alone, without brackets; buf of ENDPOINT_TEXT_MAX bytes. Returns buf. */
const char *endpoint_address_text(const struct endpoint *endpoint, char *buf);
/* ADDR:PORT, [ADDR]:PORT, with * for a wildcard address and for no port. Returns buf. */
const char *endpoint_text(const struct endpoint *endpoint, char *buf);

#endif
