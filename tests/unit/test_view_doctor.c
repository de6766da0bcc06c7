/* SPDX-License-Identifier: GPL-2.0-only */
/* A diagnosis as text and as JSON, to the byte. */
#include "view/doctor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One machine with something of everything. */
static struct diagnosis *mixed(void)
{
	static struct diagnosis diagnosis;
	struct check *check;

	diagnosis = (struct diagnosis){.host = true, .can = CAN_TRACE | CAN_LIST, .runs_32bit = true};
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		diagnosis.facts[fact].finding.probe = PROBE_CGROUP;
		diagnosis.facts[fact].self_test.outcome = SELF_TEST_FIRED;
	}
	check = diagnosis_check(&diagnosis, SECTION_KERNEL, "release", HEALTH_OK);
	strcpy(check->value, "6.18");
	check = diagnosis_check(&diagnosis, SECTION_CAPABILITY, "CAP_BPF", HEALTH_OK);
	strcpy(check->value, "held");
	check->purpose = "to load programs";
	check = diagnosis_check(&diagnosis, SECTION_SETTING, "kernel.ftrace_enabled", HEALTH_DEGRADED);
	strcpy(check->value, "0");
	strcpy(check->reason, "that is bad");
	check = diagnosis_check(&diagnosis, SECTION_WAY, "fentry", HEALTH_DEGRADED);
	strcpy(check->value, "refused");
	check->purpose = "returns of functions";
	strcpy(check->reason, "not here");
	diagnosis.facts[FACT_LISTEN].finding = (struct finding){.probe = PROBE_TRACEPOINT,
								.by_syscalls = true,
								.functions_error = EPERM,
								.kprobes_error = ENOENT};
	diagnosis.facts[FACT_REFUSE].finding = (struct finding){.probe = PROBE_NONE};
	finding_add_gap(&diagnosis.facts[FACT_REFUSE].finding,
			(struct gap){.cause = CAUSE_KERNEL, .since = "6.10"});
	diagnosis.facts[FACT_REFUSE].self_test.outcome = SELF_TEST_SKIPPED;
	strcpy(diagnosis.facts[FACT_REFUSE].self_test.reason, "there is no hook");
	diagnosis.facts[FACT_CLOSE].self_test.outcome = SELF_TEST_SILENT;
	strcpy(diagnosis.facts[FACT_CLOSE].self_test.reason, "an end: no event");
	diagnosis_judge(&diagnosis);
	return &diagnosis;
}

static struct diagnosis *unusable(void)
{
	static struct diagnosis diagnosis;

	diagnosis = (struct diagnosis){.host = true, .can = CAN_LIST};
	strcpy(diagnosis.obstacle, "missing CAP_NET_ADMIN");
	strcpy(diagnosis.way_out, "run it as root");
	diagnosis_judge(&diagnosis);
	return &diagnosis;
}

static char *text_of(const struct diagnosis *diagnosis, struct view_options options)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(doctor_print_text(out, diagnosis, &options), 0);
	fclose(out);
	return text;
}

static char *json_of(const struct diagnosis *diagnosis)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(doctor_print_json(out, diagnosis), 0);
	fclose(out);
	return text;
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void test_text(void **state)
{
	char *text = text_of(mixed(), (struct view_options){0});

	expect_in(text, "MACHINE\n"
			"  release                 6.18\n"
			"  capabilities            all that matter\n"
			"  kernel.ftrace_enabled   0: that is bad\n"
			"\n"
			"WAYS TO LOOK\n"
			"  fentry       refused     returns of functions\n"
			"                           not here\n"
			"\n"
			"FACTS        HOOK        SELF-TEST  STATUS     WHAT IT TELLS\n"
			"  bind         cgroup      fired      ok         binds that succeed\n");
	expect_in(text, "  listen       tracepoint  fired      degraded   listens\n");
	expect_in(text, "  close        cgroup      silent     degraded   ends of connections\n");
	expect_in(text, "  refuse       -           skipped    missing    SYNs to closed ports\n");
	expect_in(text, "\n\nNOT SEEN: system-call tracepoints do not fire for 32-bit programs\n"
			"  listen       listens of 32-bit programs\n\n");
	expect_in(text, "\n\nNOT SEEN: not on this kernel (needs 6.10)\n"
			"  refuse       SYNs to closed ports\n\n");
	expect_in(text,
		  "\n\nSELF-TEST\n"
		  "  close        silent: an end: no event\n"
		  "\n"
		  "NOT AMONG THE METRICS (portsnoop_...)\n"
		  "  refuse       refused_connections_total\n"
		  "  --no-events  events_total, resyncs_total, resync_repairs_total: they need events\n"
		  "\n"
		  "VERDICT\n"
		  "  degraded: of 12 facts 9 are seen whole, 2 in part, 1 not at all\n"
		  "  Without fentry and kprobes every system call of this machine is a little slower while "
		  "portsnoop runs.\n"
		  "  → nothing to do, unless 32-bit programs run here");
	free(text);
}

