/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/diagnosis.h"

#include "core/record.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check *diagnosis_check(struct diagnosis *diagnosis, enum check_section section, const char *name,
			      enum health health)
{
	struct check *check;

	if (diagnosis->n_checks < CHECKS_MAX)
		diagnosis->n_checks++;
	check = &diagnosis->checks[diagnosis->n_checks - 1];
	*check = (struct check){.section = section, .health = health, .name = name};
	return check;
}

/* --- facts ------------------------------------------------------------------------------------------------
 */

/* Of 32-bit programs, where system calls are all that tells it; NULL: nothing is lost. */
static const char *unseen_of_32bit(unsigned fact)
{
	switch (fact) {
	case FACT_BIND_ERROR:
		return "binds of 32-bit programs that fail";
	case FACT_LISTEN:
		return "listens of 32-bit programs";
	case FACT_CONNECT:
		return "connects of 32-bit programs that fail before a SYN";
	case FACT_ACCEPT:
		return "accepts of 32-bit programs that do not ask for the peer's address";
	case FACT_AUTOBIND:
		return "UDP ports of 32-bit programs by connect (told late, when given back)";
	default:
		return NULL;
	}
}

/* What the machine, not the hook, leaves unseen. */
static void add_surroundings(const struct diagnosis *diagnosis, unsigned fact, struct finding *finding)
{
	const char *unseen = unseen_of_32bit(fact);

	if (finding->by_syscalls && diagnosis->runs_32bit && unseen)
		finding_add_gap(finding, (struct gap){.what = unseen, .cause = CAUSE_32BIT});
	if (finding->by_cgroups && !diagnosis->host)
		finding_add_gap(finding, (struct gap){.what = "what is outside this container",
						      .cause = CAUSE_CONTAINER});
}

static void judge_fact(const struct diagnosis *diagnosis, unsigned fact, struct fact_state *state)
{
	struct finding *finding = &state->finding;

	if (!(diagnosis->can & CAN_TRACE)) {
		*finding = (struct finding){0};
		finding_add_gap(finding, (struct gap){.cause = CAUSE_UNUSABLE});
		snprintf(state->self_test.reason, sizeof(state->self_test.reason), "there is no hook");
	}
	add_surroundings(diagnosis, fact, finding);
	if (state->self_test.outcome == SELF_TEST_SILENT)
		finding_add_gap(finding, (struct gap){.cause = CAUSE_SILENT});
	state->health = finding->probe == PROBE_NONE ? HEALTH_MISSING
			: finding->n_gaps	     ? HEALTH_DEGRADED
						     : HEALTH_OK;
}

/* --- what to do -------------------------------------------------------------------------------------------
 */

void diagnosis_advise(struct diagnosis *diagnosis, const char *format, ...)
{
	char *remedy = diagnosis->remedies[diagnosis->n_remedies];
	va_list arguments;

	if (diagnosis->n_remedies == REMEDIES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(remedy, sizeof(diagnosis->remedies[0]), format, arguments);
	va_end(arguments);
	for (unsigned i = 0; i < diagnosis->n_remedies; i++)
		if (!strcmp(diagnosis->remedies[i], remedy))
			return;
	diagnosis->n_remedies++;
}

static void advise_on(struct diagnosis *diagnosis, unsigned fact, const struct gap *gap)
{
	switch (gap->cause) {
	case CAUSE_KERNEL:
		if (gap->since)
			diagnosis_advise(diagnosis, "for %s: boot Linux %s or later", record_fact_name(fact),
					 gap->since);
		break;
	case CAUSE_CGROUP2:
		diagnosis_advise(diagnosis,
				 "mount cgroup v2 (mount -t cgroup2 none /sys/fs/cgroup/unified), or run it "
				 "as root with "
				 "CAP_SYS_ADMIN");
		break;
	case CAUSE_TRACEFS:
		if (gap->error == EACCES)
			diagnosis_advise(diagnosis,
					 "to read tracefs: run it as root, or with CAP_DAC_READ_SEARCH");
		else
			diagnosis_advise(
				diagnosis,
				"mount tracefs (mount -t tracefs tracefs /sys/kernel/tracing), or run "
				"it as root with CAP_SYS_ADMIN");
		break;
	case CAUSE_REFUSED:
		diagnosis_advise(
			diagnosis,
			"portsnoop --verbose trace shows what the kernel says about what it refuses");
		break;
	case CAUSE_CONTAINER:
		diagnosis_advise(diagnosis,
				 "run it on the host, or in a container with the host's pid namespace");
		break;
	case CAUSE_32BIT:
		diagnosis_advise(
			diagnosis,
			"nothing to do, unless 32-bit programs run here: only of them something is missed");
		break;
	case CAUSE_SILENT:
		diagnosis_advise(
			diagnosis,
			"a hook that does not fire is a bug, or something is in its way: please report "
			"the output of portsnoop doctor --json");
		break;
	case CAUSE_UNUSABLE:
		break;
	}
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

void diagnosis_judge(struct diagnosis *diagnosis)
{
	bool usable = diagnosis->can & CAN_TRACE;

	diagnosis->health = usable ? HEALTH_OK : HEALTH_MISSING;
	if (diagnosis->way_out[0])
		diagnosis_advise(diagnosis, "%s", diagnosis->way_out);
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		struct fact_state *state = &diagnosis->facts[fact];

		judge_fact(diagnosis, fact, state);
		diagnosis->n_facts[state->health]++;
		if (usable && state->health != HEALTH_OK)
			diagnosis->health = HEALTH_DEGRADED;
		for (unsigned i = 0; i < state->finding.n_gaps; i++)
			advise_on(diagnosis, fact, &state->finding.gaps[i]);
	}
}

const char *health_name(enum health health)
{
	static const char *const names[] = {"ok", "degraded", "missing", "unknown"};

	return names[health];
}

const char *check_section_name(enum check_section section)
{
	static const char *const names[] = {"kernel", "capability", "setting", "mount", "way"};

	return names[section];
}
