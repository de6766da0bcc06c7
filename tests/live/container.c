/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tool inside a container: in a control group, a pid namespace and mounts of its own, as docker makes
 * them. It sees the container, says so, and of what happens outside nothing that is wrong.
 */
#include "act.h"
#include "cover.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUPS "/run/cgroup2"
#define CGROUP	CGROUPS "/portsnoop-live-container"
#define PORT	8920
#define OUTSIDE 8930

/* Shared by both sides. */
struct border {
	int told, traced, acted; /* gates: who is who; the tool is ready; the outside is through */
	pid_t inside;		 /* the container's first process, as the machine numbers it */
	pid_t outside;
	uint32_t outside_netns;
};

/* --- walls ------------------------------------------------------------------------------------------------
 */

static void make_cgroup(const struct scene *scene)
{
	scene_must(scene, unshare(CLONE_NEWNS), "mount namespace");
	scene_must(scene, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	scene_must(scene, mount("live", "/run", "tmpfs", 0, NULL), "tmpfs on /run");
	scene_must(scene, mkdir(CGROUPS, 0755), CGROUPS);
	if (mount("live", CGROUPS, "cgroup2", 0, NULL))
		scene_skip(scene, "cgroup v2 cannot be mounted: %s", strerror(errno));
	rmdir(CGROUP); /* of a run that was cut off */
	scene_must(scene, mkdir(CGROUP, 0755), CGROUP);
}

static void move_in(const struct scene *scene)
{
	int fd = (int)scene_must(scene, open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC), CGROUP);

	scene_must(scene, write(fd, "0", 1), "moving into the control group");
	close(fd);
	scene_must(scene, unshare(CLONE_NEWCGROUP | CLONE_NEWPID | CLONE_NEWNS), "namespaces");
}

/* What a container finds where it looks: its own, and of the machine nothing. */
static void mount_own(const struct scene *scene)
{
	scene_must(scene, umount2("/run", MNT_DETACH), "umount");
	scene_must(scene, mount("proc", "/proc", "proc", 0, NULL), "/proc");
	/* One may not lie directly on another. */
	scene_must(scene, mount("live", "/sys/fs/cgroup", "tmpfs", 0, NULL), "/sys/fs/cgroup");
	scene_must(scene, mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL), "/sys/fs/cgroup");
}

/* --- inside -----------------------------------------------------------------------------------------------
 */

static void connections(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT);
	int listener = act_listener(scene, &at, 5), taken = act_socket(scene, AF_INET, SOCK_STREAM);

	for (unsigned variant = 0; variant < ACCEPT_VARIANTS; variant++) {
		int fd = act_socket(scene, AF_INET, SOCK_STREAM);

		act_connect(scene, fd, &at);
		act_close_pair(scene, fd, act_accept(scene, listener, variant));
	}
	act_bind(scene, taken, &at);
	close(taken);
	act_close(scene, listener, NULL, "reason=local state=listen accepts=%d", ACCEPT_VARIANTS);
}

static void without_connection(struct scene *scene)
{
	union address at = address_of("127.0.0.1", PORT + 1), discard = address_of("127.0.0.1", 9);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);

	act_connect(scene, fd, &discard);
	close(fd);
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_bind(scene, fd, &at);
	act_close(scene, fd, NULL, "reason=local");
	fd = act_socket(scene, AF_INET, SOCK_DGRAM);
	act_sendto(scene, fd, &discard, "x", 1);
	act_close(scene, fd, NULL, "reason=local");
}

/* The truth, with pids as the machine has them: the tool shows both. */
static void number_for_machine(struct scene *scene, const struct border *border)
{
	size_t position = 0, length, n = 0;
	const char *line;
	char *lines[128];

	while ((line = truth_next(scene->truth, &position, &length)) && n < 128)
		lines[n++] = strndup(line, length - 1);
	truth_clear(scene->truth);
	for (size_t i = 0; i < n; i++) {
		char text[1024] = "", *rest = lines[i], *word;

		while ((word = strsep(&rest, " "))) {
			size_t used = strlen(text);

			if (!strcmp(word, "pid=1"))
				snprintf(text + used, sizeof(text) - used, "pid=%d inner_pid=1 ",
					 border->inside);
			else if (!strncmp(word, "tid=1", 5)) /* perhaps with a question mark */
				snprintf(text + used, sizeof(text) - used, "tid=%d%s ", border->inside,
					 word + 5);
			else
				snprintf(text + used, sizeof(text) - used, "%s ", word);
		}
		truth_log(scene, "%s", text);
		free(lines[i]);
	}
}

/* Of those outside: who did it, or nobody. */
static void look_at_others(struct scene *scene, const json_t *event, void *context)
{
	const struct border *border = context;
	pid_t pid = (pid_t)event_number(event, "process.pid");

	if (event_number(event, "portsnoop.netns") == border->outside_netns && pid && pid != border->outside)
		scene_fail(scene, "what %d did outside is laid to %d", border->outside, pid);
}

