/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sockets of the model as two sorted lists: who holds a port, and connections; and what only both
 * together tell: which connections came through which listener. Pointers into the model: good until its next
 * change.
 */
#ifndef PORTSNOOP_VIEW_PORT_TABLE_H
#define PORTSNOOP_VIEW_PORT_TABLE_H

#include "core/filter.h"
#include "core/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bound, listening or UDP. */
struct port_row {
	const struct socket_row *socket;
	uint64_t active; /* listeners: connections to this address and port but TIME_WAIT, all its listeners'
			  */
};

struct connection_row {
	const struct socket_row *socket;
	/* enum rec_direction. Of a connection that is older than the trace: in when a listener is there, out
	 * when only its own port is of the ephemeral range, unknown otherwise. */
	uint8_t direction;
	uint16_t local_port; /* the socket's, host order: sorting asks for it most of all */
};

struct port_table {
	struct port_row *ports; /* by port, protocol, address, network namespace, state, cookie */
	size_t n_ports;
	struct connection_row *connections; /* by local port, protocol, local address, peer */
	size_t n_connections;
	size_t most_holders; /* of one socket */
};

/* 0 or -ENOMEM. The caller frees with port_table_free(). */
int port_table_read(const struct model *model, struct port_table *ret_table);
/* The same for who only counts connections: they are in no order, which takes most of the time. */
int port_table_count(const struct model *model, struct port_table *ret_table);
void port_table_free(struct port_table *table);
/* Leaves what matches; NULL matches everything. 0 or -ENOMEM. */
int port_table_filter(struct port_table *table, const struct model *model, const struct filter *filter);
/* Leaves the sockets that are wanted. */
void port_table_keep(struct port_table *table,
		     bool (*wanted)(const void *context, const struct rec_socket *socket),
		     const void *context);
/* Whether two neighbours are one line for people. */
bool port_rows_fold(const struct port_row *a, const struct port_row *b);

#endif
