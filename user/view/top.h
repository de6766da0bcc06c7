/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of `top` before anybody draws them: what stands in a row, its columns with the rank in which a
 * narrow terminal drops them, and the order. Rows are copies, so that a frozen table stays as it was and a
 * key is answered without reading the model again; only names are looked up when a cell is shown.
 */
#ifndef PORTSNOOP_VIEW_TOP_H
#define PORTSNOOP_VIEW_TOP_H

#include "core/backlog.h"
#include "core/departed.h"
#include "core/filter.h"
#include "core/history.h"
#include "core/rates.h"
#include "view/text_parts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum top_view { TOP_PORTS, TOP_PROCESSES, TOP_CONNECTIONS, TOP_EPHEMERAL, TOP_EVENTS, TOP_VIEWS };

/* What a piece of text means; the terminal decides how that looks. */
enum top_style {
	STYLE_PLAIN,
	STYLE_DIM, /* beside the point, or over */
	STYLE_STRONG,
	STYLE_NEW,     /* has just come; goes well */
	STYLE_CLOSING, /* ends, or has ended */
	STYLE_NOTE,    /* worth a look */
	STYLE_ERROR,
	STYLE_ALARM,
	STYLE_TITLE,  /* of a column */
	STYLE_SORTED, /* title of the column that is sorted by */
	STYLE_TAB,
	STYLE_TAB_SHOWN,
	STYLE_KEY,
	STYLE_COUNT
};

/* Of a row as long as it lives: a socket's cookie, a port's place, a process, an event's number. */
struct top_id {
	uint64_t a, b;
};

#define TOP_PORTS_SHOWN 8
struct top_port {
	uint16_t port;
	uint16_t protocol;
};

struct top_row {
	struct top_id id;
	struct rec_socket socket; /* ports, connections; destinations: without the local port */
	struct rec_task who;	  /* the holder with the lowest pid, or the process itself; pid 0: none */
	uint32_t n_who;		  /* holders */
	uint32_t n_sockets;	  /* that fold into the row */
	uint64_t since_ns;	  /* port got, connection established; 0: before we looked */
	uint64_t ended_ns;	  /* 0: it is there */
	uint64_t sent, received;
	uint64_t in, out, undirected; /* connections of a process; in: of a listener */
	uint32_t rtt_us, retransmits, queue_length, queue_limit;
	double rate[RATE_COUNT];
	struct top_port ports[TOP_PORTS_SHOWN]; /* of a process */
	uint32_t n_ports;
	uint8_t direction; /* enum rec_direction */
	uint8_t depth;	   /* in the tree of processes */
	bool rates_known, counted;
	/* Destinations: */
	uint32_t available, in_use, time_wait, exhausted_in_seconds;
	double used_ratio;
	bool watched, will_be_exhausted;
	uint64_t failed;
};

/* A line that is no row: text in pieces of different meaning. */
#define TOP_LINE_MAX   1024
#define TOP_PIECES_MAX 24
struct top_line {
	char buf[TOP_LINE_MAX];
	struct text text;
	struct {
		uint16_t begin; /* byte */
		uint8_t style;
	} pieces[TOP_PIECES_MAX];
	unsigned n_pieces;
};

void top_line_begin(struct top_line *line);
/* What is put into line->text from here on means this. */
void top_line_style(struct top_line *line, enum top_style style);
void top_line_put(struct top_line *line, enum top_style style, const char *string);

/* What the tables are read from. */
struct top_source {
	const struct model *model;
	const struct rates *rates;
	const struct departed *departed;
	const struct backlog *backlog;
	const struct history *history; /* NULL: none is kept */
	const struct filter *filter;   /* NULL: everything */
	struct view_options view;
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	uint32_t home_netns;
	bool closed;	/* rows that ended a moment ago, too */
	bool unfold;	/* each socket of a port in a row of its own */
	bool tree;	/* processes below their parents */
	bool by_events; /* a recording: nobody has looked for TIME_WAIT */
};

#define TOP_LEAD_MAX 10
struct top_table {
	enum top_view view;
	struct top_row *rows;
	size_t n, room;
	uint32_t *order; /* rows as they are shown: right where top_table_order() made it so */
	struct top_line lead[TOP_LEAD_MAX]; /* above the rows */
	size_t n_lead;
	uint64_t now_ns;
	bool tree;
	/* Of a tree: whose children stand where, and whether order[] is that of a column already. */
	struct top_kin {
		uint32_t parent, first_child, next;
	} * kin;
	unsigned arranged_by;
	bool arranged, arranged_reverse;
	bool one_netns, no_place; /* columns that would say nothing */
	bool unwatched;		  /* no destination has a rate */
};

struct top_page;

struct top_column {
	const char *title;
	void (*cell)(struct text *text, const void *context, size_t row);
	int (*compare)(const struct top_row *a, const struct top_row *b); /* NULL: not an order */
	uint8_t rank;  /* 0: always there; the highest is dropped first */
	uint8_t least; /* columns of the terminal that it needs */
	uint8_t most;  /* 0: whatever is left */
	bool right;    /* numbers */
	bool from_most;
	enum top_style (*style)(const struct top_page *page, const struct top_row *row); /* NULL: the row's */
	bool (*hidden)(const struct top_table *table);
};

