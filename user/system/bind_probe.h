/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks the kernel whether it would take an address: by a bind without a port (IP_BIND_ADDRESS_NO_PORT), which
 * takes none, changes no table of ports and is over before anybody could notice.
 */
#ifndef PORTSNOOP_SYSTEM_BIND_PROBE_H
#define PORTSNOOP_SYSTEM_BIND_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct bind_probe {
	uint8_t addr[16]; /* network order; IPv4 as the first four bytes */
	sa_family_t family;
	uint16_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	uint32_t device;   /* index; 0: none */
	bool v6only;
};

/*
 * In the calling thread's network namespace. *ret_fd is a socket of that kind there, not bound to any port,
 * to be closed; *ret_address_error a positive errno when the kernel refuses the address. 0, or a negative
 * errno when there can be no such socket.
 */
int bind_probe(const struct bind_probe *probe, int *ret_fd, int *ret_address_error);
/* net.ipv6.bindv6only of the namespace: whether an IPv6 socket begins with IPV6_V6ONLY. False without IPv6.
 */
bool bind_probe_v6only_default(void);

#endif
