/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_choice.h"

#include "core/sockets.h"

#include <errno.h>
#include <netinet/in.h>

static bool asks_for_any(const struct record *record)
{
	const struct rec_bind *bind = (const void *)record->header;

	return record->header->flags & BIND_F_REQUESTED && !bind->requested_port;
}

const char *port_assigned_by(const struct record *record, uint16_t local_port)
{
	const struct rec_bind *bind = (const void *)record->header;
	uint16_t flags = record->header->flags;

	if (!local_port)
		return NULL;
	switch (record->header->kind) {
	case REC_BIND:
		return !bind->error && asks_for_any(record) ? "bind" : NULL;
	case REC_LISTEN:
		return flags & LISTEN_F_AUTOBOUND ? "listen" : NULL;
	case REC_CONNECT:
		return flags & CONNECT_F_AUTOBOUND ? "connect" : NULL;
	case REC_AUTOBIND:
		return flags & AUTOBIND_F_CONNECT ? "connect" : "send";
	default:
		return NULL;
	}
}

/* Each with the errno that the kernel has for it: inet_csk_get_port(), __inet_hash_connect(),
 * inet_autobind().
 */
bool port_not_found(const struct record *record)
{
	const struct rec_bind *bind = (const void *)record->header;
	const struct rec_connect *connect = (const void *)record->header;

	switch (record->header->kind) {
	case REC_BIND:
		return bind->error == EADDRINUSE && asks_for_any(record);
	case REC_CONNECT:
		return record->socket->protocol == IPPROTO_UDP
			       ? connect->error == EAGAIN
			       : connect->error == EADDRNOTAVAIL &&
					 record->header->flags & CONNECT_F_AUTOBOUND;
	default:
		return false;
	}
}

/* An accepted connection's is its listener's. */
bool port_taken_back(const struct change *change)
{
	const struct socket_row *row = change->socket;

	return change->record.header->kind == REC_CLOSE && row && row->port_read && !row->chosen &&
	       row->direction != DIRECTION_IN && !(change->record.header->flags & CLOSE_F_STILL_BOUND);
}
