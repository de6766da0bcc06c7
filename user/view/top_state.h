/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What somebody does with top: which view, which row, what is being typed. Keys go in, and out comes what is
 * to be done beyond drawing. No terminal, no clock, no tables of its own. The selected row is known by what
 * it is, not by where it stands.
 */
#ifndef PORTSNOOP_VIEW_TOP_STATE_H
#define PORTSNOOP_VIEW_TOP_STATE_H

#include "view/line_edit.h"
#include "view/top.h"
#include "view/top_keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum top_mode {
	MODE_TABLE,
	MODE_DETAILS,
	MODE_HELP,
	MODE_CHOOSE, /* one of those that hold the selected row */
	MODE_FILTER, /* from here on a line is typed */
	MODE_DELAY,
	MODE_WRITE,
	MODE_SIGNAL,
	MODE_CONFIRM, /* but for this: one key */
};

/* What a key asks for that others have to do. */
enum top_wish {
	WISH_NOTHING,
	WISH_DRAW,    /* the state has changed */
	WISH_READ,    /* and so must the tables */
	WISH_FILTER,  /* state->edit is the filter: top_state_filter() says what came of it */
	WISH_DETAILS, /* of the selected row */
	WISH_REDRAW,  /* also what the terminal lost */
	WISH_WRITE,   /* to the file state->edit */
	WISH_CHOICES, /* those that hold the selected row: top_signal_choices() */
	WISH_SIGNAL,  /* state->victim */
	WISH_PAUSE,
	WISH_SLOWER,
	WISH_FASTER,
	WISH_BACK,
	WISH_FORWARD,
	WISH_QUIT
};

struct top_place {
	unsigned sort; /* column */
	bool reverse;
	bool chosen;	      /* somebody has moved: the row below is the selected one */
	bool moved;	      /* since the table was looked at last: cursor says which row */
	bool last;	      /* stay with the last row */
	size_t cursor, first; /* selected row; first one on the screen */
	struct top_id id;     /* of the selected row */
};

struct top_victim {
	uint64_t start_ns;
	uint32_t pid;
	int signal;
	char comm[REC_COMM_LEN];
};

#define TOP_CHOICES_MAX 256
#define TOP_MESSAGE_MAX 512
struct top_state {
	enum top_view view;
	enum top_mode mode;
	struct top_place places[TOP_VIEWS];
	bool frozen, follow, tree, closed, numeric;
	bool recording; /* keys of its clock mean something */
	uint64_t delay_ns;
	struct line_edit edit;
	char filter[LINE_EDIT_MAX];	    /* in force; empty: none */
	char before[LINE_EDIT_MAX];	    /* as it was when it began to be edited */
	char filter_error[TOP_MESSAGE_MAX]; /* of what is being typed; empty: it is right */
	size_t filter_error_at;		    /* byte of edit.text */
	char message[TOP_MESSAGE_MAX];	    /* what came of the last key; goes with the next */
	bool message_is_error;
	struct top_victim victim;
	struct top_victim choices[TOP_CHOICES_MAX];
	size_t n_choices, choice;
	uint32_t n_holders; /* that may be more */
	size_t scroll;	    /* of help or details: the first line that is shown */
	/* Of what was drawn last: */
	unsigned page;		       /* rows on the screen */
	size_t n_rows;		       /* in the table */
	size_t n_lines;		       /* of help or details */
	unsigned shown[TOP_VIEWS][32]; /* columns, for s */
	unsigned n_shown[TOP_VIEWS];
	struct rec_task selected; /* process of the selected row; pid 0: none */
	uint32_t n_selected;	  /* that hold it */
	char stamp[32];		  /* for names of files: when it is now */
};

#define TOP_DELAY_LEAST_NS 100000000ull
#define TOP_DELAY_MOST_NS  60000000000ull

void top_state_init(struct top_state *state);
enum top_wish top_state_key(struct top_state *state, uint32_t key);
/* What came of the filter in edit: NULL, it is in force; or why not, and at which byte. */
void top_state_filter(struct top_state *state, const char *error, size_t at);
__attribute__((format(printf, 3, 4))) void top_state_say(struct top_state *state, bool error,
							 const char *format, ...);
/*
 * The table was read, or the state has changed: finds the selected row again, and puts what is on the screen
 * in order. page: rows that the screen has.
 */
void top_state_settle(struct top_state *state, struct top_table *table, unsigned page);
/* The selected row, NULL when there is none; after top_state_settle(). */
const struct top_row *top_state_row(const struct top_state *state, const struct top_table *table);

#endif
