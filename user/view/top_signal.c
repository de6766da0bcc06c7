/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/top_signal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- which one --------------------------------------------------------------------------------------------
 */

static enum top_wish ask_for_signal(struct top_state *state, const struct top_victim *victim)
{
	state->victim = *victim;
	state->mode = MODE_SIGNAL;
	line_edit_set(&state->edit, "TERM");
	return WISH_DRAW;
}

static struct top_victim victim_of(const struct rec_task *task)
{
	struct top_victim victim = {.start_ns = task->start_ns, .pid = task->pid};

	memcpy(victim.comm, task->comm, sizeof(victim.comm));
	return victim;
}

enum top_wish top_signal_begin(struct top_state *state)
{
	const struct top_victim victim = victim_of(&state->selected);

	if (state->recording) {
		top_state_say(state, true, "this is a recording: its processes are not here");
		return WISH_DRAW;
	}
	if (!state->selected.pid) {
		top_state_say(state, true, "no process is known of this row");
		return WISH_DRAW;
	}
	return state->n_selected > 1 ? WISH_CHOICES : ask_for_signal(state, &victim);
}

struct choosing {
	struct top_state *state;
	const struct top_row *row;
};

/* Sockets that fold into one row share all of this. */
static bool is_of_row(const struct socket_row *socket, const struct top_row *row)
{
	const struct rec_socket *a = &socket->socket, *b = &row->socket;

	if (row->n_sockets < 2)
		return a->cookie == b->cookie && a->protocol == b->protocol;
	return a->protocol == b->protocol && a->local_port == b->local_port && a->netns == b->netns &&
	       a->family == b->family && a->state == b->state && a->peer_port == b->peer_port &&
	       !memcmp(a->local_addr, b->local_addr, sizeof(a->local_addr));
}

static int compare_victims(const void *left, const void *right)
{
	const struct top_victim *a = left, *b = right;
	int order = top_compare_numbers(a->pid, b->pid);

	return order ? order : top_compare_numbers(a->start_ns, b->start_ns);
}

static bool is_there(const struct top_state *state, const struct process *process)
{
	for (size_t i = 0; i < state->n_choices; i++)
		if (state->choices[i].pid == process->pid && state->choices[i].start_ns == process->start_ns)
			return true;
	return false;
}

static int take_holders(const struct socket_row *socket, void *context)
{
	const struct choosing *choosing = context;
	struct top_state *state = choosing->state;

	if (!is_of_row(socket, choosing->row))
		return 0;
	for (const struct holder *holder = socket->holders; holder; holder = holder->next) {
		struct rec_task task = process_task(holder->process);

		if (state->n_choices < TOP_CHOICES_MAX && !is_there(state, holder->process))
			state->choices[state->n_choices++] = victim_of(&task);
	}
	return 0;
}

void top_signal_choices(struct top_state *state, const struct model *model, const struct top_row *row)
{
	struct choosing choosing = {state, row};

	state->n_choices = state->choice = 0;
	if (row)
		model_each_socket(model, take_holders, &choosing);
	qsort(state->choices, state->n_choices, sizeof(state->choices[0]), compare_victims);
	state->n_holders =
		state->n_selected > state->n_choices ? state->n_selected : (uint32_t)state->n_choices;
	if (!state->n_choices)
		top_state_say(state, true, "nobody holds it any more");
	else if (state->n_choices == 1)
		ask_for_signal(state, &state->choices[0]);
	else
		state->mode = MODE_CHOOSE;
}

enum top_wish top_signal_choose(struct top_state *state, size_t rows, bool up)
{
	size_t last = state->n_choices ? state->n_choices - 1 : 0;

	if (up)
		state->choice = state->choice > rows ? state->choice - rows : 0;
	else
		state->choice = rows < last - state->choice ? state->choice + rows : last;
	return WISH_DRAW;
}

enum top_wish top_signal_chosen(struct top_state *state)
{
	return ask_for_signal(state, &state->choices[state->choice]);
}

/* --- which signal -----------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	int number;
} signals[] = {
	{"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ABRT", 6},	{"KILL", 9},
	{"USR1", 10}, {"USR2", 12}, {"TERM", 15}, {"CONT", 18}, {"STOP", 19},
};
#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* "TERM", "SIGTERM", "15"; 0: there is none like that. */
static int signal_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text && !*end)
		return number > 0 && number <= 64 ? (int)number : 0;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (size_t i = 0; i < N_SIGNALS; i++)
		if (!strcasecmp(text, signals[i].name))
			return signals[i].number;
	return 0;
}

void top_put_signal(struct text *text, int number)
{
	for (size_t i = 0; i < N_SIGNALS; i++) {
		if (signals[i].number != number)
			continue;
		text_format(text, "%s (%d)", signals[i].name, number);
		return;
	}
	text_format(text, "signal %d", number);
}

enum top_wish top_signal_enter(struct top_state *state)
{
	state->victim.signal = signal_number(state->edit.text);
	state->mode = state->victim.signal ? MODE_CONFIRM : MODE_TABLE;
	if (!state->victim.signal)
		top_state_say(state, true, "%s: no such signal", state->edit.text);
	return WISH_DRAW;
}

enum top_wish top_signal_confirm(struct top_state *state, uint32_t key)
{
	state->mode = MODE_TABLE;
	if (key == 'y' || key == 'Y')
		return WISH_SIGNAL;
	top_state_say(state, false, "no signal was sent");
	return WISH_DRAW;
}
