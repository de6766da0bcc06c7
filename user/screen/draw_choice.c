/* SPDX-License-Identifier: GPL-2.0-only */
/* Which process a signal is for: those that hold the row, and the question at the end. */
#include "screen/draw_choice.h"

#include "view/command_line.h"
#include "view/top_signal.h"

#include <string.h>

#define LINE_MAX_BYTES 2048

/* "   4657  root      nginx: master process", the rest of the line for what tells them apart. */
static void put_choice(struct text *text, const struct drawing *drawing, const struct top_victim *victim)
{
	const struct process *process = model_process(drawing->page->model, victim->pid, victim->start_ns);
	const struct actor actor = describe_process(process);
	char arguments[COMMAND_LINE_MAX];
	size_t length = process && !drawing->page->view.no_args ? command_line(&actor, arguments) : 0;

	text_format(text, "%8u  ", victim->pid);
	text_name(text, victim->comm, strnlen(victim->comm, sizeof(victim->comm)));
	text_put(text, "  ");
	if (process)
		text_user(text, drawing->page->model, actor.uid, drawing->page->view.numeric);
	text_put(text, "  ");
	text_name(text, arguments, length);
}

void draw_choices(struct canvas *canvas, unsigned y, unsigned bottom, const struct drawing *drawing)
{
	struct top_state *state = drawing->state;
	char buf[LINE_MAX_BYTES];
	struct text text = text_in(buf, sizeof(buf));
	size_t first;

	text_format(&text, "%u processes hold it: a signal to which one?", state->n_holders);
	canvas_put(canvas, y++, 0, canvas->columns, STYLE_STRONG, text.buf, text.length);
	state->page = bottom > y ? bottom - y : 1;
	first = state->choice >= state->page ? state->choice - state->page + 1 : 0;
	for (size_t i = first; i < state->n_choices && y < bottom; i++, y++) {
		text = text_in(buf, sizeof(buf));
		put_choice(&text, drawing, &state->choices[i]);
		canvas_put(canvas, y, 0, canvas->columns, STYLE_PLAIN, text.buf, text.length);
		if (i == state->choice)
			canvas_mark(canvas, y);
	}
}

/* The pid comes first: of a name that is long, the end may be cut. */
void draw_confirm(struct canvas *canvas, unsigned y, const struct top_state *state)
{
	const struct top_victim *victim = &state->victim;
	char buf[256];
	struct text text = text_in(buf, sizeof(buf));

	text_put(&text, "y/N: send ");
	top_put_signal(&text, victim->signal);
	text_format(&text, " to %u ", victim->pid);
	text_name(&text, victim->comm, strnlen(victim->comm, sizeof(victim->comm)));
	text_put(&text, "?");
	canvas_put(canvas, y, 0, canvas->columns, STYLE_ALARM, text.buf, text.length);
}
