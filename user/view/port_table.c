/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/port_table.h"

#include "core/slab.h"
#include "core/subject.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* --- order ------------------------------------------------------------------------------------------------
 */

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* The first that is not equal decides. */
static int compare_places(const struct rec_socket *a, const struct rec_socket *b)
{
	int order = COMPARE(a->local_port, b->local_port);

	if (!order)
		order = COMPARE(a->protocol, b->protocol);
	if (!order)
		order = COMPARE(a->family, b->family); /* AF_INET is the lower one */
	if (!order)
		order = memcmp(a->local_addr, b->local_addr, sizeof(a->local_addr));
	return order ? order : COMPARE(a->netns, b->netns);
}

static int compare_ports(const void *left, const void *right)
{
	const struct rec_socket *a = &((const struct port_row *)left)->socket->socket;
	const struct rec_socket *b = &((const struct port_row *)right)->socket->socket;
	int order = compare_places(a, b);

	if (!order)
		order = COMPARE(a->state, b->state);
	return order ? order : COMPARE(a->cookie, b->cookie);
}

static int compare_connections(const void *left, const void *right)
{
	const struct connection_row *first = left, *second = right;
	const struct rec_socket *a = &first->socket->socket, *b = &second->socket->socket;
	int order;

	if (first->local_port != second->local_port) /* mostly: without going to the sockets */
		return COMPARE(first->local_port, second->local_port);
	order = compare_places(a, b);
	if (!order)
		order = memcmp(a->peer_addr, b->peer_addr, sizeof(a->peer_addr));
	if (!order)
		order = COMPARE(a->peer_port, b->peer_port);
	return order ? order : COMPARE(a->cookie, b->cookie);
}

