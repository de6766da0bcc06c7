/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `why` as somebody in particular: users, rights in user namespaces, and what makes the answer unknown, since
 * somebody else decides. Each process that is asked about says itself what bind(2) told it.
 */
#include "act.h"
#include "offer.h"
#include "scenarios.h"
#include "tool.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOW_PORT 77
#define PORT	 7079
#define CGROUPS	 "/run/why-cgroups"
#define CGROUP	 CGROUPS "/portsnoop-why"

enum { GRANTED, REFUSED = 1, USAGE = 2, UNKNOWN = 5 };

/* A process that asks, and what it was told when it tried: shared with it. */
struct person {
	int ready, end;
	int low_error, error; /* of a bind to LOW_PORT, to PORT */
	int become_error;
	int (*become)(void); /* 0 or a negative errno */
};

/* --- becoming somebody ------------------------------------------------------------------------------------
 */

static int ordinary_user(void)
{
	return setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ? -errno : 0;
}

/* All rights, in a user namespace of its own, which its network namespace belongs to. */
static int lord_of_a_namespace(void)
{
	int error = ordinary_user();

	/* /proc of who has changed its user is root's. */
	prctl(PR_SET_DUMPABLE, 1);
	return error ? error : unshare(CLONE_NEWUSER | CLONE_NEWNET) ? -errno : 0;
}

static int filtered(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = 1, .filter = &allow};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

static int grouped(void)
{
	int fd = open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC), error;

	if (fd < 0)
		return -errno;
	error = write(fd, "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return error;
}

static int unchanged(void)
{
	return 0;
}

static int try_to_bind(uint16_t port)
{
	union address to = address_of("0.0.0.0", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return errno;
	error = bind(fd, &to.any, address_length(&to)) ? errno : 0;
	close(fd);
	return error;
}

static void live(struct scene *scene, void *context)
{
	struct person *person = context;

	person->become_error = person->become();
	person->low_error = try_to_bind(LOW_PORT);
	person->error = try_to_bind(PORT);
	gate_post(scene, person->ready);
	gate_wait(scene, person->end);
	_exit(0);
}

static pid_t person_start(struct scene *scene, struct person *person, int (*become)(void))
{
	pid_t pid;

	*person = (struct person){.ready = gate_new(scene), .end = gate_new(scene), .become = become};
	pid = actor_start(scene, live, person);
	gate_wait(scene, person->ready);
	return pid;
}

static void person_end(struct scene *scene, struct person *person, pid_t pid)
{
	gate_post(scene, person->end);
	actor_join(scene, pid);
	close(person->ready);
	close(person->end);
}

/* --- asking -----------------------------------------------------------------------------------------------
 */

static void expect(struct scene *scene, int status, const char *text, const char *words[4])
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "why", words[0], words[1], words[2], words[3], NULL);
	if (result.status != status || (text && !strstr(result.out, text) && !strstr(result.err, text)))
		scene_fail(scene, "why %s %s %s %s: exit code %d, '%s' was expected: %s%s", words[0],
			   words[1] ? words[1] : "", words[2] ? words[2] : "", words[3] ? words[3] : "",
			   result.status, text ? text : "", result.err, result.out);
	tool_result_free(&result);
}

#define EXPECT(scene, status, text, ...) expect(scene, status, text, (const char *[4]){__VA_ARGS__})

static int status_of(int error)
{
	return error ? REFUSED : GRANTED;
}

/* What it was told is what is answered about it. */
static void ask_about(struct scene *scene, const struct person *person, pid_t pid)
{
	char text[24];

	snprintf(text, sizeof(text), "%d", pid);
	EXPECT(scene, status_of(person->low_error), person->low_error ? "(EACCES)" : "can be bound",
	       "0.0.0.0:77", "--pid", text);
	EXPECT(scene, status_of(person->error), person->error ? "(EADDRINUSE)" : "can be bound",
	       "0.0.0.0:7079", "--pid", text);
}

