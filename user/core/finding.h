/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known about seeing one fact on this machine: the hook in use, and what it leaves unseen and why.
 * Who attaches notes it; the words that people read are made here, once, for every command.
 */
#ifndef PORTSNOOP_CORE_FINDING_H
#define PORTSNOOP_CORE_FINDING_H

#include <portsnoop/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINDING_GAPS_MAX 6
#define FINDING_TEXT_MAX 256
/* Of functions, besides what the kernel says: */
#define FINDING_SILENT 61  /* ENODATA: one was hooked and called, and nothing came */
#define FINDING_OFF    108 /* ESHUTDOWN: kernel.ftrace_enabled is 0 */

/* Why something is not seen. */
enum cause {
	CAUSE_KERNEL,	 /* this kernel does not have the hook */
	CAUSE_CGROUP2,	 /* there is no root of cgroup v2 */
	CAUSE_TRACEFS,	 /* there is no tracefs */
	CAUSE_REFUSED,	 /* the kernel says no */
	CAUSE_CONTAINER, /* cgroup programs see the own container only */
	CAUSE_32BIT,	 /* system-call tracepoints do not fire for 32-bit calls */
	CAUSE_SILENT,	 /* attached, but the self-test did not see it fire */
	CAUSE_UNUSABLE,	 /* nothing can be traced here at all */
};

/* A part of a fact that is not seen. */
struct gap {
	const char *what;  /* static text; NULL: all of the fact */
	const char *since; /* the kernel that has the hook, where that is known */
	enum cause cause;
	int error; /* positive errno; 0: none */
};

struct finding {
	uint8_t probe;	  /* enum rec_probe of what is in use; PROBE_NONE: nothing is */
	bool by_syscalls; /* in part by system-call tracepoints */
	bool by_cgroups;  /* in part by cgroup programs */
	/* Why functions do not tell it, by their returns or by kprobes: */
	bool functions_some, kprobes_some;  /* they tell other facts */
	int functions_error, kprobes_error; /* a positive errno; 0: they do, or never could */
	unsigned n_gaps;
	struct gap gaps[FINDING_GAPS_MAX];
};

/* Adds a gap, unless it is there already. What does not fit is dropped: the fact is in a bad way anyhow. */
void finding_add_gap(struct finding *finding, struct gap gap);
/* The reason without what is missed: "not on this kernel (needs 6.10)". Returns buf. */
const char *gap_reason(const struct gap *gap, char buf[FINDING_TEXT_MAX]);
/* Why functions do not tell it: as `trace --backend fentry` says it. Returns buf. */
const char *finding_functions_reason(int error, bool some, char buf[FINDING_TEXT_MAX]);
/* The same of kprobes, as `trace --backend kprobe` says it. */
const char *finding_kprobes_reason(int error, bool some, char buf[FINDING_TEXT_MAX]);
/* What it costs people that functions do not tell this fact, in a sentence; NULL: nothing. */
const char *finding_functions_cost(const struct finding *finding, unsigned fact);
/* What a fact tells, for people who do not know its name. */
const char *finding_tells(unsigned fact);
/*
 * All gaps, each reason once behind the facts that it concerns: "refuse: not on this kernel (needs 6.10)".
 * Empty when there is none. Returns buf.
 */
const char *findings_remark(const struct finding findings[FACT_COUNT], char *buf, size_t size);

#endif