bool port_rows_fold(const struct port_row *a, const struct port_row *b)
{
	const struct rec_socket *first = &a->socket->socket, *second = &b->socket->socket;

	return !compare_places(first, second) && first->state == second->state &&
	       endpoint_is_dual_stack(first) == endpoint_is_dual_stack(second);
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

static int count_row(const struct socket_row *row, void *context)
{
	struct port_table *table = context;

	switch (socket_row_kind(&row->socket)) {
	case ROW_PORT:
		table->n_ports++;
		break;
	case ROW_CONNECTION:
		table->n_connections++;
		break;
	case ROW_NONE:
		return 0;
	}
	if (row->n_holders > table->most_holders)
		table->most_holders = row->n_holders;
	return 0;
}

static int take_row(const struct socket_row *row, void *context)
{
	struct port_table *table = context;

	switch (socket_row_kind(&row->socket)) {
	case ROW_PORT:
		table->ports[table->n_ports++].socket = row;
		break;
	case ROW_CONNECTION:
		table->connections[table->n_connections++] = (struct connection_row){
			.socket = row, .direction = row->direction, .local_port = row->socket.local_port};
		break;
	case ROW_NONE:
		break;
	}
	return 0;
}

/* --- connections and their listeners ----------------------------------------------------------------------
 */

/* The first port row that is not before (port, protocol). */
static size_t first_on_port(const struct port_table *table, uint16_t port, uint16_t protocol)
{
	size_t low = 0, high = table->n_ports;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct rec_socket *socket = &table->ports[middle].socket->socket;

		if (socket->local_port < port || (socket->local_port == port && socket->protocol < protocol))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A connection has the family of the listener that it came through, IPv4-mapped ones too. */
static bool listens_for(const struct rec_socket *listener, const struct rec_socket *connection)
{
	struct endpoint served = endpoint_local(listener);

	return listener->state == TCP_LISTEN && listener->netns == connection->netns &&
	       listener->family == connection->family &&
	       (endpoint_is_wildcard(&served) ||
		!memcmp(listener->local_addr, connection->local_addr, sizeof(listener->local_addr)));
}

/* The namespace that was asked for last: neighbours are mostly of one. */
struct ephemeral_ports {
	uint32_t netns;
	uint16_t low, high;
	bool asked;
};

static bool is_ephemeral(struct ephemeral_ports *of, const struct model *model, uint32_t netns, uint16_t port)
{
	if (!of->asked || of->netns != netns) {
		of->asked = true;
		of->netns = netns;
		model_ephemeral_ports(model, netns, &of->low, &of->high);
	}
	return port >= of->low && port <= of->high;
}

static void relate(struct port_table *table, const struct model *model, struct ephemeral_ports *ephemeral,
		   struct connection_row *connection)
{
	const struct rec_socket *socket = &connection->socket->socket;
	bool served = false;

	for (size_t i = first_on_port(table, socket->local_port, socket->protocol); i < table->n_ports; i++) {
		const struct rec_socket *listener = &table->ports[i].socket->socket;

		if (listener->local_port != socket->local_port || listener->protocol != socket->protocol)
			break;
		if (!listens_for(listener, socket))
			continue;
		served = true;
		table->ports[i].active += socket->state != TCP_TIME_WAIT;
	}
	if (connection->direction != DIRECTION_UNKNOWN)
		return;
	if (served)
		connection->direction = DIRECTION_IN;
	else if (is_ephemeral(ephemeral, model, socket->netns, socket->local_port) &&
		 !is_ephemeral(ephemeral, model, socket->netns, socket->peer_port))
		connection->direction = DIRECTION_OUT;
}

static int read_table(const struct model *model, bool in_order, struct port_table *ret_table)
{
	struct ephemeral_ports ephemeral = {.asked = false};
	struct port_table table = {0};

	model_each_socket(model, count_row, &table);
	table.ports = slab_array(table.n_ports + 1, sizeof(*table.ports));
	table.connections = slab_array(table.n_connections + 1, sizeof(*table.connections));
	if (!table.ports || !table.connections) {
		port_table_free(&table);
		return -ENOMEM;
	}
	table.n_ports = table.n_connections = 0;
	model_each_socket(model, take_row, &table);
	qsort(table.ports, table.n_ports, sizeof(*table.ports), compare_ports);
	if (in_order)
		qsort(table.connections, table.n_connections, sizeof(*table.connections),
		      compare_connections);
	for (size_t i = 0; i < table.n_connections; i++)
		relate(&table, model, &ephemeral, &table.connections[i]);
	*ret_table = table;
	return 0;
}

int port_table_read(const struct model *model, struct port_table *ret_table)
{
	return read_table(model, true, ret_table);
}

int port_table_count(const struct model *model, struct port_table *ret_table)
{
	return read_table(model, false, ret_table);
}

void port_table_free(struct port_table *table)
{
	free(table->ports);
	free(table->connections);
	*table = (struct port_table){0};
}

/* --- filtering --------------------------------------------------------------------------------------------
 */

int port_table_filter(struct port_table *table, const struct model *model, const struct filter *filter)
{
	size_t n_room = table->most_holders + 1, kept = 0;
	struct filter_process *room;
	struct subject_storage storage;

	if (!filter)
		return 0;
	room = calloc(n_room, sizeof(*room));
	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_ports; i++)
		if (filter_match(filter,
				 subject_of_row(model, table->ports[i].socket, NULL, room, n_room, &storage)))
			table->ports[kept++] = table->ports[i];
	table->n_ports = kept;
	kept = 0;
	for (size_t i = 0; i < table->n_connections; i++) {
		subject_of_row(model, table->connections[i].socket, NULL, room, n_room, &storage);
		storage.subject.direction = table->connections[i].direction;
		if (filter_match(filter, &storage.subject))
			table->connections[kept++] = table->connections[i];
	}
	table->n_connections = kept;
	free(room);
	return 0;
}

void port_table_keep(struct port_table *table,
		     bool (*wanted)(const void *context, const struct rec_socket *socket),
		     const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->n_ports; i++)
		if (wanted(context, &table->ports[i].socket->socket))
			table->ports[kept++] = table->ports[i];
	table->n_ports = kept;
	kept = 0;
	for (size_t i = 0; i < table->n_connections; i++)
		if (wanted(context, &table->connections[i].socket->socket))
			table->connections[kept++] = table->connections[i];
	table->n_connections = kept;
}
