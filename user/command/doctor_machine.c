/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor: kernel, capabilities, settings and mounts, and what each means for a trace. */
#include "command/doctor.h"
#include "system/machine.h"
#include "system/mounts.h"
#include "system/privileges.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* value and reason are copied; either may be NULL. */
static void note(struct diagnosis *diagnosis, enum check_section section, const char *name,
		 enum health health, const char *value, const char *reason)
{
	struct check *check = diagnosis_check(diagnosis, section, name, health);

	snprintf(check->value, sizeof(check->value), "%s", value ? value : "");
	snprintf(check->reason, sizeof(check->reason), "%s", reason ? reason : "");
}

/* --- the kernel -------------------------------------------------------------------------------------------
 */

static void look_at_lockdown(struct diagnosis *diagnosis)
{
	char mode[32], reason[128];
	int error = machine_lockdown(mode, sizeof(mode));

	if (error == -ENODEV) {
		note(diagnosis, SECTION_KERNEL, "lockdown", HEALTH_OK, "not there", NULL);
	} else if (error) {
		snprintf(reason, sizeof(reason), "securityfs is not mounted, and cannot be (%s)",
			 strerror(-error));
		note(diagnosis, SECTION_KERNEL, "lockdown", HEALTH_UNKNOWN, NULL, reason);
	} else if (!strcmp(mode, "confidentiality")) {
		note(diagnosis, SECTION_KERNEL, "lockdown", HEALTH_MISSING, mode,
		     "lets no program read kernel memory, so nothing can be traced");
	} else {
		note(diagnosis, SECTION_KERNEL, "lockdown", HEALTH_OK, mode, NULL);
	}
}

static void look_at_kernel(struct diagnosis *diagnosis)
{
	char value[2 * sizeof(((struct utsname *)0)->release) + 2];
	struct utsname kernel;

	if (uname(&kernel) == 0) {
		snprintf(value, sizeof(value), "%s %s", kernel.release, kernel.machine);
		note(diagnosis, SECTION_KERNEL, "release", HEALTH_OK, value, NULL);
	}
	if (access(BTF_PATH, R_OK) == 0)
		note(diagnosis, SECTION_KERNEL, "btf", HEALTH_OK, BTF_PATH, NULL);
	else
		note(diagnosis, SECTION_KERNEL, "btf", HEALTH_MISSING, "not there",
		     "no type information: the kernel was built without CONFIG_DEBUG_INFO_BTF, or "
		     "/sys/kernel/btf "
		     "is hidden; nothing works without it");
	look_at_lockdown(diagnosis);
	diagnosis->runs_32bit = machine_runs_32bit();
	note(diagnosis, SECTION_KERNEL, "32-bit programs", HEALTH_OK,
	     diagnosis->runs_32bit ? "can run" : "cannot run", NULL);
	if (machine_is_initial_user_namespace())
		note(diagnosis, SECTION_KERNEL, "user namespace", HEALTH_OK, "initial", NULL);
	else
		note(diagnosis, SECTION_KERNEL, "user namespace", HEALTH_MISSING, "a container's",
		     "capabilities that are held in it do not count for BPF");
}

/* --- capabilities -----------------------------------------------------------------------------------------
 */

static const struct capability {
	const char *name, *purpose;
	unsigned number;
	bool admin_will_do;  /* CAP_SYS_ADMIN stands in for it */
	enum health without; /* when it is not held */
	const char *cost;
} capabilities[] = {
	{"CAP_BPF", "to load programs: trace, ls and who", CAP_BPF, true, HEALTH_MISSING,
	 "nothing can be traced or listed"},
	{"CAP_PERFMON", "to read kernel memory and attach tracepoints: trace, ls and who", CAP_PERFMON, true,
	 HEALTH_MISSING, "nothing can be traced or listed"},
	{"CAP_NET_ADMIN", "for programs on control groups: trace", CAP_NET_ADMIN, true, HEALTH_MISSING,
	 "nothing can be traced; ls, who and ephemeral work"},
	{"CAP_SYS_ADMIN",
	 "to enter other network namespaces; to mount cgroup v2 and tracefs where they are not",
	 CAP_SYS_ADMIN, false, HEALTH_DEGRADED,
	 "sockets in other network namespaces that nobody holds are not listed; holders are"},
	{"CAP_SYS_PTRACE", "to look at other processes: their executables and network namespaces",
	 CAP_SYS_PTRACE, false, HEALTH_DEGRADED,
	 "executables of processes that ran before are not known, and their network namespaces not entered"},
	{"CAP_DAC_READ_SEARCH", "to find control groups by their number, and to read tracefs when not root",
	 CAP_DAC_READ_SEARCH, false, HEALTH_DEGRADED, "containers, pods and units are not named"},
	{"CAP_SYS_RESOURCE", "to lift RLIMIT_MEMLOCK below Linux 5.11", CAP_SYS_RESOURCE, false, HEALTH_OK,
	 "which costs nothing since 5.11"},
};

