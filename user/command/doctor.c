/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor: what this machine allows, what a trace sees here, and proof of it. */
#include "command/doctor.h"

#include "command/command.h"
#include "command/sources.h"
#include "io/pager.h"
#include "source/live.h"
#include "source/snapshot.h"
#include "system/machine.h"
#include "system/privileges.h"
#include "view/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- looking ----------------------------------------------------------------------------------------------
 */

static const char *way_out(int error)
{
	if (error == -ENOENT)
		return "boot a kernel with CONFIG_DEBUG_INFO_BTF: those of Debian, Ubuntu and Fedora have it";
	if (error != -EPERM)
		return "portsnoop --verbose trace shows what the kernel says";
	if (!machine_is_initial_user_namespace())
		return "run it on the host: in this container's user namespace no capability counts for BPF";
	if (geteuid() != 0)
		return "run it as root: sudo portsnoop doctor";
	return "give it CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: this root has been left without (in docker: "
	       "--privileged)";
}

/* A trace as `trace` would begin it. 0, or a negative errno with *fault in words. */
static int trace(struct snapshot **ret_snapshot, struct live **ret_live, struct fault *fault)
{
	int error = kernel_fault(privileges_for_tracing, fault);

	return error ? error
		     : sources_open((struct live_options){.backend = BACKEND_AUTO},
				    (struct snapshot_options){.serves_trace = true}, ret_live, ret_snapshot,
				    fault);
}

static void look(struct diagnosis *diagnosis)
{
	struct snapshot *snapshot = NULL;
	struct live *live = NULL;
	struct fault fault = {0};
	int error;

	doctor_look_at_machine(diagnosis);
	doctor_try_ways(diagnosis);
	error = trace(&snapshot, &live, &fault);
	if (error) {
		snprintf(diagnosis->obstacle, sizeof(diagnosis->obstacle), "%s", fault.text);
		snprintf(diagnosis->way_out, sizeof(diagnosis->way_out), "%s", way_out(error));
	} else {
		diagnosis->can |= CAN_TRACE;
		doctor_test_facts(diagnosis, live, snapshot);
	}
	live_close(live);
	snapshot_close(snapshot);
	diagnosis_judge(diagnosis);
}

/* --- telling ----------------------------------------------------------------------------------------------
 */

static int print(const struct options *options, const struct diagnosis *diagnosis)
{
	const struct view_options view = view_options_of(options);
	struct pager pager;
	int error = pager_begin(&pager, stdout, !options->json && !options->no_pager);

	if (!error)
		error = pager_end(&pager, options->json ? doctor_print_json(pager.out, diagnosis)
							: doctor_print_text(pager.out, diagnosis, &view));
	return output_status(error);
}

static int status_of(const struct diagnosis *diagnosis)
{
	if (diagnosis->health == HEALTH_MISSING)
		return EXIT_UNSUPPORTED;
	return diagnosis->health == HEALTH_OK ? EXIT_DONE : EXIT_NEGATIVE;
}

int command_doctor(const struct options *options, char **words, size_t n_words)
{
	struct diagnosis *diagnosis;
	int status;

	if (n_words || options->child) {
		complain("doctor: nothing is expected behind it");
		return EXIT_USAGE;
	}
	diagnosis = calloc(1, sizeof(*diagnosis));
	if (!diagnosis) {
		complain("out of memory");
		return EXIT_INTERNAL;
	}
	look(diagnosis);
	status = print(options, diagnosis);
	if (!status)
		status = status_of(diagnosis);
	free(diagnosis);
	return status;
}
