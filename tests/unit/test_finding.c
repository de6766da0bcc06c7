/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/finding.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void add(struct finding findings[], unsigned fact, const char *what, enum cause cause, int error)
{
	finding_add_gap(&findings[fact], (struct gap){.what = what, .cause = cause, .error = error});
}

static const char *remark_of(const struct finding findings[])
{
	static char buf[1024];

	return findings_remark(findings, buf, sizeof(buf));
}

static void test_nothing_missing(void **state)
{
	struct finding findings[FACT_COUNT] = {0};

	assert_string_equal(remark_of(findings), "");
}

/* The two copies of a program make one gap; the kernel that has it is named. */
static void test_gap_once(void **state)
{
	struct finding findings[FACT_COUNT] = {0};
	struct gap gap = {.since = "6.10", .cause = CAUSE_KERNEL};

	finding_add_gap(&findings[FACT_REFUSE], gap);
	finding_add_gap(&findings[FACT_REFUSE], gap);
	assert_int_equal(findings[FACT_REFUSE].n_gaps, 1);
	assert_string_equal(remark_of(findings), "refuse: not on this kernel (needs 6.10)");
}

/* A reason is told once, whatever lies between the facts that it concerns. */
static void test_reason_once(void **state)
{
	struct finding findings[FACT_COUNT] = {0};

	add(findings, FACT_BIND, "this", CAUSE_CGROUP2, EPERM);
	add(findings, FACT_BIND, "that", CAUSE_CGROUP2, EPERM);
	add(findings, FACT_LISTEN, NULL, CAUSE_TRACEFS, ENODEV);
	add(findings, FACT_ACCEPT, "this", CAUSE_CGROUP2, EPERM);
	add(findings, FACT_ACCEPT, "that", CAUSE_TRACEFS, ENODEV);
	assert_string_equal(
		remark_of(findings),
		"bind, accept: cgroup v2 is neither mounted nor mountable here (Operation not "
		"permitted); listen, accept: tracefs is neither mounted nor mountable here (No such "
		"device)");
}

/* The same cause for another errno is another reason. */
static void test_reasons(void **state)
{
	struct finding findings[FACT_COUNT] = {0};
	char buf[FINDING_TEXT_MAX];

	add(findings, FACT_LISTEN, NULL, CAUSE_TRACEFS, EACCES);
	add(findings, FACT_CLOSE, NULL, CAUSE_REFUSED, 524);
	assert_string_equal(remark_of(findings), "listen: tracefs may not be read (Permission denied); "
						 "close: the kernel refuses the hook (ENOTSUPP)");
	assert_string_equal(
		finding_functions_reason(EPERM, false, buf),
		"this kernel does not let returns of functions be traced (Operation not permitted)");
	assert_string_equal(
		finding_functions_reason(FINDING_SILENT, true, buf),
		"this kernel does not let returns of a function that would be needed be traced (they can be "
		"hooked, but the hooks do not fire)");
	assert_string_equal(finding_kprobes_reason(ENOENT, false, buf),
			    "this kernel does not let functions be probed (No such file or directory)");
	assert_string_equal(finding_kprobes_reason(FINDING_OFF, true, buf),
			    "this kernel does not let a function that would be needed be probed "
			    "(kernel.ftrace_enabled is 0)");
}

/* Gaps beyond the room for them, and texts beyond theirs, do no harm. */
static void test_bounds(void **state)
{
	struct finding findings[FACT_COUNT] = {0};
	char buf[40];

	for (int error = 1; error < 20; error++)
		add(findings, FACT_BIND, NULL, CAUSE_REFUSED, error);
	assert_int_equal(findings[FACT_BIND].n_gaps, FINDING_GAPS_MAX);
	findings_remark(findings, buf, sizeof(buf));
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
}

static void test_every_fact_has_words(void **state)
{
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		assert_non_null(finding_tells(fact));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_missing), cmocka_unit_test(test_gap_once),
		cmocka_unit_test(test_reason_once),	cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_bounds),		cmocka_unit_test(test_every_fact_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
