/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/top_signal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DELAY_DEFAULT_NS 1000000000ull

static struct top_place *place_of(struct top_state *state)
{
	return &state->places[state->view];
}

void top_state_init(struct top_state *state)
{
	*state = (struct top_state){.delay_ns = DELAY_DEFAULT_NS, .page = 1};
	for (unsigned i = 0; i < TOP_VIEWS; i++)
		state->places[i].sort = top_default_sort((enum top_view)i);
	state->places[TOP_EVENTS].last = true;
}

void top_state_say(struct top_state *state, bool error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(state->message, sizeof(state->message), format, arguments);
	va_end(arguments);
	state->message_is_error = error;
}

/* --- moving -----------------------------------------------------------------------------------------------
 */

/* By so many rows; the table's bounds are looked at here, so that the way back is as long. */
static enum top_wish move(struct top_state *state, size_t rows, bool up)
{
	struct top_place *place = place_of(state);
	size_t last = state->n_rows ? state->n_rows - 1 : 0;

	place->chosen = place->moved = true;
	place->last = false;
	if (up)
		place->cursor = place->cursor > rows ? place->cursor - rows : 0;
	else
		place->cursor = place->cursor + rows < last ? place->cursor + rows : last;
	if (state->view == TOP_EVENTS && !up && place->cursor == last)
		place->last = true;
	return WISH_DRAW;
}

static enum top_wish move_to_end(struct top_state *state)
{
	enum top_wish wish = move(state, state->n_rows, false);

	place_of(state)->last = state->view == TOP_EVENTS;
	return wish;
}

static enum top_wish scroll(struct top_state *state, size_t lines, bool up)
{
	size_t most = state->n_lines > state->page ? state->n_lines - state->page : 0;

	if (up)
		state->scroll = state->scroll > lines ? state->scroll - lines : 0;
	else
		state->scroll = state->scroll + lines < most ? state->scroll + lines : most;
	return WISH_DRAW;
}

static enum top_wish travel(struct top_state *state, size_t rows, bool up)
{
	if (state->mode == MODE_CHOOSE)
		return top_signal_choose(state, rows, up);
	return state->mode == MODE_TABLE ? move(state, rows, up) : scroll(state, rows, up);
}

/* --- what keys do to the table ----------------------------------------------------------------------------
 */

static enum top_wish show_view(struct top_state *state, unsigned view)
{
	state->view = (enum top_view)(view % TOP_VIEWS);
	state->mode = MODE_TABLE;
	state->frozen = false; /* there is nothing of the other one that could stand still */
	return WISH_READ;
}

/* The next column to the right that is shown and is an order. */
static enum top_wish sort_next(struct top_state *state)
{
	struct top_place *place = place_of(state);
	size_t n_columns;
	const struct top_column *columns = top_columns(state->view, &n_columns);
	unsigned n = state->n_shown[state->view], at = 0;

	for (unsigned i = 0; i < n; i++)
		if (state->shown[state->view][i] <= place->sort)
			at = i + 1;
	for (unsigned i = 0; i < n; i++) {
		unsigned column = state->shown[state->view][(at + i) % n];

		if (!columns[column].compare)
			continue;
		place->sort = column;
		place->reverse = false;
		top_state_say(state, false, "sorted by %s", columns[column].title);
		return WISH_DRAW;
	}
	top_state_say(state, false, "%s",
		      state->view == TOP_EVENTS ? "events come in their own order"
						: "no column here is an order");
	return WISH_DRAW;
}

static enum top_wish reverse(struct top_state *state)
{
	if (state->view == TOP_EVENTS) {
		top_state_say(state, false, "events come in their own order");
		return WISH_DRAW;
	}
	place_of(state)->reverse = !place_of(state)->reverse;
	return WISH_DRAW;
}

static enum top_wish freeze(struct top_state *state)
{
	state->frozen = !state->frozen;
	return state->frozen ? WISH_DRAW : WISH_READ;
}

static enum top_wish toggle(struct top_state *state, bool *what, const char *on, const char *off)
{
	*what = !*what;
	top_state_say(state, false, "%s", *what ? on : off);
	return WISH_READ;
}

