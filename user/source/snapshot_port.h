/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is on one port, as an iterator over all sockets would list it, without the walk over all: the kernel's
 * own list of the port is read (source/bind_table). Where that does not have everything, it says so.
 */
#ifndef PORTSNOOP_SOURCE_SNAPSHOT_PORT_H
#define PORTSNOOP_SOURCE_SNAPSHOT_PORT_H

#include "source/sink.h"

#include <portsnoop/event.h>
#include <stdbool.h>
#include <stdint.h>

struct snapshot_port;

struct port_question {
	uint32_t netns; /* that the calling thread is in */
	enum rec_source source;
	uint16_t port;
	bool udp; /* or else TCP */
};

/* Never fails: where the kernel has no such program, or for want of memory, nothing is read. */
struct snapshot_port *snapshot_port_open(void);
/*
 * Puts a REC_SOCKET for each socket that is hashed on this port. False, and nothing is put, when a walk has
 * to tell: there are requests, which are in no list of the port; a socket has no identity yet, which only
 * iterators give; there are too many; the list changed meanwhile; or it cannot be read here. *ret_result:
 * what the sink said.
 */
bool snapshot_port_read(struct snapshot_port *port, const struct port_question *question,
			const struct sink *sink, int *ret_result);
void snapshot_port_close(struct snapshot_port *port);

#endif