/* Everything that was looked at, with what it is for. */
static void test_verbose(void **state)
{
	char *text = text_of(mixed(), (struct view_options){.verbose = true});

	expect_in(text, "  CAP_BPF                           held (to load programs)\n");
	free(text);
}

/* Words of health only, and back. */
static void test_colour(void **state)
{
	char *text = text_of(mixed(), (struct view_options){.colour = true});

	expect_in(text, "\x1b[1mMACHINE\x1b[0m\n");
	expect_in(text, "\x1b[31mmissing\x1b[0m    SYNs");
	expect_in(text, "  \x1b[33mdegraded\x1b[0m: of 12");
	free(text);
	text = text_of(mixed(), (struct view_options){0});
	assert_null(strchr(text, '\x1b'));
	free(text);
}

static void test_text_unusable(void **state)
{
	char *text = text_of(unusable(), (struct view_options){0});

	expect_in(text, "VERDICT\n"
			"  unusable: missing CAP_NET_ADMIN\n"
			"  ls, who, why and ephemeral work.\n"
			"  → run it as root\n");
	assert_null(strstr(text, "FACTS"));
	free(text);
}

static void test_json(void **state)
{
	char *text = json_of(mixed());

	expect_in(text, "{\"row\":\"kernel\",\"portsnoop\":{\"kernel\":\"release\",\"status\":\"ok\","
			"\"value\":\"6.18\"}}\n");
	expect_in(
		text,
		"{\"row\":\"fact\",\"portsnoop\":{\"fact\":\"listen\",\"probe\":\"tracepoint\","
		"\"status\":\"degraded\",\"unseen\":[{\"what\":\"listens of 32-bit programs\",\"reason\":"
		"\"system-call tracepoints do not fire for 32-bit programs\"}],\"refused\":[{\"probe\":"
		"\"fentry\",\"reason\":\"this kernel does not let returns of functions be traced (Operation "
		"not permitted)\",\"error\":{\"type\":\"EPERM\"}},{\"probe\":\"kprobe\",\"reason\":\"this "
		"kernel "
		"does not let functions be probed (No such file or "
		"directory)\",\"error\":{\"type\":\"ENOENT\"}}],\"cost\":\"every system call of this "
		"machine is a little slower while portsnoop runs\",\"self_test\":\"fired\"}}\n");
	expect_in(text,
		  "{\"row\":\"fact\",\"portsnoop\":{\"fact\":\"refuse\",\"status\":\"missing\",\"unseen\":[{"
		  "\"what\":\"SYNs to closed ports\",\"reason\":\"not on this kernel (needs 6.10)\"}],"
		  "\"refused\":[],\"self_test\":\"skipped\",\"self_test_reason\":\"there is no hook\"}}\n");
	expect_in(text, "{\"row\":\"verdict\",\"portsnoop\":{\"status\":\"degraded\",\"facts\":{\"ok\":9,"
			"\"degraded\":2,\"missing\":1},\"commands\":[\"trace\",\"record\",\"wait\",\"ls\","
			"\"who\",\"why\",\"ephemeral\"],"
			"\"remedies\":[");
	free(text);
}

static void test_json_unusable(void **state)
{
	char *text = json_of(unusable());

	expect_in(text,
		  "{\"row\":\"verdict\",\"portsnoop\":{\"status\":\"unusable\",\"reason\":\"missing "
		  "CAP_NET_ADMIN\",\"facts\":{\"ok\":0,\"degraded\":0,\"missing\":12},\"commands\":[\"ls\","
		  "\"who\",\"why\",\"ephemeral\"],\"remedies\":[\"run it as root\"]}}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),   cmocka_unit_test(test_verbose),
		cmocka_unit_test(test_colour), cmocka_unit_test(test_text_unusable),
		cmocka_unit_test(test_json),   cmocka_unit_test(test_json_unusable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
