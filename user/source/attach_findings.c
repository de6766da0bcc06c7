/* SPDX-License-Identifier: GPL-2.0-only */
/* What an attachment means, fact by fact. */
#include "source/attach.h"

#define WAITING "the next accept of threads that were in accept(2) already"

/* Why functions are not used, one way or the other, or not at all. */
struct unused {
	int functions, kprobes;
};

/* The first of the groups that would tell it, and do not. */
static int untold_error(const struct functions_told *functions, const struct hook *hook)
{
	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		if (hook->unless >> group & 1 && functions->errors[group])
			return functions->errors[group];
	return 0;
}

static void take_untold(const struct attachment *attachment, const struct hook *hook,
			const struct unused *unused, struct finding *finding)
{
	finding->functions_some = !unused->functions;
	finding->functions_error =
		unused->functions ? unused->functions : untold_error(&attachment->functions, hook);
	finding->kprobes_some = !unused->kprobes;
	finding->kprobes_error = unused->kprobes ? unused->kprobes : untold_error(&attachment->kprobes, hook);
}

static void take_hook(const struct attachment *attachment, const struct hook *hook,
		      const struct hook_state *state, const struct unused *unused, struct finding *finding)
{
	enum rec_probe told_by = attach_told_by(attachment, hook);
	bool told = told_by != PROBE_NONE;

	if (state->missing)
		finding_add_gap(finding, (struct gap){.what = told ? WAITING : hook->unseen,
						      .since = hook->since,
						      .cause = state->cause,
						      .error = state->error});
	if (told || state->attached)
		finding->probe = told ? (uint8_t)told_by : (uint8_t)hook->probe;
	if (state->attached && !told && hook->probe == PROBE_CGROUP)
		finding->by_cgroups = true;
	/* Of the tracepoints, those of system calls are the ones that functions can replace. */
	if (state->attached && !told && hook->probe == PROBE_TRACEPOINT && hook->unless &&
	    hook->unless != TOLD_CALLS)
		finding->by_syscalls = true;
	if (hook->unless && !told)
		take_untold(attachment, hook, unused, finding);
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

void attach_findings(const struct attachment *attachment, int functions_error, int kprobes_error,
		     struct finding ret_findings[FACT_COUNT])
{
	const struct unused unused = {.functions = functions_error, .kprobes = kprobes_error};
	size_t n;
	const struct hook *hooks = hooks_table(&n);

	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		ret_findings[fact] = (struct finding){0};
		for (size_t i = 0; i < n; i++)
			if (hooks[i].facts >> fact & 1)
				take_hook(attachment, &hooks[i], &attachment->hooks[i], &unused,
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
