/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/diagnosis.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A machine on which everything is told by functions, and every self-test fired. */
static struct diagnosis *healthy(void)
{
	static struct diagnosis diagnosis;

	diagnosis = (struct diagnosis){.host = true, .can = CAN_TRACE | CAN_LIST};
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		diagnosis.facts[fact].finding.probe = PROBE_FENTRY;
		diagnosis.facts[fact].self_test.outcome = SELF_TEST_FIRED;
	}
	return &diagnosis;
}

static void expect_counts(const struct diagnosis *diagnosis, enum health health, unsigned ok,
			  unsigned degraded, unsigned missing)
{
	assert_int_equal(diagnosis->health, health);
	assert_int_equal(diagnosis->n_facts[HEALTH_OK], ok);
	assert_int_equal(diagnosis->n_facts[HEALTH_DEGRADED], degraded);
	assert_int_equal(diagnosis->n_facts[HEALTH_MISSING], missing);
}

static void test_healthy(void **state)
{
	struct diagnosis *diagnosis = healthy();

	diagnosis->runs_32bit = true; /* functions see those, too */
	diagnosis_judge(diagnosis);
	expect_counts(diagnosis, HEALTH_OK, FACT_COUNT, 0, 0);
	assert_int_equal(diagnosis->n_remedies, 0);
}

/* What is missing of a fact degrades it; a fact without a hook is missing. */
static void test_gaps(void **state)
{
	struct diagnosis *diagnosis = healthy();
	struct finding *refuse = &diagnosis->facts[FACT_REFUSE].finding;

	finding_add_gap(&diagnosis->facts[FACT_CONNECT].finding,
			(struct gap){.what = "some", .cause = CAUSE_TRACEFS, .error = EPERM});
	refuse->probe = PROBE_NONE;
	finding_add_gap(refuse, (struct gap){.cause = CAUSE_KERNEL, .since = "6.10"});
	diagnosis_judge(diagnosis);
	expect_counts(diagnosis, HEALTH_DEGRADED, FACT_COUNT - 2, 1, 1);
	assert_int_equal(diagnosis->facts[FACT_CONNECT].health, HEALTH_DEGRADED);
	assert_int_equal(diagnosis->facts[FACT_REFUSE].health, HEALTH_MISSING);
	assert_int_equal(diagnosis->n_remedies, 2);
	assert_string_equal(diagnosis->remedies[1], "for refuse: boot Linux 6.10 or later");
}

/* Only what system calls tell is lost of 32-bit programs, and only where they can run. */
static void test_32bit(void **state)
{
	struct diagnosis *diagnosis = healthy();

	diagnosis->facts[FACT_LISTEN].finding.by_syscalls = true;
	diagnosis_judge(diagnosis);
	expect_counts(diagnosis, HEALTH_OK, FACT_COUNT, 0, 0);
	diagnosis = healthy();
	diagnosis->facts[FACT_LISTEN].finding.by_syscalls = true;
	diagnosis->runs_32bit = true;
	diagnosis_judge(diagnosis);
	expect_counts(diagnosis, HEALTH_DEGRADED, FACT_COUNT - 1, 1, 0);
	assert_string_equal(diagnosis->facts[FACT_LISTEN].finding.gaps[0].what, "listens of 32-bit programs");
}

/* What cgroup programs tell in a container is not all there is. */
static void test_container(void **state)
{
	struct diagnosis *diagnosis = healthy();

	diagnosis->host = false;
	diagnosis->facts[FACT_RELEASE].finding.by_cgroups = true;
	diagnosis_judge(diagnosis);
	expect_counts(diagnosis, HEALTH_DEGRADED, FACT_COUNT - 1, 1, 0);
	assert_int_equal(diagnosis->facts[FACT_RELEASE].finding.gaps[0].cause, CAUSE_CONTAINER);
}

/* Silence degrades; what could not be tried does not. */
static void test_self_tests(void **state)
{
	struct diagnosis *diagnosis = healthy();

	diagnosis->facts[FACT_BIND].self_test.outcome = SELF_TEST_SILENT;
	diagnosis->facts[FACT_IO_URING].self_test.outcome = SELF_TEST_SKIPPED;
	diagnosis_judge(diagnosis);
	expect_counts(diagnosis, HEALTH_DEGRADED, FACT_COUNT - 1, 1, 0);
	assert_int_equal(diagnosis->facts[FACT_IO_URING].health, HEALTH_OK);
}

/* What was noted of facts does not matter where nothing can be traced. */
static void test_unusable(void **state)
{
	struct diagnosis *diagnosis = healthy();

	diagnosis->can = CAN_LIST;
	strcpy(diagnosis->way_out, "run it as root");
	diagnosis_judge(diagnosis);
	expect_counts(diagnosis, HEALTH_MISSING, 0, 0, FACT_COUNT);
	assert_int_equal(diagnosis->n_remedies, 1);
	assert_string_equal(diagnosis->remedies[0], "run it as root");
}

/* More than there is room for is left out. */
static void test_bounds(void **state)
{
	struct diagnosis *diagnosis = healthy();

	for (unsigned i = 0; i < 2 * CHECKS_MAX; i++)
		diagnosis_check(diagnosis, SECTION_KERNEL, "check", HEALTH_OK);
	assert_int_equal(diagnosis->n_checks, CHECKS_MAX);
	for (unsigned i = 0; i < 2 * REMEDIES_MAX; i++)
		diagnosis_advise(diagnosis, "remedy %u", i / 2); /* each twice */
	assert_int_equal(diagnosis->n_remedies, REMEDIES_MAX);
	assert_string_equal(diagnosis->remedies[REMEDIES_MAX - 1], "remedy 7");
	diagnosis_advise(diagnosis, "one more");
	assert_int_equal(diagnosis->n_remedies, REMEDIES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),	   cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_32bit),	   cmocka_unit_test(test_container),
		cmocka_unit_test(test_self_tests), cmocka_unit_test(test_unusable),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
