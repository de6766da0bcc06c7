/* SPDX-License-Identifier: GPL-2.0-only */
/* The keys of top in one table, which is what the help shows, too. */
#ifndef PORTSNOOP_VIEW_TOP_KEYS_H
#define PORTSNOOP_VIEW_TOP_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* Beyond any character; characters are their code points. */
enum top_key_code {
	TOP_KEY_UP = 0x200000,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_DELETE,
	TOP_KEY_BACK_TAB,
	TOP_KEY_TAB = '\t',
	TOP_KEY_ENTER = '\r',
	TOP_KEY_ESCAPE = 0x1b,
	TOP_KEY_BACKSPACE = 0x7f,
	TOP_KEY_ERASE = 0x15, /* Ctrl-U */
	TOP_KEY_REDRAW = 0x0c /* Ctrl-L */
};

enum top_action {
	ACT_NONE,
	ACT_UP,
	ACT_DOWN,
	ACT_PAGE_UP,
	ACT_PAGE_DOWN,
	ACT_FIRST,
	ACT_LAST,
	ACT_VIEW_1,
	ACT_VIEW_2,
	ACT_VIEW_3,
	ACT_VIEW_4,
	ACT_VIEW_5,
	ACT_NEXT_VIEW,
	ACT_PREVIOUS_VIEW,
	ACT_DETAILS,
	ACT_FILTER,
	ACT_SORT,
	ACT_REVERSE,
	ACT_FREEZE,
	ACT_FOLLOW,
	ACT_TREE,
	ACT_CLOSED,
	ACT_NAMES,
	ACT_DELAY,
	ACT_WRITE,
	ACT_SIGNAL,
	ACT_PAUSE,
	ACT_SLOWER,
	ACT_FASTER,
	ACT_BACK,
	ACT_FORWARD,
	ACT_REDRAW,
	ACT_HELP,
	ACT_ESCAPE,
	ACT_QUIT,
	ACT_COUNT
};

struct top_key {
	enum top_action action;
	const char *name; /* as the help shows it */
	const char *help;
	uint32_t keys[3]; /* 0: none */
};

extern const struct top_key top_keys[];
extern const size_t top_n_keys;
/* ACT_NONE: nothing stands for it. */
enum top_action top_action_of(uint32_t key);

#endif
