/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/finding.h"

#include "core/errno_name.h"
#include "core/record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool gap_equal(const struct gap *a, const struct gap *b)
{
	if (a->cause != b->cause || a->error != b->error || !a->what != !b->what)
		return false;
	return !a->what || !strcmp(a->what, b->what);
}

void finding_add_gap(struct finding *finding, struct gap gap)
{
	for (unsigned i = 0; i < finding->n_gaps; i++)
		if (gap_equal(&finding->gaps[i], &gap))
			return;
	if (finding->n_gaps < FINDING_GAPS_MAX)
		finding->gaps[finding->n_gaps++] = gap;
}

/* --- words ------------------------------------------------------------------------------------------------
 */

static const char *words_of(enum cause cause)
{
	static const char *const words[] = {
		[CAUSE_KERNEL] = "not on this kernel",
		[CAUSE_CGROUP2] = "cgroup v2 is neither mounted nor mountable here",
		[CAUSE_TRACEFS] = "tracefs is neither mounted nor mountable here",
		[CAUSE_REFUSED] = "the kernel refuses the hook",
		[CAUSE_CONTAINER] = "cgroup programs see this container only",
		[CAUSE_32BIT] = "system-call tracepoints do not fire for 32-bit programs",
		[CAUSE_SILENT] = "the hook is attached, but did not fire in the self-test",
		[CAUSE_UNUSABLE] = "nothing can be traced here",
	};

	return words[cause];
}

const char *gap_reason(const struct gap *gap, char buf[FINDING_TEXT_MAX])
{
	bool unreadable = gap->cause == CAUSE_TRACEFS && gap->error == EACCES; /* it is mounted */
	const char *words = unreadable ? "tracefs may not be read" : words_of(gap->cause);

	if (gap->cause == CAUSE_KERNEL && gap->since)
		snprintf(buf, FINDING_TEXT_MAX, "%s (needs %s)", words, gap->since);
	else if (gap->error)
		snprintf(buf, FINDING_TEXT_MAX, "%s (%s)", words, errno_words(gap->error));
	else
		snprintf(buf, FINDING_TEXT_MAX, "%s", words);
	return buf;
}

static const char *function_error_words(int error)
{
	return error == FINDING_OFF	 ? "kernel.ftrace_enabled is 0"
	       : error == FINDING_SILENT ? "they can be hooked, but the hooks do not fire"
					 : errno_words(error);
}

const char *finding_functions_reason(int error, bool some, char buf[FINDING_TEXT_MAX])
{
	snprintf(buf, FINDING_TEXT_MAX, "this kernel does not let returns of %s be traced (%s)",
		 some ? "a function that would be needed" : "functions", function_error_words(error));
	return buf;
}

const char *finding_kprobes_reason(int error, bool some, char buf[FINDING_TEXT_MAX])
{
	snprintf(buf, FINDING_TEXT_MAX, "this kernel does not let %s be probed (%s)",
		 some ? "a function that would be needed" : "functions", function_error_words(error));
	return buf;
}

const char *finding_functions_cost(const struct finding *finding, unsigned fact)
{
	if (!finding->functions_error)
		return NULL;
	if (fact == FACT_AUTOBIND)
		return finding->by_cgroups ? "each send on an unconnected UDP socket is 0.3 µs slower while "
					     "portsnoop runs"
					   : NULL;
	return finding->by_syscalls
		       ? "every system call of this machine is a little slower while portsnoop runs"
		       : NULL;
}

const char *finding_tells(unsigned fact)
{
	static const char *const words[FACT_COUNT] = {
		[FACT_BIND] = "binds that succeed",
		[FACT_BIND_ERROR] = "binds that fail",
		[FACT_LISTEN] = "listens",
		[FACT_CONNECT] = "connects and their outcome",
		[FACT_ACCEPT] = "accepts",
		[FACT_AUTOBIND] = "UDP ports by send and connect",
		[FACT_CLOSE] = "ends of connections",
		[FACT_RELEASE] = "ends of other sockets; who let go",
		[FACT_REFUSE] = "SYNs to closed ports",
		[FACT_OVERFLOW] = "full accept queues",
		[FACT_IO_URING] = "calls through io_uring",
		[FACT_PROCESS] = "names of processes; fork, exec, exit",
	};

	return words[fact];
}

/* --- the remark -------------------------------------------------------------------------------------------
 */

static void append(char *buf, size_t size, const char *separator, const char *text)
{
	size_t length = strlen(buf);

	snprintf(buf + length, size - length, "%s%s", length ? separator : "", text);
}

static bool has_reason(const struct finding *finding, const char *reason)
{
	char text[FINDING_TEXT_MAX];

	for (unsigned i = 0; i < finding->n_gaps; i++)
		if (!strcmp(gap_reason(&finding->gaps[i], text), reason))
			return true;
	return false;
}

/* The facts with this reason, from the first one on; none when an earlier fact has told it. */
static void append_reason(const struct finding findings[FACT_COUNT], unsigned first, const char *reason,
			  char *buf, size_t size)
{
	char facts[FINDING_TEXT_MAX] = "";

	for (unsigned fact = 0; fact < first; fact++)
		if (has_reason(&findings[fact], reason))
			return;
	for (unsigned fact = first; fact < FACT_COUNT; fact++)
		if (has_reason(&findings[fact], reason))
			append(facts, sizeof(facts), ", ", record_fact_name(fact));
	append(buf, size, "; ", facts);
	append(buf, size, ": ", reason);
}

const char *findings_remark(const struct finding findings[FACT_COUNT], char *buf, size_t size)
{
	char reason[FINDING_TEXT_MAX], before[FINDING_TEXT_MAX];

	buf[0] = '\0';
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		const struct finding *finding = &findings[fact];

		before[0] = '\0';
		for (unsigned i = 0; i < finding->n_gaps; i++) {
			gap_reason(&finding->gaps[i], reason);
			if (strcmp(reason, before)) /* two parts may lack the same */
				append_reason(findings, fact, reason, buf, size);
			strcpy(before, reason);
		}
	}
	return buf;
}
