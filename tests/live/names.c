/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that lives as a container's do: in a control group that is named as docker names one, in a pid
 * namespace of its own, in a network namespace that has a name. All mounts are made where nobody else sees
 * them; of the machine only the control group is borrowed, and given back.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID	"5ca1ab1e00112233445566778899aabbccddeeff00112233445566778899aabb"
#define UNIT	"docker-" ID ".scope"
#define CGROUPS "/run/cgroup2"
#define CGROUP	CGROUPS "/" UNIT
#define NAMES	"/run/netns"
#define PORT	8690
#define SOON_US 300000 /* the tool looks for new names every 100 ms */

/* The process, as it saw itself; shared with it. */
struct inhabitant {
	int listening, leave; /* gates */
	uint32_t pid, inner_pid, pid_ns;
};

/* --- the place --------------------------------------------------------------------------------------------
 */

static void name_netns(const struct scene *scene, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), NAMES "/%s", name);
	close((int)scene_must(scene, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), path));
	scene_must(scene, mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL), "naming the namespace");
}

static void unname_netns(const struct scene *scene, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), NAMES "/%s", name);
	scene_must(scene, umount2(path, MNT_DETACH), "umount");
	scene_must(scene, unlink(path), "unlink");
}

static void make_place(const struct scene *scene)
{
	scene_must(scene, unshare(CLONE_NEWNS), "mount namespace");
	scene_must(scene, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	scene_must(scene, mount("names", "/run", "tmpfs", 0, NULL), "tmpfs on /run");
	scene_must(scene, mkdir(CGROUPS, 0755), CGROUPS);
	scene_must(scene, mkdir(NAMES, 0755), NAMES);
	if (mount("names", CGROUPS, "cgroup2", 0, NULL))
		scene_skip(scene, "cgroup v2 cannot be mounted: %s", strerror(errno));
	rmdir(CGROUP); /* of a run that was cut off */
	scene_must(scene, mkdir(CGROUP, 0755), CGROUP);
}

/* --- who lives there --------------------------------------------------------------------------------------
 */

static uint32_t inode_of(const struct scene *scene, const char *path)
{
	struct stat file;

	scene_must(scene, stat(path, &file), path);
	return (uint32_t)file.st_ino;
}

/* /proc is that of the machine: there the process sees itself as others do. */
static void live(struct scene *scene, struct inhabitant *self)
{
	union address address = address_of("127.0.0.1", PORT);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);
	char pid[16] = "";

	scene_must(scene, readlink("/proc/self", pid, sizeof(pid) - 1), "/proc/self");
	self->pid = (uint32_t)atoi(pid);
	self->inner_pid = (uint32_t)getpid();
	self->pid_ns = inode_of(scene, "/proc/self/ns/pid");
	scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
	scene_must(scene, listen(fd, 5), "listen");
	gate_post(scene, self->listening);
	gate_wait(scene, self->leave);
	close(fd);
}

static void wait_for(const struct scene *scene, pid_t pid)
{
	int status;

	scene_must(scene, waitpid(pid, &status, 0), "waitpid");
	if (status)
		_exit(1);
}

/* The first in a pid namespace has to stay; the second has a number that is nobody's outside, if it may be
 * chosen. */
static void be_first(struct scene *scene, struct inhabitant *self)
{
	pid_t pid;

	scene_set(scene, "kernel/ns_last_pid", "7776");
	pid = (pid_t)scene_must(scene, fork(), "fork");
	if (pid) {
		wait_for(scene, pid);
		return;
	}
	live(scene, self);
	_exit(0);
}

static void move_in(struct scene *scene, void *context)
{
	int fd = (int)scene_must(scene, open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC), CGROUP);
	pid_t pid;

	scene_must(scene, write(fd, "0", 1), "moving into the control group");
	close(fd);
	scene_must(scene, unshare(CLONE_NEWPID), "pid namespace");
	pid = (pid_t)scene_must(scene, fork(), "fork");
	if (pid) {
		wait_for(scene, pid);
		return;
	}
	be_first(scene, context);
	_exit(0);
}

/* --- what is told of it -----------------------------------------------------------------------------------
 */

