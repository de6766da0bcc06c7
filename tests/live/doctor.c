/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor tells the truth: what it says is compared with what trace and ls then do with the same privileges
 * and the same mounts, and with what the kernel says when it is asked here.
 */
#include "cover.h"
#include "doctor_report.h"
#include "scenarios.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

/* --- here -------------------------------------------------------------------------------------------------
 */

/* Nothing of the self-test is left: no socket, no TIME_WAIT. */
static void expect_no_sockets(struct scene *scene)
{
	static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6"};
	char path[64];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *text, *second;

		snprintf(path, sizeof(path), "/proc/self/net/%s", tables[i]);
		if (access(path, R_OK))
			continue; /* no IPv6 */
		text = file_read(scene, path, NULL);
		second = strchr(text, '\n');
		if (second && second[1])
			scene_fail(scene, "the self-test left something behind in %s: %s", path, second + 1);
		free(text);
	}
}

static bool has_io_uring(void)
{
	char params[512] = {0};
	int fd = (int)syscall(SYS_io_uring_setup, 1, params);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Whatever has a hook fires, but for io_uring where it cannot be used. */
static void expect_fired(struct scene *scene, const struct report *report)
{
	for (unsigned i = 0; i < report->n_rows; i++) {
		const char *fact = event_string(report->rows[i], "portsnoop.fact");
		bool hooked = *event_string(report->rows[i], "portsnoop.probe");
		bool possible = hooked && (strcmp(fact, "io_uring") || has_io_uring());

		if (*fact &&
		    !is(event_string(report->rows[i], "portsnoop.self_test"), possible ? "fired" : "skipped"))
			scene_fail(scene, "%s: %s: %s", fact,
				   event_string(report->rows[i], "portsnoop.self_test"),
				   event_string(report->rows[i], "portsnoop.self_test_reason"));
	}
}

static void check_text(struct scene *scene, const struct report *report)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "doctor", NULL);
	if (result.status != report->status)
		scene_fail(scene, "exit code %d in text, %d in JSON", result.status, report->status);
	for (unsigned i = 0; i < report->n_rows; i++) {
		const char *fact = event_string(report->rows[i], "portsnoop.fact");

		if (*fact && !strstr(result.out, fact))
			scene_fail(scene, "the text does not name %s: %s", fact, result.out);
	}
	if (!strstr(result.out, row_status(report_row(scene, report, "verdict", NULL))))
		scene_fail(scene, "the text has no verdict: %s", result.out);
	tool_result_free(&result);
}

void doctor_here(struct scene *scene)
{
	struct report report;

	report_run(scene, &report, NULL);
	if (report.status == UNUSABLE)
		scene_fail(scene, "unusable: %s", row_reason(report_row(scene, &report, "verdict", NULL)));
	expect_fired(scene, &report);
	expect_no_sockets(scene);
	report_compare(scene, &report, NULL);
	check_text(scene, &report);
	report_free(&report);
}

static int without_loopback(void)
{
	return unshare(CLONE_NEWNET);
}

/* What cannot be tried is skipped with its reason, and is no fault of the hooks. */
void doctor_no_loopback(struct scene *scene)
{
	const struct tool_run options = {.prepare = without_loopback};
	struct report report, whole;

	report_run(scene, &whole, NULL);
	report_run(scene, &report, &options);
	if (report.status != whole.status)
		scene_fail(scene, "exit code %d, with loopback %d", report.status, whole.status);
	for (unsigned i = 0; i < report.n_rows; i++)
		if (*event_string(report.rows[i], "portsnoop.probe") &&
		    (!is(event_string(report.rows[i], "portsnoop.self_test"), "skipped") ||
		     !strstr(event_string(report.rows[i], "portsnoop.self_test_reason"), "loopback")))
			scene_fail(scene, "%s is not skipped for want of loopback",
				   event_string(report.rows[i], "portsnoop.fact"));
	report_free(&report);
	report_free(&whole);
}

/* --- without privileges -----------------------------------------------------------------------------------
 */

/* Of the next run; prepare has no argument. */
static unsigned long dropped[3];
static unsigned n_dropped;

static int drop(void)
{
	for (unsigned i = 0; i < n_dropped; i++)
		if (cover_capability(dropped[i]))
			return -1;
	return 0;
}