static void look_at_capabilities(struct diagnosis *diagnosis)
{
	bool count = machine_is_initial_user_namespace(), admin = count && privileges_have(CAP_SYS_ADMIN);

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		const struct capability *capability = &capabilities[i];
		bool held = count && privileges_have(capability->number);
		bool replaced = !held && capability->admin_will_do && admin;
		struct check *check = diagnosis_check(diagnosis, SECTION_CAPABILITY, capability->name,
						      held || replaced ? HEALTH_OK : capability->without);

		check->purpose = capability->purpose;
		snprintf(check->value, sizeof(check->value), "%s",
			 held	    ? "held"
			 : replaced ? "CAP_SYS_ADMIN stands in"
				    : "not held");
		if (!held && !replaced)
			snprintf(check->reason, sizeof(check->reason), "%s", capability->cost);
	}
}

/* --- settings ---------------------------------------------------------------------------------------------
 */

static const struct setting {
	const char *name, *purpose;
	enum health zero; /* what it means that it is 0, and what that costs */
	const char *cost;
} settings[] = {
	{"kernel.perf_event_paranoid",
	 "who may use tracepoints; CAP_PERFMON may always, above 2 on Debian only CAP_SYS_ADMIN", HEALTH_OK,
	 NULL},
	{"kernel.unprivileged_bpf_disabled", "who may use bpf(2); CAP_BPF may always", HEALTH_OK, NULL},
	{"net.core.bpf_jit_enable", "whether programs run as machine code", HEALTH_MISSING,
	 "programs are interpreted, and the kernel refuses those that cannot be: iterators among them"},
	{"kernel.ftrace_enabled", "whether functions can be traced", HEALTH_DEGRADED,
	 "hooks on functions do not fire, anybody's"},
	{"kernel.io_uring_disabled", "who may use io_uring", HEALTH_OK, NULL},
};

static void look_at_setting(struct diagnosis *diagnosis, const struct setting *setting)
{
	struct check *check = diagnosis_check(diagnosis, SECTION_SETTING, setting->name, HEALTH_OK);
	int64_t value = 0;
	int error = machine_setting(setting->name, &value);

	check->purpose = setting->purpose;
	if (error == -ENOENT) {
		snprintf(check->value, sizeof(check->value), "not on this kernel");
	} else if (error) {
		check->health = HEALTH_UNKNOWN;
		snprintf(check->reason, sizeof(check->reason), "cannot be read (%s)", strerror(-error));
	} else {
		snprintf(check->value, sizeof(check->value), "%" PRId64, value);
	}
	if (error || value || setting->zero == HEALTH_OK)
		return;
	check->health = setting->zero;
	snprintf(check->reason, sizeof(check->reason), "%s", setting->cost);
	diagnosis_advise(diagnosis, "sysctl -w %s=1", setting->name);
}

/* Since 5.11 BPF memory is counted for the control group (memcg), not against this. */
static void look_at_memlock(struct diagnosis *diagnosis)
{
	struct check *check = diagnosis_check(diagnosis, SECTION_SETTING, "RLIMIT_MEMLOCK", HEALTH_OK);
	struct rlimit limit;

	check->purpose = "limits BPF memory below Linux 5.11 only";
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		check->health = HEALTH_UNKNOWN;
	else if (limit.rlim_cur == RLIM_INFINITY)
		snprintf(check->value, sizeof(check->value), "unlimited");
	else
		snprintf(check->value, sizeof(check->value), "%llu kB",
			 (unsigned long long)limit.rlim_cur / 1024);
}

/* --- mounts -----------------------------------------------------------------------------------------------
 */

static void look_at_cgroup2(struct diagnosis *diagnosis)
{
	int fd = mounts_open_cgroup2(&diagnosis->host);
	char reason[160];

	if (fd < 0) {
		snprintf(reason, sizeof(reason), "neither mounted nor mountable here (%s)", strerror(-fd));
		note(diagnosis, SECTION_MOUNT, "cgroup2", HEALTH_DEGRADED, "not there", reason);
		diagnosis->host = true; /* what is left sees the machine */
		return;
	}
	close(fd);
	if (diagnosis->host)
		note(diagnosis, SECTION_MOUNT, "cgroup2", HEALTH_OK, "the whole machine's", NULL);
	else
		note(diagnosis, SECTION_MOUNT, "cgroup2", HEALTH_DEGRADED, "this container's",
		     "programs on it see this container only");
}

static void look_at_tracefs(struct diagnosis *diagnosis)
{
	int fd = mounts_open_tracefs();
	char reason[160];

	if (fd >= 0) {
		note(diagnosis, SECTION_MOUNT, "tracefs", HEALTH_OK, "can be read", NULL);
		close(fd);
		return;
	}
	snprintf(reason, sizeof(reason),
		 fd == -EACCES ? "may not be read (%s)" : "neither mounted nor mountable here (%s)",
		 strerror(-fd));
	note(diagnosis, SECTION_MOUNT, "tracefs", HEALTH_DEGRADED, "not there", reason);
}

void doctor_look_at_machine(struct diagnosis *diagnosis)
{
	look_at_kernel(diagnosis);
	look_at_capabilities(diagnosis);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		look_at_setting(diagnosis, &settings[i]);
	look_at_memlock(diagnosis);
	look_at_cgroup2(diagnosis);
	look_at_tracefs(diagnosis);
}
