/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/bind_outcome.h"

static bool has(bind_doubts doubts, enum bind_doubt doubt)
{
	return doubts & 1u << doubt;
}

enum bind_outcome bind_outcome(const struct bind_verdict *verdict, bind_doubts doubts,
			       enum bind_doubt *ret_doubt)
{
	enum bind_doubt doubt = DOUBT_NONE;

	if (has(doubts, DOUBT_PROTOCOL))
		doubt = DOUBT_PROTOCOL;
	else if (has(doubts, DOUBT_CGROUP))
		doubt = DOUBT_CGROUP;
	else if (has(doubts, DOUBT_CHANGING))
		doubt = DOUBT_CHANGING;
	else if (verdict->unknown)
		doubt = DOUBT_HABIT;
	for (unsigned i = DOUBT_NONE + 1; !verdict->error && !doubt && i < DOUBT_COUNT; i++)
		if (has(doubts, i))
			doubt = i;
	*ret_doubt = doubt;
	if (doubt)
		return BIND_UNKNOWN;
	return verdict->error ? BIND_NO : BIND_YES;
}

const char *bind_doubt_text(enum bind_doubt doubt)
{
	static const char *const texts[DOUBT_COUNT] = {
		[DOUBT_NONE] = "",
		[DOUBT_CGROUP] =
			"a BPF program of its control group sees each bind, and may change or forbid it",
		[DOUBT_SECCOMP] = "the process has a filter of system calls (seccomp), which may forbid it",
		[DOUBT_LSM] = "a security module confines the process, and may forbid it",
		[DOUBT_LANDLOCK] = "the process may have confined itself (Landlock), which nothing tells",
		[DOUBT_BPF_LSM] = "a BPF program is asked about each bind (BPF LSM), and may forbid it",
		[DOUBT_PROTOCOL] = "the rules of this protocol are not known here",
		[DOUBT_CHANGING] = "what has the port changes faster than it can be read",
		[DOUBT_HABIT] = "kernels differ in this case, and how this one does it could not be tried",
	};

	return texts[doubt];
}