static void rights_of(struct scene *scene, struct person *person)
{
	pid_t pid = person_start(scene, person, unchanged);

	ask_about(scene, person, pid);
	person_end(scene, person, pid);
	pid = person_start(scene, person, ordinary_user);
	if (person->low_error != EACCES)
		scene_fail(scene, "an ordinary user was told %s", errno_text(person->low_error));
	ask_about(scene, person, pid);
	person_end(scene, person, pid);
	pid = person_start(scene, person, lord_of_a_namespace);
	if (person->become_error)
		scene_note(scene, "no user namespace: %s", strerror(-person->become_error));
	else
		ask_about(scene, person, pid);
	person_end(scene, person, pid);
}

/* Elsewhere its rights are worth nothing. */
static void rights_elsewhere(struct scene *scene, struct person *person)
{
	char pid_text[24], elsewhere[32];
	struct tool_result result;
	pid_t pid = person_start(scene, person, lord_of_a_namespace);

	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	snprintf(elsewhere, sizeof(elsewhere), "/proc/%d/ns/net", getpid());
	if (!person->become_error) {
		tool_run(scene, &result, NULL, "why", "0.0.0.0:77", "--pid", pid_text, "--netns", elsewhere,
			 NULL);
		if (result.status != REFUSED || !strstr(result.out, "(EACCES)"))
			scene_fail(scene, "exit code %d: %s%s", result.status, result.err, result.out);
		tool_result_free(&result);
	}
	person_end(scene, person, pid);
}

static bool has_landlock(void)
{
	/* LANDLOCK_CREATE_RULESET_VERSION */
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1u) > 0;
}

static int without_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/* What is granted is unknown, what is refused stays refused. */
static void confined(struct scene *scene, struct person *person, int (*become)(void), const char *why)
{
	union address to = address_of("0.0.0.0", PORT);
	pid_t pid = person_start(scene, person, become);
	char text[24];
	int fd;

	if (person->become_error)
		scene_fail(scene, "%s: %s", why, strerror(-person->become_error));
	snprintf(text, sizeof(text), "%d", pid);
	EXPECT(scene, UNKNOWN, why, "0.0.0.0:7079", "--pid", text);
	EXPECT(scene, UNKNOWN, "\"unknown\":\"", "0.0.0.0:7079", "--json", "--pid", text);
	fd = (int)scene_must(scene, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	scene_must(scene, bind(fd, &to.any, address_length(&to)), "bind");
	EXPECT(scene, REFUSED, "(EADDRINUSE)", "0.0.0.0:7079", "--pid", text);
	close(fd);
	person_end(scene, person, pid);
}

/* --- a program of somebody else's -------------------------------------------------------------------------
 */

static void make_cgroup(const struct scene *scene)
{
	scene_must(scene, unshare(CLONE_NEWNS), "mount namespace");
	scene_must(scene, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	scene_must(scene, mount("why", "/run", "tmpfs", 0, NULL), "tmpfs on /run");
	scene_must(scene, mkdir(CGROUPS, 0755), CGROUPS);
	if (mount("why", CGROUPS, "cgroup2", 0, NULL))
		scene_skip(scene, "cgroup v2 cannot be mounted: %s", strerror(errno));
	rmdir(CGROUP); /* of a run that was cut off */
	scene_must(scene, mkdir(CGROUP, 0755), CGROUP);
}

/* Lets everything pass. */
static int attach_foreign(const struct scene *scene)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_BIND);
	int fd = (int)scene_must(
		scene, bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "foreign", "GPL", pass, 2, &options),
		"a program on binds");
	int cgroup = (int)scene_must(scene, open(CGROUP, O_RDONLY | O_CLOEXEC), CGROUP);

	scene_must(scene, bpf_prog_attach(fd, cgroup, BPF_CGROUP_INET4_BIND, BPF_F_ALLOW_MULTI), "attach");
	close(cgroup);
	return fd;
}

