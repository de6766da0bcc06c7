/* SPDX-License-Identifier: GPL-2.0-only */
/* What an attachment means, fact by fact. */
#include "source/attach.h"

#define WAITING "the next accept of threads that were in accept(2) already"

static bool is_told(const struct attachment *attachment, const struct hook *hook)
{
	return hook_is_told(hook, attachment->functions.told);
}

/* The first of the groups that would tell it, and do not. */
static int untold_error(const struct attachment *attachment, const struct hook *hook)
{
	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		if (hook->unless >> group & 1 && attachment->functions.errors[group])
			return attachment->functions.errors[group];
	return 0;
}

static void take_hook(const struct attachment *attachment, const struct hook *hook,
		      const struct hook_state *state, int functions_error, struct finding *finding)
{
	bool told = is_told(attachment, hook);

	if (state->missing)
		finding_add_gap(finding, (struct gap){.what = told ? WAITING : hook->unseen,
						      .since = hook->since,
						      .cause = state->cause,
						      .error = state->error});
	if (told || state->attached)
		finding->probe = told ? PROBE_FENTRY : (uint8_t)hook->probe;
	if (state->attached && !told && hook->probe == PROBE_CGROUP)
		finding->by_cgroups = true;
	/* Of the tracepoints, those of system calls are the ones that functions can replace. */
	if (state->attached && !told && hook->probe == PROBE_TRACEPOINT && hook->unless &&
	    hook->unless != TOLD_CALLS)
		finding->by_syscalls = true;
	if (hook->unless && !told) {
		finding->functions_some = !functions_error;
		finding->functions_error = functions_error ? functions_error : untold_error(attachment, hook);
	}
}

/* The port of a UDP connect is told when connect(2) returns, whoever tells that; else late, at the release.
 */
static void take_connect(const struct finding *connect, struct finding *autobind)
{
	autobind->by_syscalls = connect->by_syscalls;
	for (unsigned i = 0; i < connect->n_gaps; i++)
		if (connect->gaps[i].cause == CAUSE_TRACEFS || connect->gaps[i].cause == CAUSE_REFUSED)
			finding_add_gap(autobind, (struct gap){.what = HOOK_UNSEEN_UDP_CONNECT,
							       .cause = connect->gaps[i].cause,
							       .error = connect->gaps[i].error});
}

void attach_findings(const struct attachment *attachment, int functions_error,
		     struct finding ret_findings[FACT_COUNT])
{
	size_t n;
	const struct hook *hooks = hooks_table(&n);

	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		ret_findings[fact] = (struct finding){0};
		for (size_t i = 0; i < n; i++)
			if (hooks[i].facts >> fact & 1)
				take_hook(attachment, &hooks[i], &attachment->hooks[i], functions_error,
					  &ret_findings[fact]);
	}
	ret_findings[FACT_OVERFLOW].probe = PROBE_ITERATOR;
	take_connect(&ret_findings[FACT_CONNECT], &ret_findings[FACT_AUTOBIND]);
}

bool attach_is_whole(const struct attachment *attachment)
{
	for (size_t i = 0; i < HOOKS_MAX; i++)
		if (attachment->hooks[i].missing)
			return false;
	return true;
}
