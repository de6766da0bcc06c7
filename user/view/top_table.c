/* SPDX-License-Identifier: GPL-2.0-only */
/* A table of top: reading, and the order of as many rows as a screen shows. */
#include "view/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PLACES_LOOKED_AT 4096 /* rows, to find out whether any is in a container or a unit */

/* --- views and columns ------------------------------------------------------------------------------------
 */

static const char *const names[TOP_VIEWS] = {"ports", "processes", "connections", "ephemeral", "events"};

const char *top_view_name(enum top_view view)
{
	return names[view];
}

int top_view_find(const char *name, enum top_view *ret_view)
{
	for (unsigned i = 0; i < TOP_VIEWS; i++) {
		if (strcasecmp(name, names[i]))
			continue;
		*ret_view = (enum top_view)i;
		return 0;
	}
	return -EINVAL;
}

const struct top_column *top_columns(enum top_view view, size_t *ret_n)
{
	switch (view) {
	case TOP_PROCESSES:
		*ret_n = top_n_process_columns;
		return top_process_columns;
	case TOP_CONNECTIONS:
		*ret_n = top_n_connection_columns;
		return top_connection_columns;
	case TOP_EPHEMERAL:
		*ret_n = top_n_ephemeral_columns;
		return top_ephemeral_columns;
	case TOP_EVENTS:
		*ret_n = top_n_event_columns;
		return top_event_columns;
	default:
		*ret_n = top_n_port_columns;
		return top_port_columns;
	}
}

int top_column_find(enum top_view view, const char *title)
{
	size_t n;
	const struct top_column *columns = top_columns(view, &n);

	for (size_t i = 0; i < n; i++)
		if (columns[i].compare && !strcasecmp(columns[i].title, title))
			return (int)i;
	return -EINVAL;
}

const char *top_column_titles(enum top_view view, char *buf, size_t size)
{
	size_t n, used = 0;
	const struct top_column *columns = top_columns(view, &n);

	*buf = '\0';
	for (size_t i = 0; i < n && used < size; i++)
		if (columns[i].compare)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
						 columns[i].title);
	return buf;
}

/* The order in which the rows are read, where that is one that a column stands for. */
unsigned top_default_sort(enum top_view view)
{
	static const char *const titles[TOP_VIEWS] = {"PORT", "PID", "LOCAL", "FREE", NULL};
	int column = titles[view] ? top_column_find(view, titles[view]) : 0;

	return column > 0 ? (unsigned)column : 0;
}

/* --- rows -------------------------------------------------------------------------------------------------
 */

struct top_row *top_table_add(struct top_table *table)
{
	if (table->n == table->room) {
		size_t room = table->room ? 2 * table->room : 256;
		struct top_row *rows = realloc(table->rows, room * sizeof(*rows));
		uint32_t *order;

		if (!rows)
			return NULL;
		table->rows = rows;
		order = realloc(table->order, room * sizeof(*order));
		if (!order)
			return NULL;
		table->order = order;
		table->room = room;
	}
	table->rows[table->n] = (struct top_row){.n_sockets = 1};
	return &table->rows[table->n++];
}

void top_table_free(struct top_table *table)
{
	free(table->rows);
	free(table->order);
	free(table->kin);
	*table = (struct top_table){0};
}

static bool has_place(const struct model *model, const struct rec_task *who)
{
	const struct actor actor = {.cgroup_id = who->cgroup_id, .pid = who->pid};
	struct cgroup_name place;

	actor_place(model, &actor, &place);
	return cgroup_is_container(&place) || cgroup_telling_unit(&place).length;
}

static void judge_columns(struct top_table *table, const struct model *model)
{
	uint64_t last = 0;

	table->one_netns = table->no_place = true;
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].socket.netns != table->rows[0].socket.netns)
			table->one_netns = false;
	for (size_t i = 0; i < table->n && i < PLACES_LOOKED_AT && table->no_place; i++) {
		const struct rec_task *who = &table->rows[i].who;

		if (!who->cgroup_id || who->cgroup_id == last)
			continue;
		last = who->cgroup_id;
		table->no_place = !has_place(model, who);
	}
}

int top_table_read(struct top_table *table, enum top_view view, const struct top_source *source)
{
	static int (*const readers[TOP_VIEWS])(struct top_table *, const struct top_source *) = {
		top_read_ports, top_read_processes, top_read_connections, top_read_ephemeral,
		top_read_events};
	int error;

	table->view = view;
	table->n = table->n_lead = 0;
	table->now_ns = source->now_ns;
	table->tree = source->tree && view == TOP_PROCESSES;
	table->arranged = false;
	error = readers[view](table, source);
	if (error)
		table->n = 0;
	judge_columns(table, source->model);
	for (size_t i = 0; i < table->n; i++)
		table->order[i] = (uint32_t)i;
	return error;
}

const struct top_row *top_table_at(const struct top_table *table, size_t place)
{
	return &table->rows[table->order[place]];
}

