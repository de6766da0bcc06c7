/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of processes that hold sockets, one below the other or as a tree. */
#include "core/ancestry.h"
#include "view/process_table.h"
#include "view/top.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

/* --- reading ----------------------------------------------------------------------------------------------
 */

/* Each port once, whatever addresses it is bound to. */
static void take_ports(struct top_row *row, const struct process_row *process)
{
	const struct rec_socket *before = NULL;

	for (size_t i = 0; i < process->n_ports; i++) {
		const struct rec_socket *socket = &process->ports[i]->socket;

		if (before && before->local_port == socket->local_port &&
		    before->protocol == socket->protocol)
			continue;
		before = socket;
		if (row->n_ports < TOP_PORTS_SHOWN)
			row->ports[row->n_ports] = (struct top_port){socket->local_port, socket->protocol};
		row->n_ports++;
	}
}

static void take_process(struct top_row *row, const struct process_row *process,
			 const struct top_source *source)
{
	const struct actor *actor = &process->actor;
	uint64_t start_ns = actor->process ? actor->process->start_ns : 0;

	row->id = (struct top_id){actor->pid, start_ns};
	row->who = (struct rec_task){
		.start_ns = start_ns, .cgroup_id = actor->cgroup_id, .pid = actor->pid, .uid = actor->uid};
	if (actor->process)
		memcpy(row->who.comm, actor->process->comm, sizeof(row->who.comm));
	row->n_who = 1;
	row->since_ns = start_ns;
	row->in = process->in;
	row->out = process->out;
	row->undirected = process->undirected;
	take_ports(row, process);
	top_take_rates(row, source->rates ? rates_of_process(source->rates, actor->pid, start_ns) : NULL,
		       source->rates);
}

/* --- the tree ---------------------------------------------------------------------------------------------
 */

struct tree {
	struct top_table *table;
	uint32_t *parent, *first_child, *next; /* rows; NOBODY */
};

/* Rows are by pid, then by start. */
static uint32_t row_of(const struct top_table *table, uint32_t pid, uint64_t start_ns)
{
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->rows[middle].who.pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < table->n && table->rows[low].who.pid == pid; low++)
		if (table->rows[low].who.start_ns == start_ns)
			return (uint32_t)low;
	return NOBODY;
}

/* The nearest ancestor that holds a socket, too. */
static uint32_t find_parent(const struct tree *tree, const struct model *model, const struct rec_task *who)
{
	const struct process *chain[ANCESTRY_MAX];
	size_t n = ancestry_of(model, model_process(model, who->pid, who->start_ns), chain);

	for (size_t i = 1; i < n; i++) {
		uint32_t row = row_of(tree->table, chain[i]->pid, chain[i]->start_ns);

		if (row != NOBODY)
			return row;
	}
	return NOBODY;
}

/* Children are put before those that are there, from the last row on: so they stand as rows do. */
static void link_rows(struct tree *tree, const struct model *model)
{
	struct top_table *table = tree->table;

	memset(tree->first_child, 0xff, (table->n + 1) * sizeof(*tree->first_child));
	for (uint32_t i = (uint32_t)table->n; i-- > 0;) {
		uint32_t parent = find_parent(tree, model, &table->rows[i].who);
		uint32_t at = parent == NOBODY || parent == i ? (uint32_t)table->n : parent;

		tree->parent[i] = at;
		tree->next[i] = tree->first_child[at];
		tree->first_child[at] = i;
	}
}

/* Parents before their children. The row after the last stands for the root. A circle is left out: rows of
 * damaged recordings may be their own ancestors, and are put at the end. */
static void walk_tree(struct tree *tree, struct top_row *rows)
{
	struct top_table *table = tree->table;
	uint32_t at = tree->first_child[table->n];
	unsigned depth = 0;
	size_t n = 0;

	while (at != NOBODY && n < table->n) {
		rows[n] = table->rows[at];
		rows[n++].depth = (uint8_t)(depth < UINT8_MAX ? depth : UINT8_MAX);
		table->order[at] = NOBODY;
		if (tree->first_child[at] != NOBODY) {
			at = tree->first_child[at];
			depth++;
			continue;
		}
		while (at != (uint32_t)table->n && tree->next[at] == NOBODY) {
			at = tree->parent[at];
			if (at != (uint32_t)table->n)
				depth--;
		}
		at = at == (uint32_t)table->n ? NOBODY : tree->next[at];
	}
	for (uint32_t i = 0; i < table->n; i++)
		if (table->order[i] != NOBODY && n < table->n)
			rows[n++] = table->rows[i];
	memcpy(table->rows, rows, n * sizeof(*rows));
}

