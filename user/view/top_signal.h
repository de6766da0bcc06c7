/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A signal to a process: which one, if several hold the selected row, which signal, and a question that names
 * both. Whoever was named gets it or nobody: a process is known by its start, too.
 */
#ifndef PORTSNOOP_VIEW_TOP_SIGNAL_H
#define PORTSNOOP_VIEW_TOP_SIGNAL_H

#include "view/top_state.h"

enum top_wish top_signal_begin(struct top_state *state);
/* Those that hold the row at this moment, by pid; what WISH_CHOICES asks for. */
void top_signal_choices(struct top_state *state, const struct model *model, const struct top_row *row);
/* Another of the choices; this one it is. */
enum top_wish top_signal_choose(struct top_state *state, size_t rows, bool up);
enum top_wish top_signal_chosen(struct top_state *state);
/* The signal was typed; the question was answered. */
enum top_wish top_signal_enter(struct top_state *state);
enum top_wish top_signal_confirm(struct top_state *state, uint32_t key);
/* "TERM (15)", "34" */
void top_put_signal(struct text *text, int number);

#endif