struct expected {
	const struct inhabitant *who;
	const char *netns_name;
	unsigned seen;
};

static void expect(struct scene *scene, const json_t *line, const char *path, const char *value)
{
	if (strcmp(event_string(line, path), value))
		scene_fail(scene, "%s is '%s', not '%s'", path, event_string(line, path), value);
}

/* In an event container and the like stand beside the process, in a holder too. */
static void expect_place(struct scene *scene, const json_t *line, const struct inhabitant *who,
			 const char *unit, const char *pid_ns, const char *inner_pid)
{
	expect(scene, line, "container.id", ID);
	expect(scene, line, "container.runtime", "docker");
	expect(scene, line, "process.linux.cgroup", "/" UNIT);
	expect(scene, line, unit, UNIT);
	if (event_number(line, "process.pid") != who->pid ||
	    event_number(line, inner_pid) != who->inner_pid || event_number(line, pid_ns) != who->pid_ns)
		scene_fail(scene, "pid %u (%u in %u) is told as %u (%u in %u)", who->pid, who->inner_pid,
			   who->pid_ns, (unsigned)event_number(line, "process.pid"),
			   (unsigned)event_number(line, inner_pid), (unsigned)event_number(line, pid_ns));
}

static void look_at_event(struct scene *scene, const json_t *line, void *context)
{
	struct expected *expected = context;

	if (event_number(line, "network.local.port") != PORT)
		return;
	expected->seen++;
	expect(scene, line, "portsnoop.netns_name", expected->netns_name);
	expect_place(scene, line, expected->who, "portsnoop.unit", "portsnoop.pid_ns.inode",
		     "portsnoop.pid_ns.pid");
}

static void look_at_row(struct scene *scene, const json_t *line, void *context)
{
	const json_t *holders = event_at(line, "portsnoop.holders");
	struct expected *expected = context;

	if (event_number(line, "network.local.port") != PORT || json_array_size(holders) != 1)
		scene_fail(scene, "a row that was not asked for");
	expected->seen++;
	expect(scene, line, "portsnoop.netns_name", expected->netns_name);
	expect_place(scene, json_array_get(holders, 0), expected->who, "unit", "pid_ns.inode", "pid_ns.pid");
}

/* --- asking for it ----------------------------------------------------------------------------------------
 */

static void ls(struct scene *scene, const char *way, const char *filter, struct expected *expected,
	       unsigned rows)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "ls", "--json", way, filter, NULL);
	if (result.status)
		scene_fail(scene, "ls %s: exit code %d: %s", filter, result.status, result.err);
	expected->seen = 0;
	tool_each_line(scene, result.out_path, look_at_row, expected);
	tool_result_free(&result);
	if (expected->seen != rows)
		scene_fail(scene, "ls %s %s shows %u rows, not %u", way, filter, expected->seen, rows);
}

/* way: ask the one that traces, or look; both must know the same. */
static void list(struct scene *scene, const char *way, struct expected *expected)
{
	char pid[64];

	snprintf(pid, sizeof(pid), "pid %u and lport %u", expected->who->inner_pid, PORT);
	ls(scene, way, "container 5ca1ab1e", expected, 1);
	ls(scene, way, "container " ID, expected, 1);
	ls(scene, way, "container 5ca1ab1f", expected, 0);
	ls(scene, way, "netns blue lport 8690", expected, 1);
	ls(scene, way, pid, expected, 1);
}

static void list_as_text(struct scene *scene)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "ls", "--no-instance", "-v", "container 5ca1ab1e", NULL);
	if (!strstr(result.out, "CONTAINER") || !strstr(result.out, "5ca1ab1e0011 "))
		scene_fail(scene, "no container in the table: %s", result.out);
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "ls", "netns", "blues", NULL);
	if (result.status != 2 || !strstr(result.err, "'blues' is not a known network namespace"))
		scene_fail(scene, "a namespace that nobody has: exit code %d: %s", result.status, result.err);
	tool_result_free(&result);
}

