/* SPDX-License-Identifier: GPL-2.0-only */
#include "screen/draw_choice.h"
#include "screen/draw_lines.h"

#include "view/cell_width.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEIGHT_SMALL   16 /* below, the header is one line */
#define POSITION_WIDTH 12 /* of "12/202", at most as a rule */
#define LEAD_SHARE     2  /* lines above the rows take this part of the screen at most */

static unsigned put(struct canvas *canvas, unsigned y, unsigned x, enum top_style style, const char *text)
{
	return canvas_put(canvas, y, x, canvas->columns, style, text, strlen(text));
}

/* --- header -----------------------------------------------------------------------------------------------
 */

static unsigned line_width(const struct canvas *canvas, const struct top_line *line)
{
	return (unsigned)cell_text_width(line->buf, line->text.length, canvas->utf8);
}

/* What stands on the right is more important than the end of what stands on the left. */
static void draw_two(struct canvas *canvas, unsigned y, const struct top_line *left,
		     const struct top_line *right)
{
	unsigned width = line_width(canvas, right), room = canvas->columns;

	if (width && width + 1 < room) {
		canvas_put_line(canvas, y, room - width, width, right);
		room -= width + 1;
	}
	canvas_put_line(canvas, y, 0, room, left);
}

static unsigned draw_head(struct canvas *canvas, const struct top_head *head)
{
	const struct top_line *urgent = *head->right[2].buf ? &head->right[2] : &head->right[1];

	if (canvas->rows < HEIGHT_SMALL) { /* what must not be missed stands in the one line that is left */
		draw_two(canvas, 0, &head->left[0], *urgent->buf ? urgent : &head->right[0]);
		return 1;
	}
	for (unsigned i = 0; i < TOP_HEAD_LINES; i++)
		draw_two(canvas, i, &head->left[i], &head->right[i]);
	return TOP_HEAD_LINES;
}

/* "1 Ports  2 Processes …", or the numbers alone. */
static unsigned draw_tabs(struct canvas *canvas, unsigned y, const struct top_state *state)
{
	unsigned x = 0, width = 0;

	for (unsigned i = 0; i < TOP_VIEWS; i++)
		width += (unsigned)strlen(top_view_name((enum top_view)i)) + 5;
	for (unsigned i = 0; i < TOP_VIEWS; i++) {
		bool shown = i == state->view;
		const char *name = shown || width <= canvas->columns ? top_view_name((enum top_view)i) : "";
		char tab[32];

		snprintf(tab, sizeof(tab), " %u%s%s ", i + 1, *name ? " " : "", name);
		x += put(canvas, y, x, shown ? STYLE_TAB_SHOWN : STYLE_TAB, tab);
		x += put(canvas, y, x, STYLE_PLAIN, " ");
	}
	if (state->filter[0] && state->mode != MODE_FILTER) {
		x += put(canvas, y, x + 1, STYLE_DIM, "filter ");
		put(canvas, y, x + 1, STYLE_KEY, state->filter);
	}
	return y + 1;
}

/* --- table ------------------------------------------------------------------------------------------------
 */

static void draw_titles(struct canvas *canvas, unsigned y, const struct drawing *drawing)
{
	const struct top_layout *layout = drawing->layout;
	const struct top_state *state = drawing->state;
	const struct top_place *place = &state->places[state->view];
	size_t n;
	const struct top_column *columns = top_columns(state->view, &n);

	canvas_style(canvas, y, STYLE_TITLE);
	for (unsigned i = 0; i < layout->n; i++) {
		const struct top_column *column = &columns[layout->column[i]];
		bool sorted = layout->column[i] == place->sort && column->compare;
		bool falls = place->reverse != column->from_most;
		const char *arrow = !sorted ? "" : canvas->utf8 ? falls ? "▼" : "▲" : falls ? "v" : "^";
		unsigned width = (unsigned)strlen(column->title) + sorted;
		unsigned at = layout->x[i];
		char title[64];

		snprintf(title, sizeof(title), "%s%s", column->title, arrow);
		if (column->right && width < layout->width[i])
			at += layout->width[i] - width;
		else if (column->right && width > layout->width[i] && at)
			at--; /* the arrow may stand in the gap */
		canvas_put(canvas, y, at, layout->width[i] + 1, sorted ? STYLE_SORTED : STYLE_TITLE, title,
			   strlen(title));
	}
}

/* Where nothing is or happens, the eye need not stop. */
static bool says_nothing(const char *cell)
{
	return !strcmp(cell, "-") || !strcmp(cell, "0") || !strcmp(cell, "0B") || !strncmp(cell, "0/", 2);
}

