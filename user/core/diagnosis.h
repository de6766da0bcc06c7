/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine allows, as doctor says it: what was looked at is noted, then judged. Pure: who looks, and
 * how it is shown, are elsewhere.
 */
#ifndef PORTSNOOP_CORE_DIAGNOSIS_H
#define PORTSNOOP_CORE_DIAGNOSIS_H

#include "core/finding.h"
#include "core/self_test.h"

#define CHECKS_MAX   40
#define REMEDIES_MAX 8

/* What it means for portsnoop, not what it is: a capability that is missing and not needed is fine. */
enum health { HEALTH_OK, HEALTH_DEGRADED, HEALTH_MISSING, HEALTH_UNKNOWN };

enum check_section {
	SECTION_KERNEL,
	SECTION_CAPABILITY,
	SECTION_SETTING,
	SECTION_MOUNT,
	SECTION_WAY, /* a kind of hook */
	SECTION_COUNT
};

/* Something about the machine. */
struct check {
	enum check_section section;
	enum health health;
	const char *name;
	const char *purpose; /* NULL: it speaks for itself */
	char value[136];     /* as it is here; may be empty */
	char reason[320];    /* why it is not fine, and what that costs; empty when it is */
};

/* Commands that can start. */
#define CAN_TRACE 0x1 /* trace, record, wait */
#define CAN_LIST  0x2 /* ls, who */

struct fact_state {
	struct finding finding;
	struct self_test_result self_test;
	enum health health; /* judged */
};

struct diagnosis {
	struct check checks[CHECKS_MAX];
	unsigned n_checks;
	struct fact_state facts[FACT_COUNT];
	bool runs_32bit; /* 32-bit programs can run here */
	bool host;	 /* cgroup programs see the whole machine */
	unsigned can;	 /* CAN_* */
	/* Why nothing can be traced, and what to do; empty with CAN_TRACE. */
	char obstacle[1024], way_out[160];
	/* Judged: */
	enum health health;		  /* HEALTH_MISSING: unusable */
	unsigned n_facts[HEALTH_UNKNOWN]; /* by health */
	char remedies[REMEDIES_MAX][200];
	unsigned n_remedies;
};

/* A new check, to be filled further by the caller; the last one again when there is no room. */
struct check *diagnosis_check(struct diagnosis *diagnosis, enum check_section section, const char *name,
			      enum health health);
/* Something that can be done, once. */
void diagnosis_advise(struct diagnosis *diagnosis, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* From what was noted to health and remedies. */
void diagnosis_judge(struct diagnosis *diagnosis);

/* "ok", "degraded", "missing", "unknown" */
const char *health_name(enum health health);
/* "kernel", "capability", "setting", "mount", "way" */
const char *check_section_name(enum check_section section);

#endif