static void without(struct scene *scene, const char *name, unsigned long capability, bool admin_too)
{
	const struct tool_run options = {.prepare = drop};
	struct report report;
	bool held;

	n_dropped = 0;
	dropped[n_dropped++] = capability;
	if (admin_too)
		dropped[n_dropped++] = CAP_SYS_ADMIN;
	report_run(scene, &report, &options);
	held = !is(event_string(report_row(scene, &report, "capability", name), "portsnoop.value"),
		   "not held");
	if (held && (admin_too || capability == CAP_SYS_ADMIN))
		scene_fail(scene, "%s is held nevertheless", name);
	report_compare(scene, &report, &options);
	scene_note(scene, "without %s%s: exit code %d", name, admin_too ? " and CAP_SYS_ADMIN" : "",
		   report.status);
	report_free(&report);
}

void doctor_without_privilege(struct scene *scene)
{
	const struct tool_run nobody = {.uid = NOBODY};
	struct report report;

	report_run(scene, &report, &nobody);
	if (report.status != UNUSABLE)
		scene_fail(scene, "an ordinary user can trace: %d", report.status);
	report_compare(scene, &report, &nobody);
	report_free(&report);
	without(scene, "CAP_BPF", CAP_BPF, false);
	without(scene, "CAP_BPF", CAP_BPF, true);
	without(scene, "CAP_PERFMON", CAP_PERFMON, false);
	without(scene, "CAP_PERFMON", CAP_PERFMON, true);
	without(scene, "CAP_NET_ADMIN", CAP_NET_ADMIN, false);
	without(scene, "CAP_NET_ADMIN", CAP_NET_ADMIN, true);
	without(scene, "CAP_SYS_ADMIN", CAP_SYS_ADMIN, false);
	without(scene, "CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH, true);
	without(scene, "CAP_SYS_PTRACE", CAP_SYS_PTRACE, true);
}

/* --- backends ---------------------------------------------------------------------------------------------
 */

/* What is not seen, with the error in brackets that doctor has. */
static void expect_remark(struct scene *scene, const char *remark, const char *reason)
{
	const char *error = strchr(reason, '(');

	if (!error || !strstr(remark, "not everything can be seen here") || !strstr(remark, error))
		scene_fail(scene, "doctor says '%s', trace: %s", reason, remark);
}

/* Forced: it works, in part with a remark, or fails with the reason that doctor gave. */
static void force(struct scene *scene, const struct report *report, const char *way)
{
	const json_t *row = report_row(scene, report, "way", way);
	bool whole = is(row_value(row), "works"), works = whole || is(row_value(row), "in part");
	struct tool_result result;
	json_t *ready = NULL;

	tool_run(scene, &result, NULL, "trace", "--json", "--backend", way, "--duration", "100ms", NULL);
	if (works != (result.status == 0))
		scene_fail(scene, "doctor says that %s %s, forced it ends with %d: %s", way, row_value(row),
			   result.status, result.err);
	if (works && !whole)
		expect_remark(scene, result.err, row_reason(row));
	if (whole) {
		ready = ready_of(scene, result.out_path);
		if (!is(event_string(ready, "portsnoop.backends.listen"), way))
			scene_fail(scene, "listens are told by '%s', not %s",
				   event_string(ready, "portsnoop.backends.listen"), way);
		json_decref(ready);
	} else if (!works && (result.status != UNUSABLE || !strstr(result.err, row_reason(row)))) {
		scene_fail(scene, "doctor says '%s', trace: %s", row_reason(row), result.err);
	}
	scene_note(scene, "%s %s%s%s", way, row_value(row), works ? "" : ": ", row_reason(row));
	tool_result_free(&result);
}

/* Where functions cannot be traced, each fact that they would tell says so, with the same reasons. */
static void check_refused(struct scene *scene, const struct report *report)
{
	const json_t *refusal;
	size_t place;

	for (unsigned i = 0; i < report->n_rows; i++) {
		json_array_foreach (event_at(report->rows[i], "portsnoop.refused"), place, refusal) {
			const char *name = event_string(refusal, "probe");
			const json_t *way = report_row(scene, report, "way", name);

			if (is(row_value(way), "works") ||
			    !is(event_string(refusal, "reason"), row_reason(way)))
				scene_fail(scene, "%s: refused because '%s', %s %s",
					   event_string(report->rows[i], "portsnoop.fact"),
					   event_string(refusal, "reason"), name, row_value(way));
		}
	}
}

void doctor_backend_truth(struct scene *scene)
{
	struct report report;

	report_run(scene, &report, NULL);
	force(scene, &report, "fentry");
	force(scene, &report, "kprobe");
	force(scene, &report, "tracepoint");
	check_refused(scene, &report);
	report_free(&report);
}

/* --- hooks that can be attached and do not fire -----------------------------------------------------------
 */

#define FTRACE "kernel/ftrace_enabled"

/* Functions can be traced by all again when this scenario is over, however it ends: then the pipe is closed.
 */
static void restore_at_end(struct scene *scene)
{
	int ends[2];
	char byte;

	scene_must(scene, pipe2(ends, O_CLOEXEC), "pipe");
	if (scene_must(scene, fork(), "fork"))
		return; /* with the writing end, as long as we live */
	setpgid(0, 0);
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 0)
		scene_set(scene, FTRACE, "1");
	_exit(0);
}