static void draw_row(struct canvas *canvas, unsigned y, const struct drawing *drawing, size_t row)
{
	const struct top_layout *layout = drawing->layout;
	const struct top_row *at = top_table_at(drawing->table, row);
	enum top_style style = top_row_style(drawing->page, at);
	size_t n;
	const struct top_column *columns = top_columns(drawing->state->view, &n);
	char buf[TOP_CELL_MAX];

	for (unsigned i = 0; i < layout->n; i++) {
		const struct top_column *column = &columns[layout->column[i]];
		struct text text = text_in(buf, sizeof(buf));
		enum top_style own = column->style ? column->style(drawing->page, at) : style;
		unsigned x = layout->x[i], width;

		top_cell_text(&text, column, drawing->page, row);
		width = (unsigned)cell_text_width(text.buf, text.length, canvas->utf8);
		if (column->right && width < layout->width[i])
			x += layout->width[i] - width;
		if (says_nothing(text.buf))
			own = STYLE_DIM;
		canvas_put(canvas, y, x, layout->width[i] - (x - layout->x[i]), own, text.buf, text.length);
		if (width > layout->width[i]) /* it is told that something is missing */
			canvas_put(canvas, y, layout->x[i] + layout->width[i] - 1, 1, own, "…", 3);
	}
}

/* Lines above the rows leave room for some of these. */
static unsigned draw_lead(struct canvas *canvas, unsigned y, unsigned bottom, const struct top_table *table)
{
	unsigned most = (bottom - y) / LEAD_SHARE;

	for (size_t i = 0; i < table->n_lead && i < most; i++)
		canvas_put_line(canvas, y++, 0, canvas->columns, &table->lead[i]);
	return y;
}

static void remember_columns(const struct drawing *drawing)
{
	struct top_state *state = drawing->state;
	unsigned n = drawing->layout->n;

	memcpy(state->shown[state->view], drawing->layout->column, n * sizeof(unsigned));
	state->n_shown[state->view] = n;
}

static void draw_table(struct canvas *canvas, unsigned y, unsigned bottom, const struct drawing *drawing)
{
	struct top_state *state = drawing->state;
	const struct top_place *place = &state->places[state->view];
	struct top_table *table = drawing->table;

	y = draw_lead(canvas, y, bottom, table);
	top_state_settle(state, table, bottom > y + 1 ? bottom - y - 1 : 1);
	top_layout_fit(drawing->layout, drawing->page, place->first, state->page, canvas->columns,
		       canvas->utf8);
	remember_columns(drawing);
	draw_titles(canvas, y++, drawing);
	for (size_t row = place->first; row < table->n && y < bottom; row++, y++) {
		draw_row(canvas, y, drawing, row);
		if (row == place->cursor)
			canvas_mark(canvas, y);
	}
	if (!table->n)
		put(canvas, y, 0, STYLE_DIM,
		    state->filter[0] ? "nothing matches the filter" : "nothing to show");
}

/* --- text -------------------------------------------------------------------------------------------------
 */

static void draw_help(struct canvas *canvas, unsigned y, unsigned bottom, struct top_state *state)
{
	state->n_lines = top_n_keys;
	state->page = bottom - y;
	for (size_t i = state->scroll; i < top_n_keys && y < bottom; i++, y++) {
		put(canvas, y, 1, STYLE_KEY, top_keys[i].name);
		put(canvas, y, 12, STYLE_PLAIN, top_keys[i].help);
	}
}

/* --- the line below ---------------------------------------------------------------------------------------
 */

static const char *prompt_of(enum top_mode mode)
{
	switch (mode) {
	case MODE_FILTER:
		return "/";
	case MODE_DELAY:
		return "seconds between refreshes: ";
	case MODE_WRITE:
		return "write to file: ";
	default:
		return "signal: ";
	}
}

/* As much of what is typed as fits, and in any case where the cursor is. */
static void draw_edit(struct canvas *canvas, unsigned y, const struct top_state *state)
{
	const struct line_edit *edit = &state->edit;
	unsigned x = put(canvas, y, 0, STYLE_KEY, prompt_of(state->mode));
	unsigned room = canvas->columns > x + 1 ? canvas->columns - x - 1 : 1, width;
	size_t from = 0;

	while ((width = (unsigned)cell_text_width(edit->text + from, edit->cursor - from, canvas->utf8)) >
	       room)
		from++;
	canvas_put(canvas, y, x, canvas->columns, STYLE_PLAIN, edit->text + from, edit->length - from);
	canvas->cursor_shown = true;
	canvas->cursor_y = y;
	canvas->cursor_x = x + width < canvas->columns ? x + width : canvas->columns - 1;
}

