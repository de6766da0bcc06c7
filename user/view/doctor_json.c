/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of `doctor --json`, as docs/schema.json defines them. */
#include "core/errno_name.h"
#include "core/record.h"
#include "io/json_writer.h"
#include "view/doctor.h"
#include "view/json_parts.h"

/* Without text, nothing is written. */
static void put_text(struct json_writer *w, const char *key, const char *text)
{
	json_string(w, key, text && *text ? text : NULL);
}

static void row_begin(struct json_writer *w, const char *row)
{
	json_row_begin(w, row);
	json_object(w, "portsnoop");
}

static int row_print(struct json_writer *w, FILE *out)
{
	json_object_end(w);
	return json_row_print(w, out);
}

static int print_check(struct json_writer *w, FILE *out, const struct check *check)
{
	const char *section = check_section_name(check->section);

	row_begin(w, section);
	json_string(w, section, check->name);
	json_string(w, "status", health_name(check->health));
	put_text(w, "value", check->value);
	put_text(w, "purpose", check->purpose);
	put_text(w, "reason", check->reason);
	return row_print(w, out);
}

/* --- facts ------------------------------------------------------------------------------------------------
 */

static void put_refusal(struct json_writer *w, enum rec_probe probe, const char *reason, int error)
{
	json_object(w, NULL);
	json_string(w, "probe", record_probe_name(probe));
	json_string(w, "reason", reason);
	json_wrapped(w, "error", "type", errno_name(error));
	json_object_end(w);
}

static void put_refused(struct json_writer *w, const struct finding *finding)
{
	int functions = finding->functions_error, kprobes = finding->kprobes_error;
	char reason[FINDING_TEXT_MAX];

	json_array(w, "refused");
	if (functions)
		put_refusal(w, PROBE_FENTRY,
			    finding_functions_reason(functions, finding->functions_some, reason), functions);
	if (kprobes)
		put_refusal(w, PROBE_KPROBE, finding_kprobes_reason(kprobes, finding->kprobes_some, reason),
			    kprobes);
	json_array_end(w);
}

static void put_unseen(struct json_writer *w, unsigned fact, const struct finding *finding)
{
	char reason[FINDING_TEXT_MAX];

	if (!finding->n_gaps)
		return;
	json_array(w, "unseen");
	for (unsigned i = 0; i < finding->n_gaps; i++) {
		const struct gap *gap = &finding->gaps[i];

		json_object(w, NULL);
		json_string(w, "what", gap->what ? gap->what : finding_tells(fact));
		json_string(w, "reason", gap_reason(gap, reason));
		json_object_end(w);
	}
	json_array_end(w);
}

static int print_fact(struct json_writer *w, FILE *out, unsigned fact, const struct fact_state *state)
{
	const struct finding *finding = &state->finding;

	row_begin(w, "fact");
	json_string(w, "fact", record_fact_name(fact));
	if (finding->probe != PROBE_NONE)
		json_string(w, "probe", record_probe_name(finding->probe));
	json_string(w, "status", health_name(state->health));
	put_unseen(w, fact, finding);
	put_refused(w, finding);
	json_string(w, "cost", finding_functions_cost(finding, fact));
	json_string(w, "self_test", self_test_outcome_name(state->self_test.outcome));
	put_text(w, "self_test_reason", state->self_test.reason);
	return row_print(w, out);
}

/* --- the verdict ------------------------------------------------------------------------------------------
 */

static void put_commands(struct json_writer *w, unsigned can)
{
	json_array(w, "commands");
	if (can & CAN_TRACE) {
		json_string(w, NULL, "trace");
		json_string(w, NULL, "record");
		json_string(w, NULL, "wait");
	}
	if (can & CAN_LIST) {
		json_string(w, NULL, "ls");
		json_string(w, NULL, "who");
		json_string(w, NULL, "why");
		json_string(w, NULL, "ephemeral");
	}
	json_array_end(w);
}

static int print_verdict(struct json_writer *w, FILE *out, const struct diagnosis *diagnosis)
{
	row_begin(w, "verdict");
	json_string(w, "status",
		    diagnosis->health == HEALTH_MISSING ? "unusable" : health_name(diagnosis->health));
	put_text(w, "reason", diagnosis->obstacle);
	json_object(w, "facts");
	for (enum health health = HEALTH_OK; health <= HEALTH_MISSING; health++)
		json_uint(w, health_name(health), diagnosis->n_facts[health]);
	json_object_end(w);
	put_commands(w, diagnosis->can);
	json_array(w, "remedies");
	for (unsigned i = 0; i < diagnosis->n_remedies; i++)
		json_string(w, NULL, diagnosis->remedies[i]);
	json_array_end(w);
	return row_print(w, out);
}

int doctor_print_json(FILE *out, const struct diagnosis *diagnosis)
{
	struct json_writer w = {0};
	int error = 0;

	for (unsigned i = 0; i < diagnosis->n_checks && !error; i++)
		error = print_check(&w, out, &diagnosis->checks[i]);
	for (unsigned fact = 0; fact < FACT_COUNT && !error; fact++)
		error = print_fact(&w, out, fact, &diagnosis->facts[fact]);
	if (!error)
		error = print_verdict(&w, out, diagnosis);
	json_free(&w);
	return error;
}
