/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A local port as people write it: [ADDR:]PORT|SERVICE[/PROTOCOL]. No host names: an answer about a port must
 * not depend on a name server. Service names are asked of the caller, as the filter does.
 */
#ifndef PORTSNOOP_CORE_PORT_SPEC_H
#define PORTSNOOP_CORE_PORT_SPEC_H

#include "core/address.h"
#include "core/filter.h"

#include <portsnoop/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port_spec {
	struct address_prefix address; /* family 0: no address was given, or * */
	uint16_t port;		       /* host order, never 0 */
	uint16_t protocol;	       /* IPPROTO_*; 0: any */
	uint32_t netns;		       /* inode; 0: any, and what words say */
};

/*
 * 8080, http, 127.0.0.1:80, [::1]:53/udp, *:80, :80. resolver may be NULL, error too. 0, or -EINVAL with
 * *error, which points at what is wrong and says what was expected.
 */
int port_spec_parse(char *word, const struct filter_resolver *resolver, struct port_spec *ret_spec,
		    struct filter_error *error);

/* TCP and MPTCP share their ports, whose sockets are those of TCP. */
uint16_t port_spec_space(uint16_t protocol);

/*
 * Whether the socket has this port: it receives what is sent there, or is a connection with that local end.
 * Wildcards serve every address of their family, a dual-stack socket also those of IPv4.
 */
bool port_spec_matches(const struct port_spec *spec, const struct rec_socket *socket);
/* Nearly the same by what is left of a socket that is gone, without options and family: rather too often. */
bool port_spec_matches_place(const struct port_spec *spec, const struct rec_socket *place);

#define PORT_SPEC_TEXT_MAX 80
/* "port 8080", "tcp port 8080", "udp port [::1]:53". Returns buf. */
const char *port_spec_text(const struct port_spec *spec, char *buf);

#endif
