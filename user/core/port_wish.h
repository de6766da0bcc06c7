/* SPDX-License-Identifier: GPL-2.0-only */
/* What wait waits for, and what is in the way of it, as the tables tell. */
#ifndef PORTSNOOP_CORE_PORT_WISH_H
#define PORTSNOOP_CORE_PORT_WISH_H

#include "core/model.h"
#include "core/port_spec.h"

#include <stdbool.h>
#include <stdint.h>

/* With protocol, the identity of a socket. */
struct port_wish_socket {
	uint64_t cookie; /* 0: none */
	uint16_t protocol;
};

/* Start from the first three. */
struct port_wish {
	struct port_spec spec;
	uint32_t netns; /* inode of the namespace that it is about */
	bool listening; /* somebody listens, or has a UDP port without a peer; otherwise: a bind would succeed
			 */
	struct port_wish_socket witness; /* was in the way the last time */
	struct port_wish_socket ended;	 /* with the latest record; the tables have it until the next one */
};

/* Before any question: what the latest record ended. */
void port_wish_note(struct port_wish *wish, const struct rec_header *latest);
bool port_wish_is_fulfilled(struct port_wish *wish, const struct model *model);
/* A wish for a free port: a socket that is in the way. NULL: none. */
const struct socket_row *port_wish_obstacle(struct port_wish *wish, const struct model *model);

/* Whether a socket fulfils it, prevents it, or is on that port at all. wish: a struct port_wish. */
bool port_wish_fulfils(const void *wish, const struct rec_socket *socket);
bool port_wish_prevents(const void *wish, const struct rec_socket *socket);
bool port_wish_concerns(const void *wish, const struct rec_socket *socket);

#endif
