/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes behind one line of a table: each once, by name and pid. */
#ifndef PORTSNOOP_VIEW_ACTOR_SET_H
#define PORTSNOOP_VIEW_ACTOR_SET_H

#include "view/text_parts.h"

struct actor_set {
	struct actor *actors; /* the caller's room */
	size_t n;
};

/* Bytes that the longest cell of so many processes needs. */
#define ACTOR_CELL_MAX(n) ((n) * (4 * CGROUP_PART_TEXT_MAX + 16) + 64)

/* Adds the holders of a socket; the room must be enough. */
void actor_set_add(struct actor_set *set, const struct model *model, const struct socket_row *row);
/* Sorts and drops repetitions: before anything below. */
void actor_set_settle(struct actor_set *set);

/* The lowest pid. */
void actor_set_pid(struct text *text, const struct actor_set *set);
/* One process by its name alone, several with their pids: nginx(812,813). */
void actor_set_names(struct text *text, const struct actor_set *set);
/* Each container once, by short ID or name; each unit that says more than those. */
void actor_set_containers(struct text *text, const struct actor_set *set, const struct model *model,
			  bool numeric);
void actor_set_units(struct text *text, const struct actor_set *set, const struct model *model);
/* Each user once. */
void actor_set_users(struct text *text, const struct actor_set *set, const struct model *model, bool numeric);

#endif
