/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes that hold sockets, each with its ports and how many connections. */
#ifndef PORTSNOOP_VIEW_PROCESS_TABLE_H
#define PORTSNOOP_VIEW_PROCESS_TABLE_H

#include "core/describe.h"
#include "view/port_table.h"

struct process_row {
	struct actor actor;
	const struct socket_row *const *ports; /* n_ports of them, in the order of the port table */
	size_t n_ports;
	uint64_t in, out, undirected; /* connections; the last: direction not known */
};

struct process_table_view {
	struct process_row *rows; /* by pid, then by start */
	size_t n_rows;
	const struct socket_row **ports; /* what the rows point into */
};

/*
 * Every process that holds a socket that matches, with everything it holds. `pid`, `comm`, `user` and the
 * like mean the process of the row alone, not others that hold the same socket. 0 or -ENOMEM.
 */
int process_table_read(const struct model *model, const struct port_table *table, const struct filter *filter,
		       struct process_table_view *ret_view);
void process_table_view_free(struct process_table_view *view);

#endif
