/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the selected row is now, and which rows are on the screen. */
#include "view/top_state.h"

static void keep_in_sight(struct top_place *place, unsigned page)
{
	if (place->cursor < place->first)
		place->first = place->cursor;
	if (place->cursor >= place->first + page)
		place->first = place->cursor - page + 1;
}

static void find_cursor(struct top_place *place, const struct top_table *table, bool follow, unsigned page)
{
	size_t at;

	if (place->last) {
		place->cursor = table->n ? table->n - 1 : 0;
		keep_in_sight(place, page);
	} else if (!place->chosen) {
		place->cursor = place->first = 0;
	} else if (!place->moved) {
		at = top_table_place(table, place->sort, place->reverse, place->id);
		if (at < table->n)
			place->cursor = at;
		if (at < table->n && follow)
			keep_in_sight(place, page);
	}
	if (place->cursor >= table->n)
		place->cursor = table->n ? table->n - 1 : 0;
	if (place->moved)
		keep_in_sight(place, page);
	if (place->first + page > table->n)
		place->first = table->n > page ? table->n - page : 0;
}

void top_state_settle(struct top_state *state, struct top_table *table, unsigned page)
{
	struct top_place *place = &state->places[state->view];
	const struct top_row *row;

	state->page = page ? page : 1;
	state->n_rows = table->n;
	if (table->tree)
		top_table_order(table, place->sort, place->reverse, 0, table->n);
	find_cursor(place, table, state->follow, state->page);
	top_table_order(table, place->sort, place->reverse, place->first, state->page);
	if (table->n)
		top_table_order(table, place->sort, place->reverse, place->cursor, 1);
	row = top_state_row(state, table);
	if (row)
		place->id = row->id;
	place->moved = false;
	state->selected = row ? row->who : (struct rec_task){0};
	state->n_selected = row ? row->n_who : 0;
}

const struct top_row *top_state_row(const struct top_state *state, const struct top_table *table)
{
	const struct top_place *place = &state->places[state->view];

	return place->cursor < table->n ? top_table_at(table, place->cursor) : NULL;
}
