/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor_report.h"

#include "offer.h"

#include <stdio.h>
#include <string.h>

#define FACTS 12

/* --- reading ----------------------------------------------------------------------------------------------
 */

static void keep_row(struct scene *scene, const json_t *row, void *context)
{
	struct report *report = context;

	if (report->n_rows == REPORT_ROWS_MAX)
		scene_fail(scene, "more than %d rows", REPORT_ROWS_MAX);
	report->rows[report->n_rows++] = json_incref((json_t *)row);
}

/* The row of this kind and name; NULL without. */
static const json_t *find(const struct report *report, const char *kind, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "portsnoop.%s", kind);
	for (unsigned i = 0; i < report->n_rows; i++)
		if (!strcmp(event_string(report->rows[i], "row"), kind) &&
		    (!name || !strcmp(event_string(report->rows[i], path), name)))
			return report->rows[i];
	return NULL;
}

const json_t *report_row(struct scene *scene, const struct report *report, const char *kind, const char *name)
{
	const json_t *row = find(report, kind, name);

	if (!row)
		scene_fail(scene, "there is no row %s %s", kind, name ? name : "");
	return row;
}

const char *row_status(const json_t *row)
{
	return event_string(row, "portsnoop.status");
}

const char *row_reason(const json_t *row)
{
	return event_string(row, "portsnoop.reason");
}

const char *row_value(const json_t *row)
{
	return event_string(row, "portsnoop.value");
}

/* Whether it says that this command can start. */
static bool offers(struct scene *scene, const struct report *report, const char *command)
{
	const json_t *commands = event_at(report_row(scene, report, "verdict", NULL), "portsnoop.commands");
	json_t *item;
	size_t i;

	json_array_foreach (commands, i, item) {
		if (is(json_string_value(item), command))
			return true;
	}
	return false;
}

void report_free(struct report *report)
{
	for (unsigned i = 0; i < report->n_rows; i++)
		json_decref(report->rows[i]);
}

/* --- what holds of every report ---------------------------------------------------------------------------
 */

/* The verdict is what its rows say, and so is the exit status. */
static void check_sums(struct scene *scene, const struct report *report)
{
	const json_t *verdict = report_row(scene, report, "verdict", NULL);
	unsigned ok = 0, degraded = 0, missing = 0;

	for (unsigned i = 0; i < report->n_rows; i++) {
		if (!is(event_string(report->rows[i], "row"), "fact"))
			continue;
		ok += is(row_status(report->rows[i]), "ok");
		degraded += is(row_status(report->rows[i]), "degraded");
		missing += is(row_status(report->rows[i]), "missing");
	}
	if (ok + degraded + missing != FACTS || report->rows[report->n_rows - 1] != verdict)
		scene_fail(scene, "%u facts instead of %d, or the verdict is not last",
			   ok + degraded + missing, FACTS);
	if (ok != event_number(verdict, "portsnoop.facts.ok") ||
	    degraded != event_number(verdict, "portsnoop.facts.degraded") ||
	    missing != event_number(verdict, "portsnoop.facts.missing"))
		scene_fail(scene, "the verdict does not count %u, %u and %u", ok, degraded, missing);
	if (report->status == UNUSABLE ? !is(row_status(verdict), "unusable") || missing != FACTS
				       : report->status != (ok != FACTS) ||
						 !is(row_status(verdict), ok == FACTS ? "ok" : "degraded"))
		scene_fail(scene, "exit code %d with %s, %u ok", report->status, row_status(verdict), ok);
}

/* What is not ok has a reason. */
static void check_reasons(struct scene *scene, const struct report *report)
{
	for (unsigned i = 0; i < report->n_rows; i++) {
		const json_t *row = report->rows[i];
		bool fact = is(event_string(row, "row"), "fact");

		if (is(event_string(row, "row"), "verdict"))
			continue;
		if (fact ? is(row_status(row), "ok") == !!event_at(row, "portsnoop.unseen")
			 : !is(row_status(row), "ok") && !*row_reason(row))
			scene_fail(scene, "row %u: the reason does not fit the status %s", i,
				   row_status(row));
		if (fact && !is(event_string(row, "portsnoop.self_test"), "fired") &&
		    !*event_string(row, "portsnoop.self_test_reason"))
			scene_fail(scene, "row %u: no reason for the self-test", i);
	}
}

void report_run(struct scene *scene, struct report *report, const struct tool_run *options)
{
	struct tool_result result;
	char path[600];

	tool_run(scene, &result, options, "doctor", "--json", NULL);
	*report = (struct report){.status = result.status};
	if (result.err_length || !result.out_length)
		scene_fail(scene, "exit code %d, stderr: %s", result.status, result.err);
	tool_each_line(scene, result.out_path, keep_row, report);
	snprintf(path, sizeof(path), "%s.json", result.out_path); /* for the group `schema` */
	scene_must(scene, rename(result.out_path, path), "rename");
	tool_result_free(&result);
	check_sums(scene, report);
	check_reasons(scene, report);
	offer_kernel(scene, row_reason(report_row(scene, report, "verdict", NULL)));
}

/* --- compared with a trace --------------------------------------------------------------------------------
 */

static void keep_ready(struct scene *scene, const json_t *event, void *context)
{
	json_t **ready = context;

	if (is(event_string(event, "event_name"), "ready"))
		*ready = json_incref((json_t *)event);
}

json_t *ready_of(const struct scene *scene, const char *path)
{
	json_t *ready = NULL;

	tool_each_line(scene, path, keep_ready, &ready);
	return ready;
}

/* A fact that `ready` has is seen by the same hook; one that it has not is not wholly seen. */
static void compare_facts(struct scene *scene, const struct report *report, const json_t *ready)
{
	for (unsigned i = 0; i < report->n_rows; i++) {
		const json_t *row = report->rows[i];
		const char *fact = event_string(row, "portsnoop.fact");
		char path[96];

		if (!*fact)
			continue;
		snprintf(path, sizeof(path), "portsnoop.backends.%s", fact);
		if (!event_at(ready, path)
			    ? is(row_status(row), "ok")
			    : !is(event_string(ready, path), event_string(row, "portsnoop.probe")))
			scene_fail(scene, "%s: %s by '%s', but for a trace it is '%s'", fact, row_status(row),
				   event_string(row, "portsnoop.probe"), event_string(ready, path));
	}
}

/* What a trace does with the same privileges; where it does not start, for the same reason. */
void report_compare(struct scene *scene, const struct report *report, const struct tool_run *options)
{
	const char *reason = row_reason(report_row(scene, report, "verdict", NULL));
	struct tool_result result;
	json_t *ready = NULL;

	tool_run(scene, &result, options, "trace", "--json", "--duration", "100ms", NULL);
	if ((result.status == UNUSABLE) != (report->status == UNUSABLE) ||
	    (result.status == 0) != offers(scene, report, "trace"))
		scene_fail(scene, "doctor says %d, trace %d: %s", report->status, result.status, result.err);
	if (result.status == UNUSABLE &&
	    (!*reason || !strstr(result.err, reason) || !strstr(result.err, "portsnoop doctor tells more")))
		scene_fail(scene, "doctor says '%s', trace: %s", reason, result.err);
	if (result.status == 0) {
		ready = ready_of(scene, result.out_path);
		compare_facts(scene, report, ready);
		json_decref(ready);
	}
	tool_result_free(&result);
	tool_run(scene, &result, options, "ls", "--no-instance", NULL);
	if ((result.status == 0) != offers(scene, report, "ls"))
		scene_fail(scene, "ls ends with %d: %s", result.status, result.err);
	tool_result_free(&result);
}