static void seen_by_a_program(struct scene *scene, struct person *person)
{
	static const char why[] = "a BPF program of its control group";
	pid_t pid;
	char text[24];
	int program;

	make_cgroup(scene);
	pid = person_start(scene, person, grouped);
	if (person->become_error)
		scene_fail(scene, "%s: %s", CGROUP, strerror(-person->become_error));
	snprintf(text, sizeof(text), "%d", pid);
	EXPECT(scene, GRANTED, "can be bound", "0.0.0.0:7079", "--pid", text);
	program = attach_foreign(scene);
	EXPECT(scene, UNKNOWN, why, "0.0.0.0:7079", "--pid", text);
	EXPECT(scene, GRANTED, "can be bound", "[::]:7079", "--pid", text); /* of IPv4 it is */
	person_end(scene, person, pid);
	close(program);
	rmdir(CGROUP);
}

/* portsnoop's own programs on binds are nobody's business. */
static void beside_a_trace(struct scene *scene, struct person *person)
{
	struct tool tool;
	pid_t pid;
	char text[24];

	tool_start(&tool, scene, NULL);
	pid = person_start(scene, person, unchanged);
	snprintf(text, sizeof(text), "%d", pid);
	EXPECT(scene, GRANTED, "can be bound", "0.0.0.0:7079", "--pid", text);
	person_end(scene, person, pid);
	tool_end(&tool);
}

/* --- under way --------------------------------------------------------------------------------------------
 */

/* It waits for what why is about. */
static void expect_wait(struct scene *scene, int status)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "wait", "127.0.0.1:7079", "--free", "--timeout", "1s", NULL);
	if (result.status != status)
		scene_fail(scene, "wait: exit code %d: %s%s", result.status, result.err, result.out);
	tool_result_free(&result);
}

/* Bound, in no process's descriptor table, and older than any portsnoop. */
static void under_way(struct scene *scene)
{
	char home[24];
	union address to = address_of("127.0.0.1", PORT);
	int fd = (int)scene_must(scene, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"), pair[2];

	scene_must(scene, bind(fd, &to.any, address_length(&to)), "bind");
	scene_must(scene, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	act_send_descriptor(scene, pair[0], fd);
	close(fd);
	snprintf(home, sizeof(home), "%d", getpid());
	EXPECT(scene, REFUSED, "under way in a message", "127.0.0.1:7079", "--netns", home);
	expect_wait(scene, REFUSED);
	close(pair[0]);
	close(pair[1]);
	EXPECT(scene, GRANTED, "can be bound", "127.0.0.1:7079", "--netns", home);
	expect_wait(scene, GRANTED);
}

static void words(struct scene *scene)
{
	EXPECT(scene, USAGE, "--uid", "77", "--uid", "nobody-of-that-name");
	EXPECT(scene, USAGE, "--pid", "77", "--pid", "2147483647");
	EXPECT(scene, USAGE, "--netns", "77", "--netns", "nowhere-of-that-name");
	EXPECT(scene, USAGE, "--netns", "77", "--netns", "/dev/null");
	EXPECT(scene, USAGE, "--device", "77", "--device", "none-of-that-name");
	EXPECT(scene, USAGE, "nothing is expected", "77", "78");
	EXPECT(scene, USAGE, "which port", NULL);
	EXPECT(scene, USAGE, "not an option", "77", "--listening");
	EXPECT(scene, UNKNOWN, "unknown: sctp", "77/sctp");
	EXPECT(scene, REFUSED, "(EADDRNOTAVAIL)", "192.0.2.7:7079");
	EXPECT(scene, REFUSED, "(EINVAL)", "[fe80::7]:7079");
	EXPECT(scene, REFUSED, "as user 4242", "0.0.0.0:77", "--uid", "4242");
}

void why_asked(struct scene *scene)
{
	struct person *person = shared_new(scene, sizeof(*person));

	scene_need_ipv6(scene);
	offer_port_table(scene);
	words(scene);
	rights_of(scene, person);
	rights_elsewhere(scene, person);
	confined(scene, person, filtered, "seccomp");
	if (has_landlock())
		confined(scene, person, without_new_privileges, "Landlock");
	under_way(scene);
	beside_a_trace(scene, person);
	seen_by_a_program(scene, person);
}
