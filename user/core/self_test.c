/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/self_test.h"

#include "core/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void self_test_expect(struct self_test *test, struct expectation expectation)
{
	if (!(test->unhooked >> expectation.fact & 1) && test->n_expectations < EXPECTATIONS_MAX)
		test->expectations[test->n_expectations++] = expectation;
}

void self_test_skip(struct self_test *test, enum fact fact, const char *format, ...)
{
	va_list arguments;

	if (test->skipped[fact][0])
		return;
	va_start(arguments, format);
	vsnprintf(test->skipped[fact], sizeof(test->skipped[fact]), format, arguments);
	va_end(arguments);
}

/* --- records ----------------------------------------------------------------------------------------------
 */

/* Who we are to the kernel: our own name record says it, and our fork what it calls the child. */
static void learn_names(struct self_test *test, const struct record *record)
{
	const struct rec_process *process = (const void *)record->header;
	const struct rec_lifecycle *life = (const void *)record->header;

	if (record->header->kind == REC_PROCESS && process->pid_ns == test->pid_ns &&
	    process->ns_pid == test->pid && record->task)
		test->kernel_pid = record->task->pid;
	if (record->header->kind == REC_FORK && record->task && test->kernel_pid &&
	    record->task->pid == test->kernel_pid)
		test->kernel_child = life->child_pid;
}

static int error_of(const struct rec_header *header)
{
	switch (header->kind) {
	case REC_BIND:
		return ((const struct rec_bind *)header)->error;
	case REC_LISTEN:
		return ((const struct rec_listen *)header)->error;
	case REC_CONNECT:
		return ((const struct rec_connect *)header)->error;
	default:
		return 0;
	}
}

/* Whether it is about the socket of the act: what has no cookie is known by its ports. */
static bool is_about(const struct self_test *test, const struct expectation *expectation,
		     const struct record *record)
{
	const struct rec_socket *socket = record->socket;

	/* What is told only at the end was not seen by the hook. */
	if (expectation->kind != record->header->kind || record->header->flags & REC_F_LATE)
		return false;
	if (!record->fact)
		return expectation->actor == ACTOR_ANY ||
		       (record->task &&
			record->task->pid ==
				(expectation->actor == ACTOR_SELF ? test->kernel_pid : test->kernel_child));
	if (!socket || socket->netns != test->netns || socket->cookie != expectation->cookie)
		return false;
	return expectation->cookie ||
	       (socket->local_port == expectation->local_port && socket->peer_port == expectation->peer_port);
}

static bool is_right(const struct self_test *test, const struct expectation *expectation,
		     const struct record *record)
{
	uint32_t pid = expectation->actor == ACTOR_SELF ? test->kernel_pid : test->kernel_child;
	const struct rec_socket *socket = record->socket;

	if (expectation->actor != ACTOR_ANY && (!record->task || !pid || record->task->pid != pid))
		return false;
	if (error_of(record->header) != expectation->error)
		return false;
	return !socket || ((!expectation->local_port || socket->local_port == expectation->local_port) &&
			   (!expectation->peer_port || socket->peer_port == expectation->peer_port));
}

void self_test_see(struct self_test *test, const void *data, size_t size)
{
	struct record record;

	if (record_decode(data, size, &record))
		return;
	learn_names(test, &record);
	for (unsigned i = 0; i < test->n_expectations; i++) {
		struct expectation *expectation = &test->expectations[i];

		if (expectation->came || !is_about(test, expectation, &record))
			continue;
		expectation->came = is_right(test, expectation, &record);
		expectation->wrong = !expectation->came;
	}
}

/* --- results ----------------------------------------------------------------------------------------------
 */

bool self_test_is_over(const struct self_test *test)
{
	for (unsigned i = 0; i < test->n_expectations; i++)
		if (!test->expectations[i].came)
			return false;
	return true;
}

static struct self_test_result silent(const struct expectation *expectation)
{
	struct self_test_result result = {.outcome = SELF_TEST_SILENT};

	snprintf(result.reason, sizeof(result.reason), "%s: %s", expectation->act,
		 expectation->wrong ? "told with another port, error or process" : "no event");
	return result;
}

struct self_test_result self_test_result_of(const struct self_test *test, enum fact fact, bool gaps)
{
	struct self_test_result result = {.outcome = SELF_TEST_SKIPPED};
	const struct expectation *first_silent = NULL;
	unsigned n_came = 0;

	for (unsigned i = 0; i < test->n_expectations; i++) {
		const struct expectation *expectation = &test->expectations[i];

		if (expectation->fact != fact)
			continue;
		n_came += expectation->came;
		if (!expectation->came && (!first_silent || expectation->wrong))
			first_silent = expectation;
	}
	if (first_silent && (!gaps || !n_came || first_silent->wrong))
		return silent(first_silent);
	if (n_came)
		result.outcome = SELF_TEST_FIRED;
	else
		snprintf(result.reason, sizeof(result.reason), "%s",
			 test->unhooked >> fact & 1 ? "there is no hook"
			 : test->skipped[fact][0]   ? test->skipped[fact]
						    : "it was not tried");
	return result;
}

const char *self_test_outcome_name(enum self_test_outcome outcome)
{
	static const char *const names[] = {"skipped", "fired", "silent"};

	return names[outcome];
}
