/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/why_asked.h"

#include "command/command.h"
#include "command/netns_choice.h"
#include "source/bind_restraints.h"
#include "system/bind_probe.h"
#include "system/lookup.h"
#include "system/netns.h"
#include "system/proc.h"
#include "system/vrf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- whose ------------------------------------------------------------------------------------------------
 */

static int read_uid(const char *word, uint32_t *ret_uid)
{
	unsigned long long number;
	char *end;

	if (*word < '0' || *word > '9')
		return lookup_user_id(word, ret_uid);
	errno = 0;
	number = strtoull(word, &end, 10);
	if (errno || *end || number >= UINT32_MAX)
		return -ENOENT;
	*ret_uid = (uint32_t)number;
	return 0;
}

static bind_doubts doubts_of(const struct asker *asker)
{
	bind_doubts doubts = 0;

	if (asker->seccomp)
		doubts |= 1u << DOUBT_SECCOMP;
	if (asker->label[0])
		doubts |= 1u << DOUBT_LSM;
	if (asker->no_new_privs && asker_kernel_has_lsm("landlock"))
		doubts |= 1u << DOUBT_LANDLOCK;
	return doubts;
}

static int complain_of_pid(const struct options *options, int error)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%" PRIu64, options->pid);
	return netns_choice_complain("--pid", pid, "process", error);
}

/* Nobody in particular: root may all, nobody else may what needs a right; nothing confines it. */
static int read_asker(const struct options *options, int netns_fd, struct why_asked *asked)
{
	uint32_t pid = options->pid <= INT32_MAX ? (uint32_t)options->pid : 0;
	int error = asker_read(pid ? pid : (uint32_t)getpid(), netns_fd, &asked->asker);

	if (options->pid && (!pid || error))
		return complain_of_pid(options, pid ? error : -ESRCH);
	asked->wish.uid = pid ? asked->asker.uid : geteuid();
	if (options->uid && read_uid(options->uid, &asked->wish.uid)) {
		complain("--uid %s: there is no such user", options->uid);
		return EXIT_USAGE;
	}
	asked->wish.privileged = pid ? asked->asker.privileged : asked->wish.uid == 0;
	if (pid)
		asked->doubts = doubts_of(&asked->asker);
	return EXIT_DONE;
}

/* --- the bind ---------------------------------------------------------------------------------------------
 */

/* Without an address it is for all of them, of both families where there are two. */
static void read_wish(const struct options *options, const struct port_spec *spec, struct bind_wish *wish)
{
	bool any = !spec->address.family;

	wish->port = spec->port;
	wish->protocol = spec->protocol == IPPROTO_UDP || spec->protocol == IPPROTO_SCTP ? spec->protocol
											 : IPPROTO_TCP;
	wish->reuseaddr = options->reuseaddr;
	wish->reuseport = options->reuseport;
	wish->family = any ? AF_INET6 : spec->address.family;
	memcpy(wish->addr, spec->address.addr, sizeof(wish->addr));
	wish->v6only = wish->family == AF_INET6 && (options->v6only || (!any && bind_probe_v6only_default()));
}

static int probe(struct bind_wish *wish, int *ret_fd)
{
	struct bind_probe what = {.family = wish->family,
				  .protocol = wish->protocol,
				  .device = wish->device,
				  .v6only = wish->v6only};

	memcpy(what.addr, wish->addr, sizeof(what.addr));
	return bind_probe(&what, ret_fd, &wish->address_error);
}

/* Without IPv6, all addresses are those of IPv4. */
static int ask_kernel(const struct port_spec *spec, struct why_asked *asked)
{
	int error = probe(&asked->wish, &asked->socket_fd);

	if (error == -EAFNOSUPPORT && !spec->address.family) {
		asked->wish.family = AF_INET;
		error = probe(&asked->wish, &asked->socket_fd);
	}
	if (!error)
		return EXIT_DONE;
	complain("cannot make such a socket: %s", strerror(-error));
	return EXIT_UNSUPPORTED;
}

static int read_device(const struct options *options, struct why_asked *asked)
{
	int error;

	if (!options->device)
		return EXIT_DONE;
	asked->wish.device = if_nametoindex(options->device);
	if (!asked->wish.device) {
		complain("--device %s: there is no such interface in that network namespace",
			 options->device);
		return EXIT_USAGE;
	}
	error = asked->wish.protocol == IPPROTO_TCP ? vrf_of_device(asked->wish.device, &asked->l3mdev) : 0;
	if (!error)
		return EXIT_DONE;
	complain("cannot find out whether %s is of a VRF: %s", options->device, strerror(-error));
	return EXIT_UNSUPPORTED;
}

static int look_there(const struct options *options, const struct port_spec *spec, struct why_asked *asked)
{
	int status;

	read_wish(options, spec, &asked->wish);
	if (asked->wish.protocol == IPPROTO_SCTP) {
		asked->doubts |= 1u << DOUBT_PROTOCOL;
		return EXIT_DONE;
	}
	status = read_device(options, asked);
	return status ? status : ask_kernel(spec, asked);
}

/* --- where ------------------------------------------------------------------------------------------------
 */

/* The one that is named, a process's, or our own. Complains. EXIT_DONE, EXIT_USAGE or EXIT_UNSUPPORTED. */
static int open_netns(const struct options *options, int *ret_fd)
{
	char pid[24];
	int fd;

	snprintf(pid, sizeof(pid), "%" PRIu64, options->pid);
	if (options->netns)
		fd = netns_open(options->netns);
	else
		fd = options->pid ? netns_open(pid) : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	*ret_fd = fd;
	if (fd >= 0)
		return EXIT_DONE;
	if (options->netns)
		return netns_choice_complain("--netns", options->netns, "network namespace", fd);
	if (options->pid)
		return complain_of_pid(options, fd);
	complain("cannot open the own network namespace: %s", strerror(errno));
	return EXIT_UNSUPPORTED;
}

static int look_inside(const struct options *options, const struct port_spec *spec, int netns_fd, int home_fd,
		       struct why_asked *asked)
{
	bool away = asked->netns != proc_netns();
	int status;

	if (away && setns(netns_fd, CLONE_NEWNET)) {
		complain("cannot enter that network namespace: %s", strerror(errno));
		return EXIT_UNSUPPORTED;
	}
	status = look_there(options, spec, asked);
	if (away && setns(home_fd, CLONE_NEWNET)) {
		complain("cannot come back from that network namespace: %s", strerror(errno));
		return EXIT_INTERNAL;
	}
	return status;
}

int why_asked_read(const struct options *options, const struct port_spec *spec, struct why_asked *ret_asked)
{
	struct why_asked asked = {.socket_fd = -1};
	int home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), netns_fd;
	int status = open_netns(options, &netns_fd);
	struct stat netns;

	if (!status && fstat(netns_fd, &netns))
		status = EXIT_INTERNAL;
	if (!status) {
		asked.netns = (uint32_t)netns.st_ino;
		status = read_asker(options, netns_fd, &asked);
		if (!status)
			status = look_inside(options, spec, netns_fd, home_fd, &asked);
	}
	if (!status)
		asked.doubts |= bind_restraints(asked.asker.cgroup, asked.wish.family);
	if (netns_fd >= 0)
		close(netns_fd);
	if (home_fd >= 0)
		close(home_fd);
	if (status)
		why_asked_close(&asked);
	else
		*ret_asked = asked;
	return status;
}

void why_asked_close(struct why_asked *asked)
{
	if (asked->socket_fd >= 0)
		close(asked->socket_fd);
	asked->socket_fd = -1;
}
