/* SPDX-License-Identifier: GPL-2.0-only */
/* A diagnosis for people: what is there, what is seen, what is not and why, what to do. */
#include "core/record.h"
#include "view/doctor.h"

#include <string.h>

#define NAME_WIDTH 23
#define LONG_WIDTH 33 /* with verbose, settings stand there by their names */
#define FACT_WIDTH 12
#define HOOK_WIDTH 12
#define TEST_WIDTH 11

#define STYLE_RESET "\x1b[0m"
#define STYLE_TITLE "\x1b[1m"

struct paper {
	FILE *out;
	bool colour, verbose;
};

/* before: an empty line or nothing. */
static void title(const struct paper *paper, const char *before, const char *text)
{
	fprintf(paper->out, paper->colour ? "%s" STYLE_TITLE "%s" STYLE_RESET "\n" : "%s%s\n", before, text);
}

static const char *style_of(enum health health)
{
	static const char *const styles[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[33m"};

	return styles[health];
}

/* A word in the colour of its health, padded outside of it. */
static void put_word(const struct paper *paper, const char *word, int width, enum health health)
{
	int length = (int)strlen(word);

	if (paper->colour)
		fprintf(paper->out, "%s%s" STYLE_RESET, style_of(health), word);
	else
		fputs(word, paper->out);
	fprintf(paper->out, "%*s", width > length ? width - length : 0, "");
}

/* --- what was looked at -----------------------------------------------------------------------------------
 */

static void print_check(const struct paper *paper, const struct check *check)
{
	bool fine = check->health == HEALTH_OK;
	const char *value = *check->value ? check->value : fine ? "" : "cannot be known";

	fprintf(paper->out, "  %-*s ", paper->verbose ? LONG_WIDTH : NAME_WIDTH, check->name);
	if (fine)
		fputs(value, paper->out);
	else
		put_word(paper, value, 0, check->health);
	if (*check->reason)
		fprintf(paper->out, ": %s", check->reason);
	if (check->purpose && paper->verbose)
		fprintf(paper->out, " (%s)", check->purpose);
	fputc('\n', paper->out);
}

/* One by one, or with a line that says that all is well. */
static void print_section(const struct paper *paper, const struct diagnosis *diagnosis,
			  enum check_section section, const char *all_well, const char *name)
{
	bool told = false;

	for (unsigned i = 0; i < diagnosis->n_checks; i++) {
		const struct check *check = &diagnosis->checks[i];

		if (check->section != section || (all_well && !paper->verbose && check->health == HEALTH_OK))
			continue;
		print_check(paper, check);
		told = true;
	}
	if (!told && all_well) /* never with verbose */
		fprintf(paper->out, "  %-*s %s\n", NAME_WIDTH, name, all_well);
}

static void print_ways(const struct paper *paper, const struct diagnosis *diagnosis)
{
	title(paper, "\n", "WAYS TO LOOK");
	for (unsigned i = 0; i < diagnosis->n_checks; i++) {
		const struct check *check = &diagnosis->checks[i];

		if (check->section != SECTION_WAY)
			continue;
		fprintf(paper->out, "  %-*s ", FACT_WIDTH, check->name);
		put_word(paper, check->value, HOOK_WIDTH, check->health);
		fprintf(paper->out, "%s\n", check->purpose);
		if (*check->reason)
			fprintf(paper->out, "  %*s%s\n", FACT_WIDTH + HOOK_WIDTH + 1, "", check->reason);
	}
}

/* --- facts ------------------------------------------------------------------------------------------------
 */

static enum health health_of_test(enum self_test_outcome outcome)
{
	return outcome == SELF_TEST_FIRED    ? HEALTH_OK
	       : outcome == SELF_TEST_SILENT ? HEALTH_MISSING
					     : HEALTH_UNKNOWN;
}

static void print_fact(const struct paper *paper, unsigned fact, const struct fact_state *state)
{
	enum self_test_outcome outcome = state->self_test.outcome;

	fprintf(paper->out, "  %-*s %-*s", FACT_WIDTH, record_fact_name(fact), HOOK_WIDTH,
		state->finding.probe == PROBE_NONE ? "-" : record_probe_name(state->finding.probe));
	put_word(paper, self_test_outcome_name(outcome), TEST_WIDTH, health_of_test(outcome));
	put_word(paper, health_name(state->health), TEST_WIDTH, state->health);
	fprintf(paper->out, "%s\n", finding_tells(fact));
}

static void print_facts(const struct paper *paper, const struct diagnosis *diagnosis)
{
	title(paper, "\n", "FACTS        HOOK        SELF-TEST  STATUS     WHAT IT TELLS");
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		print_fact(paper, fact, &diagnosis->facts[fact]);
}

/* Whether an earlier gap had the same reason: then its group has this one, too. */
static bool is_told(const struct diagnosis *diagnosis, unsigned fact, unsigned gap, const char *reason)
{
	char before[FINDING_TEXT_MAX];

	for (unsigned i = 0; i <= fact; i++) {
		const struct finding *finding = &diagnosis->facts[i].finding;

		for (unsigned j = 0; j < (i < fact ? finding->n_gaps : gap); j++)
			if (!strcmp(gap_reason(&finding->gaps[j], before), reason))
				return true;
	}
	return false;
}

static void print_group(const struct paper *paper, const struct diagnosis *diagnosis, const char *reason)
{
	char heading[FINDING_TEXT_MAX + 32], other[FINDING_TEXT_MAX];

	snprintf(heading, sizeof(heading), "NOT SEEN: %s", reason);
	title(paper, "\n", heading);
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		const struct finding *finding = &diagnosis->facts[fact].finding;

		for (unsigned i = 0; i < finding->n_gaps; i++)
			if (!strcmp(gap_reason(&finding->gaps[i], other), reason))
				fprintf(paper->out, "  %-*s %s\n", FACT_WIDTH, record_fact_name(fact),
					finding->gaps[i].what ? finding->gaps[i].what : finding_tells(fact));
	}
}

static void print_unseen(const struct paper *paper, const struct diagnosis *diagnosis)
{
	char reason[FINDING_TEXT_MAX];

	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		for (unsigned i = 0; i < diagnosis->facts[fact].finding.n_gaps; i++)
			if (!is_told(diagnosis, fact, i,
				     gap_reason(&diagnosis->facts[fact].finding.gaps[i], reason)))
				print_group(paper, diagnosis, reason);
}

/* That what has no hook was not tested needs no words. */
static const char *test_remark(const struct fact_state *state)
{
	return state->finding.probe == PROBE_NONE ? "" : state->self_test.reason;
}

/* What befell every test is told once. */
static bool all_alike(const struct diagnosis *diagnosis)
{
	for (unsigned fact = 1; fact < FACT_COUNT; fact++)
		if (strcmp(diagnosis->facts[fact].self_test.reason, diagnosis->facts[0].self_test.reason))
			return false;
	return true;
}

static void print_tests(const struct paper *paper, const struct diagnosis *diagnosis)
{
	bool alike = all_alike(diagnosis), titled = false;

	for (unsigned fact = 0; fact < (alike ? 1 : FACT_COUNT); fact++) {
		const struct fact_state *state = &diagnosis->facts[fact];

		if (!*test_remark(state))
			continue;
		if (!titled)
			title(paper, "\n", "SELF-TEST");
		titled = true;
		fprintf(paper->out, "  %-*s %s: %s\n", FACT_WIDTH, alike ? "all" : record_fact_name(fact),
			self_test_outcome_name(state->self_test.outcome), test_remark(state));
	}
}

/* --- metrics ----------------------------------------------------------------------------------------------
 */

/* What `export` counts by a fact alone; NULL: nothing. */
static const char *metrics_of(unsigned fact)
{
	switch (fact) {
	case FACT_BIND:
		return "binds_total";
	case FACT_BIND_ERROR:
		return "bind_errors_total";
	case FACT_CONNECT:
		return "connects_total, connect_errors_total, connect_duration_seconds";
	case FACT_ACCEPT:
		return "accepts_total, accept_queue_seconds";
	case FACT_CLOSE:
		return "connections_closed_total, connection_duration_seconds, connection_bytes_total, "
		       "retransmits_total";
	case FACT_REFUSE:
		return "refused_connections_total";
	case FACT_OVERFLOW:
		return "accept_queue_overflows_total";
	default:
		return NULL;
	}
}

static void print_metrics(const struct paper *paper, const struct diagnosis *diagnosis)
{
	title(paper, "\n", "NOT AMONG THE METRICS (portsnoop_...)");
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		if (diagnosis->facts[fact].finding.probe == PROBE_NONE && metrics_of(fact))
			fprintf(paper->out, "  %-*s %s\n", FACT_WIDTH, record_fact_name(fact),
				metrics_of(fact));
	fprintf(paper->out, "  %-*s %s\n", FACT_WIDTH, "--no-events",
		"events_total, resyncs_total, resync_repairs_total: they need events");
}

/* --- the verdict ------------------------------------------------------------------------------------------
 */

/* What it costs that functions can be traced neither way, each once. */
static void print_costs(const struct paper *paper, const struct diagnosis *diagnosis)
{
	const char *before = NULL;

	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		const char *cost = finding_functions_cost(&diagnosis->facts[fact].finding, fact);

		if (cost && cost != before)
			fprintf(paper->out, "  Without fentry and kprobes %s.\n", cost);
		before = cost ? cost : before;
	}
}

