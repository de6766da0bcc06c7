/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/census.h"

static int count_socket(const struct socket_row *row, void *context)
{
	struct census *census = context;

	census->sockets++;
	for (uint32_t i = 0; i < census->namespaces; i++)
		if (census->netns[i] == row->socket.netns)
			return 0;
	if (census->namespaces < CENSUS_NETNS_MAX)
		census->netns[census->namespaces++] = row->socket.netns;
	return 0;
}

static int count_process(const struct process *process, void *context)
{
	((struct census *)context)->processes++;
	return 0;
}

void census_take(const struct model *model, struct census *ret_census)
{
	*ret_census = (struct census){.sockets = 0};
	model_each_socket(model, count_socket, ret_census);
	model_each_process(model, count_process, ret_census);
}
