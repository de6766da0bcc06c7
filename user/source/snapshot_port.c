/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/snapshot_port.h"

#include "source/bind_table.h"
#include "system/proc.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct snapshot_port {
	struct bind_table *table; /* NULL: this kernel has no such program */
};

struct snapshot_port *snapshot_port_open(void)
{
	struct snapshot_port *port = calloc(1, sizeof(*port));
	struct fault fault = {0};

	if (port && bind_table_open(&port->table, &fault))
		port->table = NULL;
	return port;
}

void snapshot_port_close(struct snapshot_port *port)
{
	if (!port)
		return;
	bind_table_close(port->table);
	free(port);
}

/* Bound, but neither listening nor connected: no iterator lists it; whoever holds it tells of it. */
static bool is_hashed(const struct port_question *question, const struct bind_row *row)
{
	return question->udp || row->state != TCP_CLOSE;
}

static void fill_socket(struct rec_socket *socket, const struct port_question *question,
			const struct bind_row *row)
{
	socket->cookie = row->cookie;
	socket->netns = question->netns;
	socket->protocol = question->udp ? IPPROTO_UDP : IPPROTO_TCP;
	socket->family = row->family;
	socket->state = row->state;
	socket->options = row->options;
	socket->local_port = question->port;
	socket->peer_port = row->peer_port;
	memcpy(socket->local_addr, row->local_addr, sizeof(socket->local_addr));
	memcpy(socket->peer_addr, row->peer_addr, sizeof(socket->peer_addr));
}

static void fill(struct rec_socket_row *to, const struct port_question *question, const struct bind_row *row,
		 uint64_t time_ns)
{
	*to = (struct rec_socket_row){
		.fact.header = {.size = sizeof(*to),
				.kind = REC_SOCKET,
				.source = (uint8_t)question->source,
				.probe = PROBE_ITERATOR,
				.flags = REC_F_SOCKET,
				.time_ns = time_ns},
		.bytes_sent = row->bytes_sent,
		.bytes_received = row->bytes_received,
		.retransmits = row->retransmits,
		.rtt_us = row->rtt_us,
		.queue_length = row->queue_length,
		.queue_limit = row->queue_limit,
		.drops = row->drops,
	};
	fill_socket(&to->fact.socket, question, row);
	if (row->flags & BIND_ROW_ORPHAN)
		to->fact.header.flags |= SOCKET_F_ORPHAN;
	if (row->flags & BIND_ROW_COUNTERS)
		to->fact.header.flags |= SOCKET_F_COUNTERS;
	if (!question->udp && row->state == TCP_TIME_WAIT) {
		to->fact.socket.state = row->substate;
		to->fact.header.flags |= SOCKET_F_REMAINS;
	}
}

static bool is_whole(const struct port_question *question, const struct bind_inventory *inventory)
{
	for (size_t i = 0; i < inventory->n_rows; i++) {
		const struct bind_row *row = &inventory->rows[i];

		if (row->requests || (is_hashed(question, row) && !row->cookie))
			return false;
	}
	return true;
}

static int put_all(const struct port_question *question, const struct bind_inventory *inventory,
		   uint64_t time_ns, const struct sink *sink)
{
	struct rec_socket_row record;
	int result = 0;

	for (size_t i = 0; i < inventory->n_rows && !result; i++) {
		if (!is_hashed(question, &inventory->rows[i]))
			continue;
		fill(&record, question, &inventory->rows[i], time_ns);
		result = sink_put(sink, &record, sizeof(record));
	}
	return result;
}

static int list(const struct snapshot_port *port, const struct port_question *question,
		struct bind_inventory *ret_inventory)
{
	int type = question->udp ? SOCK_DGRAM : SOCK_STREAM, error;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	error = bind_table_list(port->table, fd, question->port, question->udp, ret_inventory);
	close(fd);
	return error;
}

bool snapshot_port_read(struct snapshot_port *port, const struct port_question *question,
			const struct sink *sink, int *ret_result)
{
	uint64_t time_ns = proc_boottime_ns(); /* whatever happens from now on is newer */
	struct bind_inventory inventory;
	bool whole;

	if (!port || !port->table || list(port, question, &inventory))
		return false;
	whole = is_whole(question, &inventory);
	if (whole)
		*ret_result = put_all(question, &inventory, time_ns, sink);
	bind_table_release(&inventory);
	return whole;
}
