/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/ephemeral_spaces.h"

#include "core/describe.h"
#include "core/names.h"
#include "core/slab.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define NETNS_MAX 1024 /* 80 KiB each */

static const uint16_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

#define N_PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

struct namespaces {
	uint32_t only; /* 0: all */
	uint32_t *inodes;
	size_t n;
	bool more;
};

static int compare_inodes(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static void add(struct namespaces *namespaces, uint32_t inode)
{
	if (namespaces->only && inode != namespaces->only)
		return;
	for (size_t i = namespaces->n; i--;) /* neighbours are mostly of one */
		if (namespaces->inodes[i] == inode)
			return;
	if (namespaces->n == NETNS_MAX)
		namespaces->more = true;
	else
		namespaces->inodes[namespaces->n++] = inode;
}

static int add_told(void *context, enum meta_type type, uint64_t key, const char *text)
{
	if (type == META_RANGE)
		add(context, (uint32_t)key);
	return 0;
}

static int add_of_row(const struct socket_row *row, void *context)
{
	if (row->socket.local_port && row->socket.netns)
		add(context, row->socket.netns);
	return 0;
}

static void begin_space(struct ephemeral_space *space, const struct model *model, uint32_t netns,
			uint16_t protocol)
{
	space->netns = netns;
	space->protocol = protocol;
	space->range_known = model_range_known(model, netns);
	model_ephemeral_ports(model, netns, &space->low, &space->high);
	space->reserved_known = model_reserved_ports(model, netns, &space->reserved);
	space->n_reserved = port_set_count(&space->reserved, space->low, space->high);
	space->n_usable = space->high - space->low + 1u - space->n_reserved;
}

static bool is_space(const struct ephemeral_space *space, uint32_t netns, uint16_t protocol)
{
	return space->netns == netns && space->protocol == protocol;
}

size_t ephemeral_space_of(const struct ephemeral *ephemeral, const struct rec_socket *socket)
{
	size_t low = 0, high = ephemeral->n_spaces / N_PROTOCOLS;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ephemeral->spaces[middle * N_PROTOCOLS].netns < socket->netns)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low * N_PROTOCOLS; i < ephemeral->n_spaces && i < (low + 1) * N_PROTOCOLS; i++) {
		const struct ephemeral_space *space = &ephemeral->spaces[i];

		if (is_space(space, socket->netns, socket->protocol) && socket->local_port >= space->low &&
		    socket->local_port <= space->high)
			return i;
	}
	return NO_SPACE;
}

/* Who listens, or is bound and nothing else, got its port by bind or listen, also where nobody looked. */
static bool is_exclusive(const struct socket_row *row)
{
	struct endpoint local = endpoint_local(&row->socket);

	if (row->socket.protocol == IPPROTO_UDP)
		return endpoint_is_wildcard(&local);
	if (row->socket.state == TCP_LISTEN)
		return true;
	return row->port_read ? row->exclusive : row->socket.state == TCP_CLOSE;
}

static int take_row(const struct socket_row *row, void *context)
{
	struct ephemeral *ephemeral = context;
	size_t index = ephemeral_space_of(ephemeral, &row->socket);
	struct ephemeral_space *space = index == NO_SPACE ? NULL : &ephemeral->spaces[index];
	bool time_wait = row->socket.protocol == IPPROTO_TCP && row->socket.state == TCP_TIME_WAIT;

	if (!space)
		return 0;
	port_set_add(time_wait ? &space->time_wait : &space->in_use, row->socket.local_port);
	if (is_exclusive(row))
		port_set_add(&space->exclusive, row->socket.local_port);
	if (row->socket.protocol == IPPROTO_TCP && row->socket.state == TCP_LISTEN)
		port_set_add(&space->listening, row->socket.local_port);
	return 0;
}

static void count(struct ephemeral_space *space)
{
	struct port_set blocked = space->exclusive, only_time_wait = space->time_wait;

	for (size_t i = 0; i < sizeof(blocked.words) / sizeof(blocked.words[0]); i++) {
		blocked.words[i] &= ~space->reserved.words[i];
		only_time_wait.words[i] &= ~space->in_use.words[i];
	}
	space->n_in_use = port_set_count(&space->in_use, space->low, space->high);
	space->n_exclusive = port_set_count(&space->exclusive, space->low, space->high);
	space->n_blocked = port_set_count(&blocked, space->low, space->high);
	space->n_time_wait = port_set_count(&only_time_wait, space->low, space->high);
}

static int make_spaces(struct ephemeral *ephemeral, const struct model *model,
		       const struct namespaces *namespaces)
{
	ephemeral->spaces = slab_array(namespaces->n * N_PROTOCOLS + 1, sizeof(*ephemeral->spaces));
	if (!ephemeral->spaces)
		return -ENOMEM;
	for (size_t i = 0; i < namespaces->n; i++)
		for (size_t j = 0; j < N_PROTOCOLS; j++)
			begin_space(&ephemeral->spaces[ephemeral->n_spaces++], model, namespaces->inodes[i],
				    protocols[j]);
	return 0;
}

int ephemeral_read_spaces(struct ephemeral *ephemeral, const struct model *model, uint32_t netns)
{
	struct namespaces namespaces = {.only = netns,
					.inodes = calloc(NETNS_MAX, sizeof(*namespaces.inodes))};
	int error;

	if (!namespaces.inodes)
		return -ENOMEM;
	model_each_name(model, add_told, &namespaces);
	model_each_socket(model, add_of_row, &namespaces);
	qsort(namespaces.inodes, namespaces.n, sizeof(*namespaces.inodes), compare_inodes);
	ephemeral->incomplete = namespaces.more;
	error = make_spaces(ephemeral, model, &namespaces);
	free(namespaces.inodes);
	if (error)
		return error;
	model_each_socket(model, take_row, ephemeral);
	for (size_t i = 0; i < ephemeral->n_spaces; i++)
		count(&ephemeral->spaces[i]);
	return 0;
}

bool ephemeral_is_outgoing(const struct ephemeral_space *space, const struct socket_row *row)
{
	if (row->socket.protocol != IPPROTO_TCP || !row->socket.peer_port)
		return false;
	if (row->direction != DIRECTION_UNKNOWN)
		return row->direction == DIRECTION_OUT;
	return !port_set_has(&space->listening, row->socket.local_port);
}