static void replay(struct scene *scene, const char *recording, const char *filter, struct expected *expected,
		   unsigned events)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "replay", "--json", recording, filter, NULL);
	if (result.status)
		scene_fail(scene, "replay %s: exit code %d: %s", filter, result.status, result.err);
	expected->seen = 0;
	tool_each_line(scene, result.out_path, look_at_event, expected);
	tool_result_free(&result);
	if (expected->seen != events)
		scene_fail(scene, "replay %s shows %u events, not %u", filter, expected->seen, events);
}

/* The names are those of the recording: on this machine they are gone. */
static void replay_all(struct scene *scene, const char *recording, struct expected *expected)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "pid %u", expected->who->inner_pid);
	replay(scene, recording, "container 5ca1ab1e", expected, 3);
	replay(scene, recording, "container 5ca1ab1f", expected, 0);
	replay(scene, recording, "netns blue lport 8690", expected, 3);
	replay(scene, recording, "netns green lport 8690", expected, 0);
	replay(scene, recording, pid, expected, 3);
	replay(scene, recording, "has k8s", expected, 0);
}

/* --- the scenarios ----------------------------------------------------------------------------------------
 */

void names(struct scene *scene)
{
	struct inhabitant *who = shared_new(scene, sizeof(*who));
	struct expected expected = {.who = who, .netns_name = "blue"};
	char recording[512];
	struct tool tool;
	pid_t actor;

	make_place(scene);
	name_netns(scene, "blue");
	who->listening = gate_new(scene);
	who->leave = gate_new(scene);
	snprintf(recording, sizeof(recording), "%s/%s.rec", scene->out_dir, scene->name);
	tool_start(&tool, scene, "--save", recording, NULL);
	actor = actor_start(scene, move_in, who);
	gate_wait(scene, who->listening);
	if (!tool_await_count(&tool, EVENT_LISTEN, 1))
		scene_fail(scene, "no listen came");
	list(scene, "-q", &expected);
	list(scene, "--no-instance", &expected);
	list_as_text(scene);
	gate_post(scene, who->leave);
	actor_join(scene, actor);
	scene_must(scene, rmdir(CGROUP), "rmdir");
	tool_settle(&tool);
	tool_end(&tool);
	expected.seen = 0;
	tool_each_line(scene, tool.out_path, look_at_event, &expected);
	if (expected.seen != 3)
		scene_fail(scene, "%u events, not bind, listen and close", expected.seen);
	unname_netns(scene, "blue");
	replay_all(scene, recording, &expected);
}

/* --- names that move --------------------------------------------------------------------------------------
 */

#define FIRST_MOVE_PORT 8691

static const char *const moves[] = {"", "blue", "", "green", ""};

static void look_at_move(struct scene *scene, const json_t *line, void *context)
{
	uint64_t number = event_number(line, "network.local.port") - FIRST_MOVE_PORT;
	unsigned *seen = context;

	if (number >= sizeof(moves) / sizeof(moves[0]) || strcmp(event_string(line, "event_name"), "bind"))
		return;
	++*seen;
	expect(scene, line, "portsnoop.netns_name", moves[number]);
}

/* A namespace is named, renamed and left without a name: told is what it is called at the time. */
void names_move(struct scene *scene)
{
	unsigned seen = 0, n = sizeof(moves) / sizeof(moves[0]);
	struct tool tool;

	make_place(scene);
	scene_must(scene, rmdir(CGROUP), "rmdir");
	tool_start(&tool, scene, NULL);
	for (unsigned i = 0; i < n; i++) {
		union address address = address_of("127.0.0.1", (uint16_t)(FIRST_MOVE_PORT + i));
		int fd = act_socket(scene, AF_INET, SOCK_STREAM);

		if (moves[i][0])
			name_netns(scene, moves[i]);
		usleep(SOON_US);
		act_bind(scene, fd, &address);
		tool_await_count(&tool, EVENT_BIND, i + 1); /* what is told is how it is when it is told */
		if (moves[i][0])
			unname_netns(scene, moves[i]);
	}
	tool_settle(&tool);
	tool_end(&tool);
	tool_each_line(scene, tool.out_path, look_at_move, &seen);
	if (seen != n)
		scene_fail(scene, "%u binds, not %u", seen, n);
}
