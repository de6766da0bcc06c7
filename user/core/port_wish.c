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

void port_wish_note(struct port_wish *wish, const struct rec_header *latest)
{
	const struct rec_fact *fact = (const void *)latest;

	wish->ended.cookie = 0;
	if (latest->kind != REC_CLOSE || latest->flags & CLOSE_F_STILL_BOUND)
		return;
	wish->ended =
		(struct port_wish_socket){.cookie = fact->socket.cookie, .protocol = fact->socket.protocol};
}

static bool is(const struct port_wish_socket *known, const struct rec_socket *socket)
{
	return known->cookie && known->cookie == socket->cookie && known->protocol == socket->protocol;
}

static int take_fulfilling(const struct socket_row *row, void *context)
{
	const struct port_wish *wish = context;

	return port_wish_fulfils(wish, &row->socket) && !is(&wish->ended, &row->socket);
}

static int take_preventing(const struct socket_row *row, void *context)
{
	struct port_wish *wish = context;

	if (!port_wish_prevents(wish, &row->socket) || is(&wish->ended, &row->socket))
		return 0;
	wish->witness =
		(struct port_wish_socket){.cookie = row->socket.cookie, .protocol = row->socket.protocol};
	return 1;
}

static const struct socket_row *witness_of(const struct port_wish *wish, const struct model *model)
{
	return model_socket(model, wish->witness.cookie, wish->witness.protocol);
}

/* The one that was in the way before most likely still is: then nobody else need be asked. */
const struct socket_row *port_wish_obstacle(struct port_wish *wish, const struct model *model)
{
	const struct socket_row *row = witness_of(wish, model);

	if (row && port_wish_prevents(wish, &row->socket) && !is(&wish->ended, &row->socket))
		return row;
	return model_each_socket(model, take_preventing, wish) ? witness_of(wish, model) : NULL;
}

bool port_wish_is_fulfilled(struct port_wish *wish, const struct model *model)
{
	if (wish->listening)
		return model_each_socket(model, take_fulfilling, wish);
	return !port_wish_obstacle(wish, model);
}
