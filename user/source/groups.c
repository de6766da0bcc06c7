/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/groups.h"

#include <errno.h>

void groups_add(struct groups *groups, uint32_t told, struct bpf_link *link)
{
	groups->told_by[groups->n_links] = told;
	groups->links[groups->n_links++] = link;
	groups->result.told |= told;
}

void groups_fail(struct groups *groups, uint32_t told, int error)
{
	int *errors = groups->result.errors;

	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		if (told >> group & 1 && !errors[group])
			errors[group] = error;
}

static uint32_t failed(const struct groups *groups)
{
	uint32_t told = 0;

	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		told |= (uint32_t)(groups->result.errors[group] != 0) << group;
	return told;
}

struct functions_told groups_settle(struct groups *groups, uint32_t wanted, struct bpf_link *links[],
				    unsigned *n_links)
{
	groups_fail(groups, wanted & ~groups->result.told, ENOENT);
	for (unsigned i = 0; i < groups->n_links; i++) {
		if (groups->told_by[i] & failed(groups))
			bpf_link__destroy(groups->links[i]);
		else
			links[(*n_links)++] = groups->links[i];
	}
	groups->result.told &= ~failed(groups);
	return groups->result;
}
