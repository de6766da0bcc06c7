/* SPDX-License-Identifier: GPL-2.0-only */
/* What is answered: the kernel's rules give a verdict, and what stands above them may make it doubtful. */
#ifndef PORTSNOOP_CORE_BIND_OUTCOME_H
#define PORTSNOOP_CORE_BIND_OUTCOME_H

#include "core/bind_conflict.h"

enum bind_doubt {
	DOUBT_NONE,
	DOUBT_CGROUP,	/* a program of a control group sees each bind and may change or forbid it */
	DOUBT_SECCOMP,	/* the process has a filter of system calls */
	DOUBT_LSM,	/* a security module confines the process */
	DOUBT_LANDLOCK, /* it may have confined itself: nothing tells */
	DOUBT_BPF_LSM,	/* a BPF program is asked about each bind */
	DOUBT_PROTOCOL, /* its rules are not known here */
	DOUBT_CHANGING, /* the port's sockets changed faster than they could be read */
	DOUBT_HABIT,	/* kernels differ here, and it could not be tried */
	DOUBT_COUNT
};

/* A bit for each doubt that there is about the process that asks. */
typedef unsigned bind_doubts;

enum bind_outcome { BIND_YES, BIND_NO, BIND_UNKNOWN };

/*
 * A program that may change the port, and not having seen everything, make every verdict doubtful, what can
 * only forbid one that would be granted. *ret_doubt says why it is unknown.
 */
enum bind_outcome bind_outcome(const struct bind_verdict *verdict, bind_doubts doubts,
			       enum bind_doubt *ret_doubt);
/* For a sentence that begins with "unknown: ". */
const char *bind_doubt_text(enum bind_doubt doubt);

#endif
