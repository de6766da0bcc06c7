/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/actor_set.h"

#include <stdlib.h>
#include <string.h>

/* By name, those without one last; then by pid. */
static int compare_actors(const void *left, const void *right)
{
	const struct actor *a = left, *b = right;
	int order = !a->comm - !b->comm;

	if (!order && a->comm)
		order = strcmp(a->comm, b->comm);
	return order ? order : (a->pid > b->pid) - (a->pid < b->pid);
}

void actor_set_add(struct actor_set *set, const struct model *model, const struct socket_row *row)
{
	for (const struct holder *holder = row->holders; holder; holder = holder->next)
		set->actors[set->n++] = describe_holder(model, holder);
}

void actor_set_settle(struct actor_set *set)
{
	size_t kept = 0;

	qsort(set->actors, set->n, sizeof(*set->actors), compare_actors);
	for (size_t i = 0; i < set->n; i++)
		if (!kept || compare_actors(&set->actors[kept - 1], &set->actors[i]))
			set->actors[kept++] = set->actors[i];
	set->n = kept;
}

void actor_set_pid(struct text *text, const struct actor_set *set)
{
	uint32_t lowest = 0;

	for (size_t i = 0; i < set->n; i++)
		if (!lowest || set->actors[i].pid < lowest)
			lowest = set->actors[i].pid;
	if (lowest)
		text_format(text, "%u", lowest);
}

void actor_set_names(struct text *text, const struct actor_set *set)
{
	if (set->n == 1)
		text_comm(text, &set->actors[0]);
	else
		text_actors(text, set->actors, set->n);
}

/* Puts a piece behind those that are there, unless it is one of them. */
static void put_once(struct text *text, const struct text *piece)
{
	const char *at = text->buf;

	while (*at) {
		size_t length = strcspn(at, ",");

		if (length == piece->length && !memcmp(at, piece->buf, length))
			return;
		at += length + (at[length] == ',');
	}
	if (!piece->length)
		return;
	if (text->length)
		text_put(text, ",");
	text_put(text, piece->buf);
}

void actor_set_containers(struct text *text, const struct actor_set *set, const struct model *model,
			  bool numeric)
{
	for (size_t i = 0; i < set->n; i++) {
		char buf[4 * CGROUP_PART_TEXT_MAX];
		struct text piece = text_in(buf, sizeof(buf));
		struct cgroup_name place;

		actor_place(model, &set->actors[i], &place);
		text_container(&piece, &place, numeric);
		put_once(text, &piece);
	}
}

void actor_set_units(struct text *text, const struct actor_set *set, const struct model *model)
{
	for (size_t i = 0; i < set->n; i++) {
		char buf[4 * CGROUP_PART_TEXT_MAX];
		struct text piece = text_in(buf, sizeof(buf));
		struct cgroup_part unit;
		struct cgroup_name place;

		actor_place(model, &set->actors[i], &place);
		unit = cgroup_telling_unit(&place);
		if (unit.length)
			text_name(&piece, unit.text, unit.length);
		put_once(text, &piece);
	}
}

static bool user_is_new(const struct actor_set *set, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (set->actors[i].uid == set->actors[index].uid)
			return false;
	return set->actors[index].uid != UID_UNKNOWN;
}

void actor_set_users(struct text *text, const struct actor_set *set, const struct model *model, bool numeric)
{
	for (size_t i = 0; i < set->n; i++) {
		if (!user_is_new(set, i))
			continue;
		if (text->length)
			text_put(text, ",");
		text_user(text, model, set->actors[i].uid, numeric);
	}
}
