/* SPDX-License-Identifier: GPL-2.0-only */
/* What the text of who is made of. */
#ifndef PORTSNOOP_VIEW_WHO_PARTS_H
#define PORTSNOOP_VIEW_WHO_PARTS_H

#include "view/text_parts.h"
#include "view/who.h"

#define WHO_LINE_MAX 16384 /* holds any line uncut */
#define WHO_INDENT   "    "

/* What every line may ask about. */
struct who {
	FILE *out;
	const struct model *model;
	const struct who_options *options;
	const struct port_table *table;
	char *room; /* WHO_LINE_MAX bytes, for one line */
};

/* --- pieces of a line -------------------------------------------------------------------------------------
 */

/* nginx(812) */
void who_actor(struct text *text, const struct actor *actor);
/* "tcp 0.0.0.0:80", "tcp 10.0.0.1:80 ← 192.0.2.7:40000"; direction: enum rec_direction. */
void who_socket(struct text *text, const struct rec_socket *socket, unsigned direction);
void who_state(struct text *text, const struct rec_socket *socket);
/* ", for 3 m 2 s", ", in network namespace 4026532999", as far as there is something to say. */
void who_since(struct text *text, const struct who *who, const struct socket_row *row);
void who_netns(struct text *text, const struct who *who, const struct rec_socket *socket);
/* "  fd 6  made it 3 s ago", as far as it is known. */
void who_holding(struct text *text, const struct who *who, const struct holder *holder);
/* Why nobody holds it, or for how long that will be so: "waiting to be accepted". */
const char *who_no_holder(const struct who *who, const struct socket_row *row);
/* "; was nginx(812) until 3 s ago", or without holder that nobody was watching; nothing for what nobody has
 * held yet. */
void who_last_holder(struct text *text, const struct who *who, const struct socket_row *row,
		     const struct past_holder *holder);
/* "nginx(812) had it until 3 s ago", with verb " had it" or "". */
void who_until(struct text *text, const struct who *who, const struct past_holder *holder, const char *verb);
/* The whole socket in one line: "tcp 0.0.0.0:80 listen, for 3 m 2 s: nginx(812)  fd 6" */
void who_row(struct text *text, const struct who *who, const struct socket_row *row, unsigned direction);

/* --- lines ------------------------------------------------------------------------------------------------
 */

struct text who_line(const struct who *who);
void who_line_end(const struct who *who, const struct text *text);
/* A line that stands above others. */
void who_title_end(const struct who *who, const struct text *text);
/* What there is to say about a process beyond its name: command line, control group, parents; a line each. */
void who_process_lines(const struct who *who, const struct process *process);
/* A holder of a port, and what there is to say about it unless one of the first `index` ports has introduced
 * it. */
void who_holder_lines(const struct who *who, const struct holder *holder, size_t index);
/* Whether it holds one of the first n ports, so that its lines were printed already. */
bool who_is_introduced(const struct who *who, const struct process *process, size_t n);

/* The part about connections; nothing when there are none. 0 or -ENOMEM. */
int who_print_connections(const struct who *who);

#endif