static enum top_wish toggle_tree(struct top_state *state)
{
	if (state->view != TOP_PROCESSES) {
		top_state_say(state, false, "the tree is one of processes: 2 shows them");
		return WISH_DRAW;
	}
	return toggle(state, &state->tree, "processes below their parents",
		      "processes in the order of a column");
}

/* --- a line that is typed ---------------------------------------------------------------------------------
 */

static enum top_wish begin_filter(struct top_state *state)
{
	state->mode = MODE_FILTER;
	state->filter_error[0] = '\0';
	snprintf(state->before, sizeof(state->before), "%s", state->filter);
	line_edit_set(&state->edit, state->filter);
	return WISH_DRAW;
}

static enum top_wish begin_delay(struct top_state *state)
{
	char text[32];

	snprintf(text, sizeof(text), "%g", (double)state->delay_ns / 1e9);
	state->mode = MODE_DELAY;
	line_edit_set(&state->edit, text);
	return WISH_DRAW;
}

static enum top_wish begin_write(struct top_state *state)
{
	char text[96];

	snprintf(text, sizeof(text), "portsnoop-%s%s%s.txt", top_view_name(state->view),
		 *state->stamp ? "-" : "", state->stamp);
	state->mode = MODE_WRITE;
	line_edit_set(&state->edit, text);
	return WISH_DRAW;
}

static enum top_wish enter_delay(struct top_state *state)
{
	char *end;
	double seconds = strtod(state->edit.text, &end);

	state->mode = MODE_TABLE;
	if (end == state->edit.text || (*end && strcmp(end, "s")) || !(seconds * 1e9 >= TOP_DELAY_LEAST_NS) ||
	    !(seconds * 1e9 <= TOP_DELAY_MOST_NS)) {
		top_state_say(state, true, "%s: expected 0.1 to 60 seconds", state->edit.text);
		return WISH_DRAW;
	}
	state->delay_ns = (uint64_t)(seconds * 1e9);
	top_state_say(state, false, "refreshed every %g s", seconds);
	return WISH_DRAW;
}

/* What cannot be parsed does not go away: it is shown what is wrong with it. */
static enum top_wish enter_filter(struct top_state *state)
{
	if (!state->filter_error[0])
		state->mode = MODE_TABLE;
	return WISH_DRAW;
}

static enum top_wish enter(struct top_state *state)
{
	switch (state->mode) {
	case MODE_FILTER:
		return enter_filter(state);
	case MODE_DELAY:
		return enter_delay(state);
	case MODE_SIGNAL:
		return top_signal_enter(state);
	default:
		state->mode = MODE_TABLE;
		return state->edit.length ? WISH_WRITE : WISH_DRAW;
	}
}

static enum top_wish leave_line(struct top_state *state)
{
	bool filter = state->mode == MODE_FILTER;

	state->mode = MODE_TABLE;
	if (!filter)
		return WISH_DRAW;
	line_edit_set(&state->edit, state->before);
	return WISH_FILTER;
}

static enum top_wish type(struct top_state *state, uint32_t key)
{
	if (key == TOP_KEY_ESCAPE)
		return leave_line(state);
	if (key == TOP_KEY_ENTER || key == '\n')
		return enter(state);
	if (!line_edit_key(&state->edit, key))
		return WISH_NOTHING;
	return state->mode == MODE_FILTER ? WISH_FILTER : WISH_DRAW;
}

