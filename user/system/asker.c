/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/asker.h"

#include "system/mounts.h"
#include "system/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMESPACE_DEPTH 34 /* the kernel nests 32 */

/* --- rights -----------------------------------------------------------------------------------------------
 */

static bool is_same_namespace(int a, int b)
{
	struct stat first, second;

	return !fstat(a, &first) && !fstat(b, &second) && first.st_ino == second.st_ino &&
	       first.st_dev == second.st_dev;
}

static bool owns_child(int child_fd, int own_fd, uint32_t euid)
{
	int parent = ioctl(child_fd, NS_GET_PARENT);
	uint32_t owner;
	bool owns = parent >= 0 && is_same_namespace(parent, own_fd) &&
		    !ioctl(child_fd, NS_GET_OWNER_UID, &owner) && owner == euid;

	if (parent >= 0)
		close(parent);
	return owns;
}

/*
 * cap_capable(): in its own namespace it has what it has; so it does in those below, and all of them in one
 * that its user made. Owners are told as this process's namespace has them.
 */
static bool is_capable(int own_fd, int target_fd, bool effective, uint32_t euid)
{
	int at = fcntl(target_fd, F_DUPFD_CLOEXEC, 0), parent;
	bool capable = false;

	for (int i = 0; at >= 0 && i < NAMESPACE_DEPTH; i++) {
		if (is_same_namespace(at, own_fd)) {
			capable = effective;
			break;
		}
		if (owns_child(at, own_fd, euid)) {
			capable = true;
			break;
		}
		parent = ioctl(at, NS_GET_PARENT);
		close(at);
		at = parent;
	}
	if (at >= 0)
		close(at);
	return capable;
}

static bool may_bind_low(int proc_fd, int netns_fd, bool effective, uint32_t euid)
{
	int own = openat(proc_fd, "ns/user", O_RDONLY | O_CLOEXEC);
	int target = ioctl(netns_fd, NS_GET_USERNS);
	bool may = own >= 0 && target >= 0 && is_capable(own, target, effective, euid);

	if (own >= 0)
		close(own);
	if (target >= 0)
		close(target);
	return may;
}

/* --- /proc/PID --------------------------------------------------------------------------------------------
 */

static const char *line_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : "";
}

static int read_status(int proc_fd, int netns_fd, struct asker *asker)
{
	char status[8192];
	uint32_t euid;
	uint64_t effective;
	unsigned seccomp = 0, no_new_privs = 0;
	ssize_t length = proc_read_at(proc_fd, "status", status, sizeof(status));

	if (length < 0)
		return (int)length;
	if (sscanf(line_of(status, "\nUid:"), "%*u %" SCNu32 " %*u %" SCNu32, &euid, &asker->uid) != 2 ||
	    sscanf(line_of(status, "\nCapEff:"), "%" SCNx64, &effective) != 1)
		return -EBADMSG;
	sscanf(line_of(status, "\nSeccomp:"), "%u", &seccomp);
	sscanf(line_of(status, "\nNoNewPrivs:"), "%u", &no_new_privs);
	asker->seccomp = seccomp != 0;
	asker->no_new_privs = no_new_privs != 0;
	asker->privileged = may_bind_low(proc_fd, netns_fd, effective >> CAP_NET_BIND_SERVICE & 1, euid);
	return 0;
}

static bool is_unconfined(const char *label)
{
	return !*label || !strncmp(label, "unconfined", 10) || strstr(label, ":unconfined_t") ||
	       !strcmp(label, "_") /* Smack's floor */ || !strcmp(label, "kernel");
}

static void read_label(int proc_fd, struct asker *asker)
{
	char label[sizeof(asker->label)];

	if (proc_read_at(proc_fd, "attr/current", label, sizeof(label)) < 0)
		return;
	label[strcspn(label, "\n")] = '\0';
	if (!is_unconfined(label))
		memcpy(asker->label, label, sizeof(label));
}

static void read_cgroup(int proc_fd, struct asker *asker)
{
	char text[ASKER_PATH_MAX];
	const char *at;

	if (proc_read_at(proc_fd, "cgroup", text, sizeof(text)) < 0)
		return;
	at = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	if (!at)
		return;
	at = strchr(at, '/');
	if (at)
		snprintf(asker->cgroup, sizeof(asker->cgroup), "%.*s", (int)strcspn(at, "\n"), at);
}

int asker_read(uint32_t pid, int netns_fd, struct asker *ret_asker)
{
	struct asker asker = {0};
	char path[32];
	int fd, error;

	snprintf(path, sizeof(path), "/proc/%" PRIu32, pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	error = read_status(fd, netns_fd, &asker);
	if (!error) {
		read_label(fd, &asker);
		read_cgroup(fd, &asker);
		*ret_asker = asker;
	}
	close(fd);
	return error == -ENOENT ? -ESRCH : error;
}

bool asker_kernel_has_lsm(const char *name)
{
	int fd = mounts_open_securityfs();
	size_t length = strlen(name);
	char list[512] = "";

	if (fd < 0)
		return false;
	proc_read_at(fd, "lsm", list, sizeof(list));
	close(fd);
	for (const char *at = list; (at = strstr(at, name)); at += length)
		if ((at == list || at[-1] == ',') && (!at[length] || at[length] == ',' || at[length] == '\n'))
			return true;
	return false;
}
