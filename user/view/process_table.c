/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/process_table.h"

#include "core/subject.h"

#include <errno.h>
#include <stdlib.h>

/* One process holds one socket. */
struct hold {
	const struct holder *holder;
	const struct socket_row *socket;
	uint32_t pid;	/* the process's: sorting asks for it most of all */
	uint32_t place; /* in the port table; ports come before connections */
	uint8_t direction;
	bool is_port;
	bool matches;
};

struct holds {
	struct hold *items;
	size_t n;
};

static int compare_holds(const void *left, const void *right)
{
	const struct hold *a = left, *b = right;
	int order;

	if (a->pid != b->pid) /* mostly: without going to the processes */
		return a->pid < b->pid ? -1 : 1;
	order = process_compare(a->holder->process, b->holder->process);
	if (order)
		return order;
	return a->place < b->place ? -1 : a->place > b->place;
}

static bool same_process(const struct hold *a, const struct hold *b)
{
	return a->pid == b->pid && !process_compare(a->holder->process, b->holder->process);
}

static bool hold_matches(const struct model *model, const struct filter *filter, const struct hold *hold)
{
	struct subject_storage storage;
	struct filter_process room[1];

	if (!filter)
		return true;
	subject_of_row(model, hold->socket, hold->holder, room, 1, &storage);
	storage.subject.direction = hold->direction;
	return filter_match(filter, &storage.subject);
}

static void take_holders(struct holds *holds, const struct model *model, const struct filter *filter,
			 const struct hold *of)
{
	for (const struct holder *holder = of->socket->holders; holder; holder = holder->next) {
		struct hold *hold = &holds->items[holds->n++];

		*hold = *of;
		hold->holder = holder;
		hold->pid = holder->process->pid;
		hold->matches = hold_matches(model, filter, hold);
	}
}

static size_t count_holds(const struct port_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->n_ports; i++)
		n += table->ports[i].socket->n_holders;
	for (size_t i = 0; i < table->n_connections; i++)
		n += table->connections[i].socket->n_holders;
	return n;
}

static void read_holds(struct holds *holds, const struct model *model, const struct port_table *table,
		       const struct filter *filter)
{
	for (size_t i = 0; i < table->n_ports; i++) {
		struct hold hold = {.socket = table->ports[i].socket,
				    .place = (uint32_t)i,
				    .direction = table->ports[i].socket->direction,
				    .is_port = true};

		take_holders(holds, model, filter, &hold);
	}
	for (size_t i = 0; i < table->n_connections; i++) {
		struct hold hold = {.socket = table->connections[i].socket,
				    .place = (uint32_t)(table->n_ports + i),
				    .direction = table->connections[i].direction};

		take_holders(holds, model, filter, &hold);
	}
	qsort(holds->items, holds->n, sizeof(*holds->items), compare_holds);
}

static void add_hold(struct process_row *row, const struct hold *hold, const struct socket_row **ports)
{
	if (hold->is_port)
		ports[row->n_ports++] = hold->socket;
	else if (hold->direction == DIRECTION_IN)
		row->in++;
	else if (hold->direction == DIRECTION_OUT)
		row->out++;
	else
		row->undirected++;
}

/* The holds of one process become a row, unless none of them matches. Returns where the next process begins.
 */
static size_t add_process(struct process_table_view *view, const struct model *model,
			  const struct holds *holds, size_t begin, size_t *used)
{
	const struct socket_row **ports = view->ports + *used;
	struct process_row row = {.ports = ports};
	bool matches = false;
	size_t i;

	for (i = begin; i < holds->n && same_process(&holds->items[i], &holds->items[begin]); i++) {
		add_hold(&row, &holds->items[i], ports);
		matches |= holds->items[i].matches;
	}
	if (!matches)
		return i;
	row.actor = describe_holder(model, holds->items[begin].holder);
	view->rows[view->n_rows++] = row;
	*used += row.n_ports;
	return i;
}

int process_table_read(const struct model *model, const struct port_table *table, const struct filter *filter,
		       struct process_table_view *ret_view)
{
	size_t n = count_holds(table), used = 0;
	struct holds holds = {.items = calloc(n + 1, sizeof(*holds.items))};
	struct process_table_view view = {
		.rows = calloc(n + 1, sizeof(*view.rows)),
		.ports = calloc(n + 1, sizeof(*view.ports)),
	};

	if (!holds.items || !view.rows || !view.ports) {
		free(holds.items);
		process_table_view_free(&view);
		return -ENOMEM;
	}
	read_holds(&holds, model, table, filter);
	for (size_t i = 0; i < holds.n;)
		i = add_process(&view, model, &holds, i, &used);
	free(holds.items);
	*ret_view = view;
	return 0;
}

void process_table_view_free(struct process_table_view *view)
{
	free(view->rows);
	free(view->ports);
	*view = (struct process_table_view){0};
}