static void print_verdict(const struct paper *paper, const struct diagnosis *diagnosis)
{
	title(paper, "\n", "VERDICT");
	fputs("  ", paper->out);
	if (diagnosis->health == HEALTH_MISSING) {
		put_word(paper, "unusable", 0, HEALTH_MISSING);
		fprintf(paper->out, ": %s\n", diagnosis->obstacle);
		if (diagnosis->can & CAN_LIST)
			fputs("  ls, who, why and ephemeral work.\n", paper->out);
	} else if (diagnosis->health == HEALTH_OK) {
		put_word(paper, "ok", 0, HEALTH_OK);
		fputs(": everything can be seen here\n", paper->out);
	} else {
		put_word(paper, "degraded", 0, HEALTH_DEGRADED);
		fprintf(paper->out, ": of %d facts %u are seen whole, %u in part, %u not at all\n",
			FACT_COUNT, diagnosis->n_facts[HEALTH_OK], diagnosis->n_facts[HEALTH_DEGRADED],
			diagnosis->n_facts[HEALTH_MISSING]);
	}
	print_costs(paper, diagnosis);
	for (unsigned i = 0; i < diagnosis->n_remedies; i++)
		fprintf(paper->out, "  → %s\n", diagnosis->remedies[i]);
}

int doctor_print_text(FILE *out, const struct diagnosis *diagnosis, const struct view_options *options)
{
	const struct paper paper = {.out = out, .colour = options->colour, .verbose = options->verbose};

	title(&paper, "", "MACHINE");
	print_section(&paper, diagnosis, SECTION_KERNEL, NULL, NULL);
	print_section(&paper, diagnosis, SECTION_MOUNT, NULL, NULL);
	print_section(&paper, diagnosis, SECTION_CAPABILITY, "all that matter", "capabilities");
	print_section(&paper, diagnosis, SECTION_SETTING, "none in the way", "settings");
	print_ways(&paper, diagnosis);
	if (diagnosis->can & CAN_TRACE) {
		print_facts(&paper, diagnosis);
		print_unseen(&paper, diagnosis);
		print_tests(&paper, diagnosis);
		print_metrics(&paper, diagnosis);
	}
	print_verdict(&paper, diagnosis);
	return 0;
}