/* --- order ------------------------------------------------------------------------------------------------
 */

struct sorting {
	const struct top_row *rows;
	int (*compare)(const struct top_row *a, const struct top_row *b);
	bool reverse;
};

/* Never 0 for two rows: what is equal stands as it was read, whichever way round. */
static bool stands_before(const struct sorting *sorting, uint32_t a, uint32_t b)
{
	int order = sorting->compare ? sorting->compare(&sorting->rows[a], &sorting->rows[b]) : 0;

	if (order)
		return sorting->reverse ? order > 0 : order < 0;
	return a < b;
}

/* False: what has no column to be sorted by is in its order already. */
static bool sorting_of(const struct top_table *table, unsigned column, bool reverse,
		       struct sorting *ret_sorting)
{
	size_t n;
	const struct top_column *columns = top_columns(table->view, &n);

	if (column >= n || !columns[column].compare)
		return false;
	*ret_sorting = (struct sorting){.rows = table->rows,
					.compare = columns[column].compare,
					.reverse = reverse != columns[column].from_most};
	return true;
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t keep = *a;

	*a = *b;
	*b = keep;
}

/* One that no order of the rows makes a bad one on purpose; never the last, so that both parts are smaller.
 */
static uint32_t pivot_of(const uint32_t *order, size_t low, size_t high, uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return order[low + (*seed >> 8) % (high - low - 1)];
}

/*
 * Quicksort that goes only into parts that hold a place between first and end: the rest stays as it falls.
 * The stack holds the larger parts, so it needs no more than one for each doubling.
 */
static void sort_part(const struct sorting *sorting, uint32_t *order, size_t n, size_t first, size_t end)
{
	struct {
		size_t low, high;
	} stack[64];
	unsigned depth = 0;
	uint32_t seed = 1;

	stack[depth].low = 0;
	stack[depth++].high = n;
	while (depth) {
		size_t low = stack[--depth].low, high = stack[depth].high, i = low, j;
		uint32_t pivot;

		if (high - low < 2 || high <= first || low >= end)
			continue;
		pivot = pivot_of(order, low, high, &seed);
		j = high - 1;
		for (;; i++, j--) {
			while (stands_before(sorting, order[i], pivot))
				i++;
			while (stands_before(sorting, pivot, order[j]))
				j--;
			if (i >= j)
				break;
			swap(&order[i], &order[j]);
		}
		j++; /* the parts are low .. j and j .. high */
		if (j - low > high - j) {
			stack[depth].low = low;
			stack[depth++].high = j;
			stack[depth].low = j;
			stack[depth++].high = high;
		} else {
			stack[depth].low = j;
			stack[depth++].high = high;
			stack[depth].low = low;
			stack[depth++].high = j;
		}
	}
}

static void order_tree(struct top_table *table, unsigned column, bool reverse)
{
	struct sorting sorting;

	if (table->arranged && table->arranged_by == column && table->arranged_reverse == reverse)
		return;
	for (size_t i = 0; i < table->n; i++)
		table->order[i] = (uint32_t)i;
	if (sorting_of(table, column, reverse, &sorting))
		sort_part(&sorting, table->order, table->n, 0, table->n);
	top_tree_arrange(table);
	table->arranged = true;
	table->arranged_by = column;
	table->arranged_reverse = reverse;
}

void top_table_order(struct top_table *table, unsigned column, bool reverse, size_t first, size_t n)
{
	struct sorting sorting;

	if (table->tree)
		order_tree(table, column, reverse);
	else if (sorting_of(table, column, reverse, &sorting))
		sort_part(&sorting, table->order, table->n, first, first + n);
}

size_t top_table_place(const struct top_table *table, unsigned column, bool reverse, struct top_id id)
{
	struct sorting sorting;
	size_t place = 0;
	uint32_t row;

	for (; table->tree && place < table->n; place++)
		if (top_id_equal(top_table_at(table, place)->id, id))
			break;
	if (table->tree)
		return place;
	for (row = 0; row < table->n; row++)
		if (top_id_equal(table->rows[row].id, id))
			break;
	if (row == table->n || !sorting_of(table, column, reverse, &sorting))
		return row;
	for (uint32_t other = 0; other < table->n; other++)
		place += stands_before(&sorting, other, row);
	return place;
}

/* --- lines ------------------------------------------------------------------------------------------------
 */

void top_line_begin(struct top_line *line)
{
	line->text = text_in(line->buf, sizeof(line->buf));
	line->n_pieces = 0;
}

void top_line_style(struct top_line *line, enum top_style style)
{
	if (line->n_pieces == TOP_PIECES_MAX)
		return;
	line->pieces[line->n_pieces].begin = (uint16_t)line->text.length;
	line->pieces[line->n_pieces++].style = (uint8_t)style;
}

void top_line_put(struct top_line *line, enum top_style style, const char *string)
{
	top_line_style(line, style);
	text_put(&line->text, string);
}