/* The ways to trace functions: a bit each for those that work. */
static unsigned working(struct scene *scene, const struct report *report)
{
	return (unsigned)is(row_value(report_row(scene, report, "way", "fentry")), "works") |
	       (unsigned)is(row_value(report_row(scene, report, "way", "kprobe")), "works") << 1;
}

static void force_both(struct scene *scene, const struct report *report)
{
	force(scene, report, "fentry");
	force(scene, report, "kprobe");
}

static void expect_switched_off(struct scene *scene, const struct report *report, unsigned worked)
{
	static const char *const ways[] = {"fentry", "kprobe"};

	for (unsigned i = 0; i < 2; i++) {
		const char *reason = row_reason(report_row(scene, report, "way", ways[i]));

		if (worked >> i & 1 && !strstr(reason, "kernel.ftrace_enabled is 0"))
			scene_fail(scene, "%s: %s", ways[i], reason);
	}
	if (working(scene, report))
		scene_fail(scene, "doctor believes that functions are traced");
	if (!is(row_status(report_row(scene, report, "setting", "kernel.ftrace_enabled")), "degraded"))
		scene_fail(scene, "kernel.ftrace_enabled is not called degraded");
}

/* The kernel lets functions be hooked and does not run the hook: nobody may rely on it, and doctor says why.
 */
void doctor_functions_silent(struct scene *scene)
{
	struct report report;
	unsigned worked;

	report_run(scene, &report, NULL);
	worked = working(scene, &report);
	report_free(&report);
	if (!worked)
		scene_skip(scene, "functions cannot be traced here");
	restore_at_end(scene);
	if (!scene_set(scene, FTRACE, "0"))
		scene_skip(scene, "tracing of functions cannot be switched off: %s", strerror(errno));
	report_run(scene, &report, NULL);
	expect_switched_off(scene, &report, worked);
	force_both(scene, &report);
	check_refused(scene, &report);
	expect_fired(scene, &report);
	report_compare(scene, &report, NULL);
	report_free(&report);
	/* Nothing was attached meanwhile that the kernel could stumble over: they can be traced again. */
	scene_must_set(scene, FTRACE, "1");
	report_run(scene, &report, NULL);
	force_both(scene, &report);
	expect_fired(scene, &report);
	if (working(scene, &report) != worked)
		scene_fail(scene, "functions cannot be traced any more");
	report_free(&report);
}

/* --- without mounts ---------------------------------------------------------------------------------------
 */

void doctor_without_cgroup2(struct scene *scene)
{
	const struct tool_run options = {.prepare = cover_cgroup2_for_good};
	struct report report;

	report_run(scene, &report, &options);
	if (report.status != 1 ||
	    !is(row_status(report_row(scene, &report, "mount", "cgroup2")), "degraded") ||
	    !is(row_status(report_row(scene, &report, "fact", "release")), "missing") ||
	    !is(event_string(report_row(scene, &report, "fact", "close"), "portsnoop.self_test"), "fired"))
		scene_fail(scene, "exit code %d; see %s", report.status, scene->out_dir);
	report_compare(scene, &report, &options);
	report_free(&report);
}

void doctor_without_btf(struct scene *scene)
{
	const struct tool_run options = {.prepare = cover_btf};
	struct report report;

	report_run(scene, &report, &options);
	if (report.status != UNUSABLE ||
	    !is(row_status(report_row(scene, &report, "kernel", "btf")), "missing"))
		scene_fail(scene, "exit code %d without BTF", report.status);
	report_compare(scene, &report, &options);
	report_free(&report);
}
