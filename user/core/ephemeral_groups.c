/* SPDX-License-Identifier: GPL-2.0-only */
/* Which containers and units have ephemeral ports: what their processes have together. */
#include "core/cgroup_name.h"
#include "core/describe.h"
#include "core/ephemeral_spaces.h"
#include "core/slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* A possession of a process whose place is known. */
struct share {
	struct cgroup_part place; /* in a path of the model's */
	const struct ephemeral_possession *possession;
};

static struct cgroup_part place_of(const struct model *model, const struct process *process)
{
	const struct actor actor = describe_process(process);
	struct cgroup_name name;

	actor_place(model, &actor, &name);
	if (name.id.length)
		return name.id;
	return cgroup_is_container(&name) ? name.name : cgroup_telling_unit(&name);
}

static int compare_places(const struct cgroup_part *a, const struct cgroup_part *b)
{
	size_t least = a->length < b->length ? a->length : b->length;
	int order = a->text == b->text ? 0 : memcmp(a->text, b->text, least);

	return order ? order : COMPARE(a->length, b->length);
}

static int compare_groups_of(const struct share *a, const struct share *b)
{
	int order = COMPARE(a->possession->space, b->possession->space);

	return order ? order : compare_places(&a->place, &b->place);
}

static int compare_shares(const void *left, const void *right)
{
	const struct share *a = left, *b = right;
	int order = compare_groups_of(a, b);

	return order ? order : COMPARE(a->possession->port, b->possession->port);
}

static int compare_groups(const void *left, const void *right)
{
	const struct ephemeral_group *a = left, *b = right;
	int order = COMPARE(b->in_use, a->in_use);

	if (!order)
		order = process_compare(a->process, b->process);
	return order ? order : COMPARE(a->space, b->space);
}

/* Neighbours are mostly of one process. */
static size_t find_shares(const struct model *model, const struct ephemeral_possession *possessions, size_t n,
			  struct share *shares)
{
	struct cgroup_part place = {.length = 0};
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		if (!i || possessions[i].process != possessions[i - 1].process)
			place = place_of(model, possessions[i].process);
		if (place.length)
			shares[found++] = (struct share){place, &possessions[i]};
	}
	return found;
}

static struct ephemeral_group *begin(struct ephemeral *ephemeral, const struct ephemeral_possession *first)
{
	struct ephemeral_group *group = &ephemeral->groups[ephemeral->n_groups++];

	*group = (struct ephemeral_group){.space = first->space, .process = first->process};
	return group;
}

static void count_ports(struct ephemeral *ephemeral, const struct share *shares, size_t n)
{
	struct ephemeral_group *group = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct ephemeral_possession *item = shares[i].possession;

		if (!group || compare_groups_of(&shares[i - 1], &shares[i]))
			group = begin(ephemeral, item);
		else if (shares[i - 1].possession->port == item->port)
			continue;
		group->in_use++;
		group->exclusive += item->exclusive;
	}
}

static int compare_processes(const void *left, const void *right)
{
	const struct share *a = left, *b = right;
	int order = compare_groups_of(a, b);

	return order ? order : process_compare(a->possession->process, b->possession->process);
}

/* In the same order of groups as the ports were counted. */
static void count_processes(struct ephemeral *ephemeral, const struct share *shares, size_t n)
{
	size_t group = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && compare_groups_of(&shares[i - 1], &shares[i]))
			group++;
		else if (i && shares[i - 1].possession->process == shares[i].possession->process)
			continue;
		ephemeral->groups[group].processes++;
	}
}

int ephemeral_read_groups(struct ephemeral *ephemeral, const struct model *model,
			  const struct ephemeral_possession *possessions, size_t n)
{
	struct share *shares = slab_array(n + 1, sizeof(*shares));
	size_t found;

	if (!shares)
		return -ENOMEM;
	found = find_shares(model, possessions, n, shares);
	ephemeral->groups = slab_array(found + 1, sizeof(*ephemeral->groups));
	if (ephemeral->groups) {
		qsort(shares, found, sizeof(*shares), compare_shares);
		count_ports(ephemeral, shares, found);
		qsort(shares, found, sizeof(*shares), compare_processes);
		count_processes(ephemeral, shares, found);
		qsort(ephemeral->groups, ephemeral->n_groups, sizeof(*ephemeral->groups), compare_groups);
	}
	free(shares);
	return ephemeral->groups ? 0 : -ENOMEM;
}