static void take_holders(struct scene *scene, const json_t *row, void *context)
{
	char *text = context;
	const json_t *holders = event_at(row, "portsnoop.holders");

	(void)scene;
	snprintf(text + strlen(text), 128, "%d:%d/%zu ", (int)event_number(row, "network.local.port"),
		 (int)event_number(json_array_get(holders, 0), "process.pid"), json_array_size(holders));
}

static void list(struct scene *scene, const struct border *border)
{
	union address at = address_of("127.0.0.1", PORT + 2);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);
	char netns[16], expected[64], found[1024] = "";
	struct tool_result result;

	scene_must(scene, bind(fd, &at.any, sizeof(at.v4)), "bind");
	scene_must(scene, listen(fd, 5), "listen");
	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, "ls", "ports", "--no-instance", "--json", "netns", netns, NULL);
	tool_each_line(scene, result.out_path, take_holders, found);
	snprintf(expected, sizeof(expected), "%d:%d/1 ", PORT + 2, border->inside);
	if (result.status || strcmp(found, expected))
		scene_fail(scene, "ls: exit code %d, %s, not %s", result.status, found, expected);
	tool_result_free(&result);
	close(fd);
}

/* As docker has them, with what the manual asks for: CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN,
 * CAP_DAC_READ_SEARCH. */
static int drop_the_rest(void)
{
	static const unsigned long dropped[] = {CAP_SYS_ADMIN,	  CAP_SYS_PTRACE, CAP_SYS_MODULE,
						CAP_SYS_RESOURCE, CAP_SYSLOG,	  CAP_SYS_RAWIO};

	/* Before 5.11 the memory of BPF counts: one of these would raise the limit. */
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		if (cover_capability(dropped[i]))
			return -1;
	return 0;
}

/* Binds by control groups remain; that more is refused then, as Debian does, is said. */
static void trace_with_less(struct scene *scene)
{
	const struct tool_run options = {.prepare = drop_the_rest};
	struct tool_result result;

	tool_run(scene, &result, &options, "trace", "--json", "--duration", "100ms", NULL);
	if (result.status || !strstr(result.out, "\"scope\":\"container\"") ||
	    !strstr(result.out, "\"bind\":") || (!strstr(result.out, "\"connect\":") && !*result.err))
		scene_fail(scene, "with less: exit code %d, %s%s", result.status, result.out, result.err);
	tool_result_free(&result);
}

static void live_inside(struct scene *scene, struct border *border)
{
	struct tool tool;

	gate_wait(scene, border->told);
	mount_own(scene);
	list(scene, border);
	trace_with_less(scene);
	tool_start(&tool, scene, NULL);
	if (!strstr(tool.ready, "\"scope\":\"container\""))
		scene_fail(scene, "it does not say that it sees the container only: %s", tool.ready);
	gate_post(scene, border->traced);
	gate_wait(scene, border->acted);
	connections(scene);
	without_connection(scene);
	tool_settle(&tool);
	tool_end(&tool);
	number_for_machine(scene, border);
	ledger_check(&tool, NULL);
	tool_each_line(scene, tool.out_path, look_at_others, border);
}

static void run_container(struct scene *scene, void *context)
{
	struct border *border = context;
	pid_t pid;

	move_in(scene);
	pid = (pid_t)scene_must(scene, fork(), "fork");
	if (pid == 0) {
		live_inside(scene, border);
		fflush(stdout);
		_exit(0);
	}
	border->inside = pid;
	gate_post(scene, border->told);
	actor_join(scene, pid);
}

/* --- outside ----------------------------------------------------------------------------------------------
 */

/* In a network namespace of its own: what the tool tells of it is told apart by that. */
static void act_outside(struct scene *scene, void *context)
{
	struct border *border = context;
	union address at = address_of("127.0.0.1", OUTSIDE), other = address_of("127.0.0.1", OUTSIDE + 1);
	int listener, client, udp, new;

	scene_isolate(scene);
	border->outside = getpid();
	border->outside_netns = scene->netns;
	gate_wait(scene, border->traced);
	listener = act_socket(scene, AF_INET, SOCK_STREAM);
	client = act_socket(scene, AF_INET, SOCK_STREAM);
	udp = act_socket(scene, AF_INET, SOCK_DGRAM);
	scene_must(scene, bind(listener, &at.any, sizeof(at.v4)), "bind");
	scene_must(scene, listen(listener, 5), "listen");
	scene_must(scene, connect(client, &at.any, sizeof(at.v4)), "connect");
	new = (int)scene_must(scene, accept_by(listener, ACCEPT4_ADDRESS), "accept");
	scene_must(scene, bind(udp, &other.any, sizeof(other.v4)), "bind");
	close(client);
	receive_end(scene, new);
	close(new);
	close(listener);
	close(udp);
	gate_post(scene, border->acted);
}

void container(struct scene *scene)
{
	struct border *border = shared_new(scene, sizeof(*border));
	pid_t outside, inside;

	make_cgroup(scene);
	border->told = gate_new(scene);
	border->traced = gate_new(scene);
	border->acted = gate_new(scene);
	outside = actor_start(scene, act_outside, border);
	inside = actor_start(scene, run_container, border);
	actor_join(scene, inside);
	actor_join(scene, outside);
	scene_must(scene, rmdir(CGROUP), "rmdir");
}
