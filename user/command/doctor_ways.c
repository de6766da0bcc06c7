/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor: each kind of hook, tried here and now, whether a trace would use it or not. */
#include "command/doctor.h"

#include "command/command.h"
#include "core/errno_name.h"
#include "source/kprobes.h"
#include "source/snapshot.h"
#include "source/trials.h"
#include "system/mounts.h"
#include "system/privileges.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static struct check *note(struct diagnosis *diagnosis, const char *name, const char *purpose, int error)
{
	struct check *check =
		diagnosis_check(diagnosis, SECTION_WAY, name, error ? HEALTH_DEGRADED : HEALTH_OK);

	check->purpose = purpose;
	snprintf(check->value, sizeof(check->value), "%s", error ? "refused" : "works");
	return check;
}

/* Whether it works. */
static bool try_fentry(struct diagnosis *diagnosis)
{
	int error = trial_fentry();
	struct check *check = note(diagnosis, "fentry", "returns of kernel functions: the best way", error);
	char reason[FINDING_TEXT_MAX];

	if (error)
		snprintf(check->reason, sizeof(check->reason), "%s",
			 finding_functions_reason(-error, false, reason));
	return !error;
}

/* Not missed where the better way works. */
static void try_kprobe(struct diagnosis *diagnosis, bool missed)
{
	int error = kprobes_probe();
	struct check *check =
		note(diagnosis, "kprobe", "breakpoints in kernel functions: the next best", error);
	char reason[FINDING_TEXT_MAX];

	if (error)
		snprintf(check->reason, sizeof(check->reason), "%s",
			 finding_kprobes_reason(-error, false, reason));
	if (!missed)
		check->health = HEALTH_OK;
}

/* Typed ones are what nothing works without; those of system calls need tracefs. */
static void try_tracepoints(struct diagnosis *diagnosis)
{
	int tracefs_fd = mounts_open_tracefs(), error = trial_typed_tracepoint();
	bool typed = !error;
	struct check *check;

	if (typed)
		error = trial_syscall_tracepoint(tracefs_fd);
	check = note(diagnosis, "tracepoint", "tracepoints of the kernel and of system calls", error);
	if (error && !typed) {
		check->health = HEALTH_MISSING;
		snprintf(check->reason, sizeof(check->reason), "the kernel refuses them (%s)",
			 errno_words(-error));
	} else if (error) {
		snprintf(check->value, sizeof(check->value), "in part");
		snprintf(check->reason, sizeof(check->reason), "those of system calls are refused (%s)",
			 errno_words(-error));
	}
	if (tracefs_fd >= 0)
		close(tracefs_fd);
}

static void try_cgroup(struct diagnosis *diagnosis)
{
	bool host;
	int fd = mounts_open_cgroup2(&host), error = trial_cgroup(fd);
	struct check *check = note(diagnosis, "cgroup", "programs on control groups", error);

	if (error)
		snprintf(check->reason, sizeof(check->reason), "%s (%s)",
			 fd < 0 ? "cgroup v2 is neither mounted nor mountable here"
				: "the kernel refuses them",
			 errno_words(-error));
	if (fd >= 0)
		close(fd);
}

/* As ls does it, which asks for privileges and types first. */
static void try_iterators(struct diagnosis *diagnosis)
{
	const struct snapshot_options options = {.lean = true};
	struct snapshot *snapshot = NULL;
	struct fault fault = {0};
	bool asked = kernel_fault(privileges_for_walking, &fault) == 0;
	int error = snapshot_open(&options, &snapshot, &fault);
	struct check *check = note(diagnosis, "iterator",
				   "lists of sockets and descriptors: ls, who, what was before", error);

	if (error) {
		check->health = HEALTH_MISSING;
		snprintf(check->reason, sizeof(check->reason), "the kernel refuses them (%s)",
			 errno_words(-error));
	} else if (asked) {
		diagnosis->can |= CAN_LIST;
	}
	snapshot_close(snapshot);
}

void doctor_try_ways(struct diagnosis *diagnosis)
{
	try_kprobe(diagnosis, !try_fentry(diagnosis));
	try_tracepoints(diagnosis);
	try_cgroup(diagnosis);
	try_iterators(diagnosis);
}