static int make_tree(struct top_table *table, const struct model *model)
{
	size_t n = table->n + 1;
	struct tree tree = {.table = table,
			    .parent = calloc(n, sizeof(uint32_t)),
			    .first_child = calloc(n, sizeof(uint32_t)),
			    .next = calloc(n, sizeof(uint32_t))};
	struct top_row *rows = calloc(n, sizeof(*rows));
	int error = tree.parent && tree.first_child && tree.next && rows ? 0 : -ENOMEM;

	if (!error) {
		memset(table->order, 0, table->n * sizeof(*table->order));
		link_rows(&tree, model);
		walk_tree(&tree, rows);
	}
	free(tree.parent);
	free(tree.first_child);
	free(tree.next);
	free(rows);
	return error;
}

static int add_processes(struct top_table *table, const struct port_table *ports,
			 const struct top_source *source)
{
	struct process_table_view view;
	int error = process_table_read(source->model, ports, source->filter, &view);

	if (error)
		return error;
	for (size_t i = 0; i < view.n_rows; i++) {
		struct top_row *row = top_table_add(table);

		if (!row)
			error = -ENOMEM;
		if (error)
			break;
		take_process(row, &view.rows[i], source);
	}
	process_table_view_free(&view);
	return error;
}

int top_read_processes(struct top_table *table, const struct top_source *source)
{
	struct port_table ports;
	int error = port_table_read(source->model, &ports);

	if (error)
		return error;
	error = add_processes(table, &ports, source);
	port_table_free(&ports);
	if (!error && source->tree && table->n)
		error = make_tree(table, source->model);
	return error;
}

/* --- columns ----------------------------------------------------------------------------------------------
 */

/* 80,443,53/udp,+3 */
static void cell_ports(struct text *text, const void *context, size_t row)
{
	const struct top_row *at = top_row_at(context, row);

	for (uint32_t i = 0; i < at->n_ports && i < TOP_PORTS_SHOWN; i++) {
		const struct top_port *port = &at->ports[i];
		const char *name = record_transport_name(port->protocol);

		text_format(text, "%s%u%s%s", i ? "," : "", port->port,
			    port->protocol == IPPROTO_TCP ? "" : "/",
			    port->protocol == IPPROTO_TCP ? ""
			    : name			  ? name
							  : "?");
	}
	if (at->n_ports > TOP_PORTS_SHOWN)
		text_format(text, ",+%u", at->n_ports - TOP_PORTS_SHOWN);
}

static void cell_in(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->in);
}

static void cell_out(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->out);
}

/* Connections that are older than our watch. */
static void cell_undirected(struct text *text, const void *context, size_t row)
{
	text_uint(text, top_row_at(context, row)->undirected);
}

static bool every_direction_known(const struct top_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].undirected)
			return false;
	return true;
}

static int by_ports(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->n_ports, b->n_ports);
}

static int by_in(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->in, b->in);
}

static int by_out(const struct top_row *a, const struct top_row *b)
{
	return top_compare_numbers(a->out, b->out);
}

static enum top_style process_style(const struct top_page *page, const struct top_row *row)
{
	enum top_style style = top_row_style(page, row);

	return style == STYLE_PLAIN ? STYLE_STRONG : style;
}

const struct top_column top_process_columns[] = {
	{"PID", top_cell_pid, top_by_pid, 1, 7, 7, .right = true},
	{"USER", top_cell_user, top_by_user, 6, 8, 16},
	{"PROCESS", top_cell_process, top_by_process, 0, 15, 36, .style = process_style},
	{"PORTS", cell_ports, by_ports, 2, 12, 40, .from_most = true},
	{"IN", cell_in, by_in, 3, 6, 8, .right = true, .from_most = true},
	{"OUT", cell_out, by_out, 4, 6, 8, .right = true, .from_most = true},
	{"UNKNOWN", cell_undirected, NULL, 10, 7, 8, .right = true, .hidden = every_direction_known},
	{"CONN/S", top_cell_connects, top_by_connects, 5, 6, 8, .right = true, .from_most = true},
	{"ACC/S", top_cell_accepts, top_by_accepts, 8, 6, 8, .right = true, .from_most = true},
	{"ERR/S", top_cell_errors, top_by_errors, 7, 6, 8, .right = true, .from_most = true,
	 .style = top_errors_style},
	{"BYTES/S", top_cell_bytes, top_by_bytes, 9, 7, 8, .right = true, .from_most = true},
	{"AGE", top_cell_age, top_by_age, 12, 6, 8, .right = true},
	{"WHERE", top_cell_place, top_by_place, 11, 8, 0, .hidden = top_no_place},
};
const size_t top_n_process_columns = sizeof(top_process_columns) / sizeof(top_process_columns[0]);