/* Under the line, with a caret where it is wrong. */
static void draw_filter_error(struct canvas *canvas, unsigned y, const struct top_state *state)
{
	unsigned x = 1 + (unsigned)cell_text_width(state->edit.text, state->filter_error_at, canvas->utf8);
	unsigned message =
		(unsigned)cell_text_width(state->filter_error, strlen(state->filter_error), canvas->utf8);

	if (x + 2 + message > canvas->columns && message < canvas->columns) {
		put(canvas, y, 0, STYLE_ERROR, state->filter_error);
		return;
	}
	put(canvas, y, x, STYLE_ERROR, "^");
	put(canvas, y, x + 2, STYLE_ERROR, state->filter_error);
}

static const char *hints_of(const struct top_state *state)
{
	if (state->mode == MODE_CHOOSE)
		return "Up Down which one   Enter this one   Esc back";
	if (state->mode == MODE_HELP || state->mode == MODE_DETAILS)
		return "Esc back   Up Down PgUp PgDn scroll   q back";
	if (state->recording)
		return "? help  q quit  p pause  < > speed  Left Right seek  / filter  Enter details  s S "
		       "sort";
	return "? help  q quit  / filter  Enter details  s S sort  Space freeze  c closed  t tree  K signal  "
	       "w write";
}

/* "12/202": the selected row, or the last line that is seen, of all; where the hints leave room. */
static void draw_position(struct canvas *canvas, unsigned y, const struct top_state *state)
{
	bool text = state->mode == MODE_HELP || state->mode == MODE_DETAILS;
	size_t n = text ? state->n_lines : state->n_rows, at = state->places[state->view].cursor + 1;
	char position[64];
	unsigned width;

	if (state->mode == MODE_CHOOSE) {
		n = state->n_choices;
		at = state->choice + 1;
	}
	if (text)
		at = state->scroll + state->page < n ? state->scroll + state->page : n;
	width = (unsigned)snprintf(position, sizeof(position), "%zu/%zu", n ? at : 0, n);
	if (width < canvas->columns)
		put(canvas, y, canvas->columns - width, STYLE_DIM, position);
}

/* As many as there is room for, none of them in part. */
static void draw_hints(struct canvas *canvas, unsigned y, const char *hints)
{
	size_t room = canvas->columns > POSITION_WIDTH ? canvas->columns - POSITION_WIDTH : 0;
	size_t length = strlen(hints), shown = 0;

	for (size_t end = 0; end <= length && end <= room; end++)
		if (end == length || !strncmp(hints + end, "  ", 2))
			shown = end;
	canvas_put(canvas, y, 0, canvas->columns, STYLE_DIM, hints, shown);
}

/* Two lines while a filter is typed that is wrong, one otherwise. */
static unsigned bottom_lines(const struct top_state *state)
{
	return state->mode == MODE_FILTER && state->filter_error[0] ? 2 : 1;
}

static void draw_bottom(struct canvas *canvas, const struct top_state *state)
{
	unsigned y = canvas->rows - bottom_lines(state);

	if (state->mode == MODE_CONFIRM) {
		draw_confirm(canvas, y, state);
		return;
	}
	if (state->mode >= MODE_FILTER) {
		draw_edit(canvas, y, state);
		if (bottom_lines(state) == 2)
			draw_filter_error(canvas, y + 1, state);
		return;
	}
	draw_position(canvas, y, state);
	if (state->message[0])
		put(canvas, y, 0, state->message_is_error ? STYLE_ERROR : STYLE_STRONG, state->message);
	else
		draw_hints(canvas, y, hints_of(state));
}

void draw(struct canvas *canvas, const struct drawing *drawing)
{
	struct top_state *state = drawing->state;
	unsigned y, bottom;

	canvas_clear(canvas);
	if (canvas->rows < 4 || canvas->columns < 8) {
		put(canvas, 0, 0, STYLE_PLAIN, "too small");
		return;
	}
	bottom = canvas->rows - bottom_lines(state);
	y = draw_head(canvas, drawing->head);
	y = draw_tabs(canvas, y, state);
	if (state->mode == MODE_HELP)
		draw_help(canvas, y, bottom, state);
	else if (state->mode == MODE_DETAILS)
		draw_lines(canvas, y, bottom, drawing);
	else if (state->mode == MODE_CHOOSE)
		draw_choices(canvas, y, bottom, drawing);
	else
		draw_table(canvas, y, bottom, drawing);
	draw_bottom(canvas, state);
}
