/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/ancestry.h"

struct search {
	const struct process *child;
	const struct process *best;
};

static int consider(const struct process *process, void *context)
{
	struct search *search = context;

	if (process->pid == search->child->parent_pid && process->start_ns <= search->child->start_ns &&
	    (!search->best || process->start_ns > search->best->start_ns))
		search->best = process;
	return 0;
}

static const struct process *parent_of(const struct model *model, const struct process *child)
{
	struct search search = {.child = child};
	const struct process *exact;

	if (!child->parent_pid || child->parent_pid == child->pid)
		return NULL;
	exact = model_process(model, child->parent_pid, child->parent_start_ns);
	if (exact || child->parent_start_ns)
		return exact;
	model_each_process(model, consider, &search);
	return search.best;
}

size_t ancestry_of(const struct model *model, const struct process *process, const struct process **chain)
{
	size_t n = 0;

	for (; process && n < ANCESTRY_MAX; process = parent_of(model, process))
		chain[n++] = process;
	return n;
}
