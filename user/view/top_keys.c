/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/top_keys.h"

const struct top_key top_keys[] = {
	{ACT_UP, "Up k", "a row up", {TOP_KEY_UP, 'k'}},
	{ACT_DOWN, "Down j", "a row down", {TOP_KEY_DOWN, 'j'}},
	{ACT_PAGE_UP, "PgUp b", "a page up", {TOP_KEY_PAGE_UP, 'b'}},
	{ACT_PAGE_DOWN, "PgDn", "a page down", {TOP_KEY_PAGE_DOWN}},
	{ACT_FIRST, "Home g", "the first row", {TOP_KEY_HOME, 'g'}},
	{ACT_LAST, "End G", "the last row; events: stay with the newest", {TOP_KEY_END, 'G'}},
	{ACT_VIEW_1, "1", "ports", {'1'}},
	{ACT_VIEW_2, "2", "processes", {'2'}},
	{ACT_VIEW_3, "3", "connections", {'3'}},
	{ACT_VIEW_4, "4", "ephemeral ports", {'4'}},
	{ACT_VIEW_5, "5", "events", {'5'}},
	{ACT_NEXT_VIEW, "Tab", "the next view", {TOP_KEY_TAB}},
	{ACT_PREVIOUS_VIEW, "Shift-Tab", "the view before", {TOP_KEY_BACK_TAB}},
	{ACT_DETAILS, "Enter", "all about the selected row", {TOP_KEY_ENTER, '\n'}},
	{ACT_FILTER, "/", "filter, shown while it is typed: port 80, comm nginx, not user root", {'/'}},
	{ACT_SORT, "s", "sort by the next column that is shown", {'s'}},
	{ACT_REVERSE, "S", "the other way round", {'S'}},
	{ACT_FREEZE, "Space", "freeze what is shown; collecting goes on", {' '}},
	{ACT_FOLLOW, "f", "keep the selected row in sight wherever it goes", {'f'}},
	{ACT_TREE, "t", "processes below their parents, siblings in the order of the column", {'t'}},
	{ACT_CLOSED, "c", "keep what was closed or has ended for some seconds", {'c'}},
	{ACT_NAMES, "n", "names or numbers of users, services, containers", {'n'}},
	{ACT_DELAY, "d", "time between two refreshes", {'d'}},
	{ACT_WRITE, "w", "write the view to a file: text, or JSON to NAME.json", {'w'}},
	{ACT_SIGNAL, "K", "send a signal to a process that holds the selected row", {'K'}},
	{ACT_PAUSE, "p", "recording: stop, go on", {'p'}},
	{ACT_SLOWER, "<", "recording: half as fast", {'<', ','}},
	{ACT_FASTER, ">", "recording: twice as fast", {'>', '.'}},
	{ACT_BACK, "Left", "recording: 10 s back", {TOP_KEY_LEFT}},
	{ACT_FORWARD, "Right", "recording: 10 s on", {TOP_KEY_RIGHT}},
	{ACT_REDRAW, "Ctrl-L", "draw the screen anew", {TOP_KEY_REDRAW}},
	{ACT_HELP, "?", "this help", {'?', 'h'}},
	{ACT_ESCAPE, "Esc", "a step back: out of here, filter off, freeze off", {TOP_KEY_ESCAPE}},
	{ACT_QUIT, "q", "quit", {'q'}},
};
const size_t top_n_keys = sizeof(top_keys) / sizeof(top_keys[0]);

enum top_action top_action_of(uint32_t key)
{
	for (size_t i = 0; i < top_n_keys; i++)
		for (unsigned k = 0; k < 3; k++)
			if (top_keys[i].keys[k] && top_keys[i].keys[k] == key)
				return top_keys[i].action;
	return ACT_NONE;
}
