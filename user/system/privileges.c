/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct need {
	unsigned capability;
	bool admin_will_do; /* CAP_SYS_ADMIN stands in for it (capabilities(7)) */
	const char *name;
};

static const struct need need_bpf = {CAP_BPF, true, "CAP_BPF"};
static const struct need need_perfmon = {CAP_PERFMON, true, "CAP_PERFMON"};
static const struct need need_net_admin = {CAP_NET_ADMIN, true, "CAP_NET_ADMIN"};

static bool has(unsigned capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

/* Appends the name if it is missing; true when it is there. */
static bool check(const struct need *need, char *buf, size_t size)
{
	size_t length = strlen(buf);

	if (has(need->capability) || (need->admin_will_do && has(CAP_SYS_ADMIN)))
		return true;
	snprintf(buf + length, size - length, "%s%s", length ? ", " : "", need->name);
	return false;
}

bool privileges_for_walking(char *buf, size_t size)
{
	bool all = true;

	buf[0] = '\0';
	capng_get_caps_process();
	all &= check(&need_bpf, buf, size);
	all &= check(&need_perfmon, buf, size);
	return all;
}

bool privileges_for_tracing(char *buf, size_t size)
{
	bool all = privileges_for_walking(buf, size);

	/* cgroup programs: without CAP_NET_ADMIN they neither load nor attach. */
	return check(&need_net_admin, buf, size) && all;
}

bool privileges_have(unsigned capability)
{
	capng_get_caps_process();
	return has(capability);
}

static int drop(const unsigned capabilities[], size_t count)
{
	capng_get_caps_process();
	for (size_t i = 0; i < count; i++)
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
			     capabilities[i]);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

static const unsigned bpf_too[] = {CAP_BPF};

/* In a child, so that a no can be taken back. */
static bool works_without_bpf(bool (*works)(const void *context), const void *context)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(drop(bpf_too, 1) == 0 && works(context) ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int privileges_drop(bool (*works)(const void *context), const void *context)
{
	static const unsigned dropped[] = {
		CAP_PERFMON,   CAP_NET_ADMIN,	 CAP_SYS_ADMIN,	     CAP_SYS_MODULE, CAP_SYS_RAWIO,
		CAP_NET_RAW,   CAP_SYS_BOOT,	 CAP_SYS_TIME,	     CAP_MKNOD,	     CAP_SYS_CHROOT,
		CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_LINUX_IMMUTABLE};
	int error = drop(dropped, sizeof(dropped) / sizeof(dropped[0]));

	if (error)
		return error;
	return works_without_bpf(works, context) ? drop(bpf_too, 1) : 0;
}

/* Of those that there are. */
static int keep(const unsigned capabilities[], size_t count)
{
	bool had[8] = {false};

	capng_get_caps_process();
	for (size_t i = 0; i < count; i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, capabilities[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < count; i++)
		if (had[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, capabilities[i]);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

int privileges_drop_to_names(bool writes)
{
	static const unsigned kept[] = {CAP_BPF, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_DAC_OVERRIDE};

	return keep(kept, writes ? 4 : 3);
}

int privileges_drop_to_walking(void)
{
	static const unsigned kept[] = {CAP_BPF, CAP_PERFMON, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE,
					CAP_SYS_ADMIN};

	return keep(kept, sizeof(kept) / sizeof(kept[0]));
}

void privileges_drop_all(void)
{
	capng_clear(CAPNG_SELECT_CAPS);
	capng_apply(CAPNG_SELECT_CAPS);
}