/* What cells are shown with: their context. */
struct top_page {
	const struct top_table *table;
	const struct model *model;
	const struct backlog *backlog;
	struct view_options view;
};

/* Reads a view anew. 0, or -ENOMEM with an empty table: part of it would be taken for all. */
int top_table_read(struct top_table *table, enum top_view view, const struct top_source *source);
void top_table_free(struct top_table *table);
const struct top_column *top_columns(enum top_view view, size_t *ret_n);
/* "ports", "processes", … */
const char *top_view_name(enum top_view view);
/* 0, or -EINVAL. */
int top_view_find(const char *name, enum top_view *ret_view);
/* The column's number, or -EINVAL when there is none that can be sorted by. Titles in any case. */
int top_column_find(enum top_view view, const char *title);
/* Those that it finds, with commas; "" when a view has none. Returns buf. */
const char *top_column_titles(enum top_view view, char *buf, size_t size);
unsigned top_default_sort(enum top_view view);
/*
 * Puts the rows that stand at first .. first + n - 1 into order[] there: by a column, what is equal as it
 * stands in the table. Costs what going through the table does, not sorting it. A tree is put in order as a
 * whole, those below one parent by the column, and must be before its places are asked for.
 */
void top_table_order(struct top_table *table, unsigned column, bool reverse, size_t first, size_t n);
/* Where that row stands in the same order; the table's n when it is not there. */
size_t top_table_place(const struct top_table *table, unsigned column, bool reverse, struct top_id id);
const struct top_row *top_table_at(const struct top_table *table, size_t place);
enum top_style top_row_style(const struct top_page *page, const struct top_row *row);

static inline bool top_id_equal(struct top_id a, struct top_id b)
{
	return a.a == b.a && a.b == b.b;
}

/* --- what it is made of --- */

/* A new zeroed row at the end; NULL: no memory. */
struct top_row *top_table_add(struct top_table *table);
/* Finds the parents among the rows. 0 or -ENOMEM. */
int top_tree_read(struct top_table *table, const struct model *model);
/* Makes order[], which is that of a column, the tree's. */
void top_tree_arrange(struct top_table *table);
int top_read_ports(struct top_table *table, const struct top_source *source);
int top_read_processes(struct top_table *table, const struct top_source *source);
int top_read_connections(struct top_table *table, const struct top_source *source);
int top_read_ephemeral(struct top_table *table, const struct top_source *source);
int top_read_events(struct top_table *table, const struct top_source *source);

extern const struct top_column top_port_columns[], top_process_columns[], top_connection_columns[],
	top_ephemeral_columns[], top_event_columns[];
extern const size_t top_n_port_columns, top_n_process_columns, top_n_connection_columns,
	top_n_ephemeral_columns, top_n_event_columns;

/* Cells that several views have. */
const struct top_row *top_row_at(const void *context, size_t row);
void top_cell_protocol(struct text *text, const void *context, size_t row);
void top_cell_pid(struct text *text, const void *context, size_t row);
void top_cell_process(struct text *text, const void *context, size_t row);
void top_cell_user(struct text *text, const void *context, size_t row);
void top_cell_place(struct text *text, const void *context, size_t row); /* container, or unit */
void top_cell_netns(struct text *text, const void *context, size_t row);
void top_cell_state(struct text *text, const void *context, size_t row);
void top_cell_age(struct text *text, const void *context, size_t row);
/* Whole seconds, minutes, hours: 5s, 3m20s. */
void top_put_age(struct text *text, uint64_t ns);
void top_cell_accepts(struct text *text, const void *context, size_t row);
void top_cell_connects(struct text *text, const void *context, size_t row);
void top_cell_errors(struct text *text, const void *context, size_t row);
void top_cell_bytes(struct text *text, const void *context, size_t row);
int top_by_pid(const struct top_row *a, const struct top_row *b);
int top_by_process(const struct top_row *a, const struct top_row *b);
int top_by_user(const struct top_row *a, const struct top_row *b);
int top_by_place(const struct top_row *a, const struct top_row *b);
int top_by_netns(const struct top_row *a, const struct top_row *b);
int top_by_state(const struct top_row *a, const struct top_row *b);
int top_by_protocol(const struct top_row *a, const struct top_row *b);
int top_by_age(const struct top_row *a, const struct top_row *b);
int top_by_accepts(const struct top_row *a, const struct top_row *b);
int top_by_connects(const struct top_row *a, const struct top_row *b);
int top_by_errors(const struct top_row *a, const struct top_row *b);
int top_by_bytes(const struct top_row *a, const struct top_row *b);
enum top_style top_errors_style(const struct top_page *page, const struct top_row *row);
enum top_style top_event_style(const struct top_page *page, const struct top_row *row);
bool top_one_netns(const struct top_table *table);
bool top_no_place(const struct top_table *table);

/* Sets who and n_who to the holders of these sockets. */
void top_take_holder(struct top_row *row, const struct socket_row *socket);
void top_take_rates(struct top_row *row, const struct rate_counts *counts, const struct rates *rates);
bool top_matches(const struct top_source *source, const struct departed_row *row);
int top_compare_numbers(uint64_t a, uint64_t b);

#endif