void top_state_filter(struct top_state *state, const char *error, size_t at)
{
	if (error) {
		snprintf(state->filter_error, sizeof(state->filter_error), "%s", error);
		state->filter_error_at = at;
		return;
	}
	state->filter_error[0] = '\0';
	snprintf(state->filter, sizeof(state->filter), "%s", state->edit.text);
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

/* The innermost thing goes. */
static enum top_wish escape(struct top_state *state)
{
	if (state->mode != MODE_TABLE) {
		state->mode = MODE_TABLE;
		return WISH_DRAW;
	}
	if (state->frozen)
		return freeze(state);
	if (state->filter[0]) {
		line_edit_set(&state->edit, "");
		return WISH_FILTER;
	}
	if (place_of(state)->chosen) {
		place_of(state)->chosen = place_of(state)->moved = false;
		place_of(state)->cursor = place_of(state)->first = 0;
		place_of(state)->last = state->view == TOP_EVENTS;
	}
	return WISH_DRAW;
}

static enum top_wish show_text(struct top_state *state, enum top_mode mode)
{
	state->scroll = 0;
	state->mode = state->mode == mode ? MODE_TABLE : mode;
	return mode == MODE_DETAILS && state->mode == mode ? WISH_DETAILS : WISH_DRAW;
}

static enum top_wish clock_key(struct top_state *state, enum top_wish wish)
{
	if (state->recording)
		return wish;
	top_state_say(state, false, "only a recording (--from) has a clock that can be turned");
	return WISH_DRAW;
}

static enum top_wish act_on_table(struct top_state *state, enum top_action action)
{
	switch (action) {
	case ACT_SORT:
		return sort_next(state);
	case ACT_REVERSE:
		return reverse(state);
	case ACT_FREEZE:
		return freeze(state);
	case ACT_FOLLOW:
		place_of(state)->chosen = true;
		return toggle(state, &state->follow, "following the selected row", "not following");
	case ACT_TREE:
		return toggle_tree(state);
	case ACT_CLOSED:
		return toggle(state, &state->closed, "what was closed or has ended stays for 5 s",
			      "what was closed goes at once");
	case ACT_NAMES:
		return toggle(state, &state->numeric, "numbers", "names");
	case ACT_FILTER:
		return begin_filter(state);
	case ACT_DELAY:
		return begin_delay(state);
	case ACT_WRITE:
		return begin_write(state);
	case ACT_SIGNAL:
		return top_signal_begin(state);
	default:
		return WISH_NOTHING;
	}
}

static enum top_wish act(struct top_state *state, enum top_action action)
{
	switch (action) {
	case ACT_UP:
		return travel(state, 1, true);
	case ACT_DOWN:
		return travel(state, 1, false);
	case ACT_PAGE_UP:
		return travel(state, state->page, true);
	case ACT_PAGE_DOWN:
		return travel(state, state->page, false);
	case ACT_FIRST:
		return travel(state, SIZE_MAX / 2, true);
	case ACT_LAST:
		return state->mode == MODE_TABLE ? move_to_end(state) : travel(state, SIZE_MAX / 2, false);
	case ACT_VIEW_1 ... ACT_VIEW_5:
		return show_view(state, action - ACT_VIEW_1);
	case ACT_NEXT_VIEW:
		return show_view(state, state->view + 1u);
	case ACT_PREVIOUS_VIEW:
		return show_view(state, state->view + TOP_VIEWS - 1u);
	case ACT_DETAILS:
		return state->mode == MODE_CHOOSE ? top_signal_chosen(state) : show_text(state, MODE_DETAILS);
	case ACT_HELP:
		return show_text(state, MODE_HELP);
	case ACT_ESCAPE:
		return escape(state);
	case ACT_PAUSE:
		return clock_key(state, WISH_PAUSE);
	case ACT_SLOWER:
		return clock_key(state, WISH_SLOWER);
	case ACT_FASTER:
		return clock_key(state, WISH_FASTER);
	case ACT_BACK:
		return clock_key(state, WISH_BACK);
	case ACT_FORWARD:
		return clock_key(state, WISH_FORWARD);
	case ACT_REDRAW:
		return WISH_REDRAW;
	default:
		return state->mode == MODE_TABLE ? act_on_table(state, action) : WISH_NOTHING;
	}
}

enum top_wish top_state_key(struct top_state *state, uint32_t key)
{
	enum top_action action = top_action_of(key);

	state->message[0] = '\0';
	if (state->mode == MODE_CONFIRM)
		return top_signal_confirm(state, key);
	if (state->mode >= MODE_FILTER)
		return type(state, key);
	if (action != ACT_QUIT)
		return act(state, action);
	if (state->mode == MODE_TABLE)
		return WISH_QUIT;
	state->mode = MODE_TABLE; /* as in less: out of the help, not out of everything */
	return WISH_DRAW;
}
