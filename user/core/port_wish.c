/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_wish.h"

#include "core/bind_ok.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

bool port_wish_concerns(const void *context, const struct rec_socket *socket)
{
	const struct port_wish *wish = context;

	return socket->netns == wish->netns && port_spec_matches(&wish->spec, socket);
}

bool port_wish_fulfils(const void *context, const struct rec_socket *socket)
{
	return port_wish_concerns(context, socket) &&
	       (socket->state == TCP_LISTEN || (socket->protocol == IPPROTO_UDP && !socket->peer_port));
}

bool port_wish_prevents(const void *context, const struct rec_socket *socket)
{
	const struct port_wish *wish = context;

	return bind_ok_collides(&wish->spec, wish->netns, socket);
}

static int take_fulfilling(const struct socket_row *row, void *context)
{
	return port_wish_fulfils(context, &row->socket);
}

static int take_preventing(const struct socket_row *row, void *context)
{
	struct port_wish *wish = context;

	if (!port_wish_prevents(wish, &row->socket))
		return 0;
	wish->witness = row->socket.cookie;
	wish->witness_protocol = row->socket.protocol;
	return 1;
}

/* The one that was in the way before most likely still is: then nobody else need be asked. */
const struct socket_row *port_wish_obstacle(struct port_wish *wish, const struct model *model)
{
	const struct socket_row *row = model_socket(model, wish->witness, wish->witness_protocol);

	if (row && port_wish_prevents(wish, &row->socket))
		return row;
	if (!model_each_socket(model, take_preventing, wish))
		return NULL;
	return model_socket(model, wish->witness, wish->witness_protocol);
}

bool port_wish_is_fulfilled(struct port_wish *wish, const struct model *model)
{
	if (wish->listening)
		return model_each_socket(model, take_fulfilling, wish);
	return !port_wish_obstacle(wish, model);
}
