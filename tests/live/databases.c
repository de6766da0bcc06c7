/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of users and services, from databases that nobody else sees. The way to them that nsswitch.conf(5)
 * tells leads through a shared library, which a static program must not follow.
 */
#include "act.h"
#include "scenarios.h"
#include "tool.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define NAMED	 8691
#define NAMELESS 8692
#define UID	 61234 /* the next one has no name */

static void write_file(const struct scene *scene, const char *path, const char *text)
{
	int fd = (int)scene_must(scene, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), path);

	scene_must(scene, write(fd, text, strlen(text)), path);
	close(fd);
}

static void make_databases(const struct scene *scene)
{
	scene_must(scene, unshare(CLONE_NEWNS), "mount namespace");
	scene_must(scene, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	scene_must(scene, mount("databases", "/etc", "tmpfs", 0, "mode=0755"), "tmpfs on /etc");
	write_file(scene, "/etc/nsswitch.conf", "passwd: files systemd\nservices: files\n");
	write_file(scene, "/etc/passwd",
		   "root:x:0:0:root:/root:/bin/sh\nsome tester:x:61234:61234::/:/bin/false\n");
	write_file(scene, "/etc/services", "# none\nof-tests 8691/tcp of-alias # 8692\n");
}

struct dweller {
	uid_t uid;
	uint16_t port;
	int listening;
};

static void dwell(struct scene *scene, void *context)
{
	const struct dweller *dweller = context;
	union address address = address_of("127.0.0.1", dweller->port);

	scene_must(scene, setuid(dweller->uid), "setuid");
	act_listener(scene, &address, 5);
	gate_post(scene, dweller->listening);
	for (;;)
		pause();
}

static pid_t start_dweller(struct scene *scene, uid_t uid, uint16_t port)
{
	struct dweller dweller = {uid, port, gate_new(scene)};
	pid_t pid = actor_start(scene, dwell, &dweller);

	gate_wait(scene, dweller.listening);
	return pid;
}

struct expected {
	uint16_t port;
	uid_t uid;
	const char *service, *user; /* "": none */
	unsigned rows;
};

static void look_at_row(struct scene *scene, const json_t *row, void *context)
{
	const json_t *holder = json_array_get(event_at(row, "portsnoop.holders"), 0);
	struct expected *expected = context;

	if (event_number(row, "network.local.port") != expected->port ||
	    event_number(holder, "process.user.id") != expected->uid)
		scene_fail(scene, "a row that was not asked for");
	if (strcmp(event_string(row, "portsnoop.service"), expected->service) ||
	    strcmp(event_string(holder, "process.user.name"), expected->user))
		scene_fail(scene, "service '%s', user '%s'", event_string(row, "portsnoop.service"),
			   event_string(holder, "process.user.name"));
	expected->rows++;
}

static void expect_row(struct scene *scene, const char *key, const char *value, struct expected expected)
{
	struct tool_result result;
	char netns[16];

	snprintf(netns, sizeof(netns), "%u", scene->netns);
	tool_run(scene, &result, NULL, "ls", "--json", key, value, "netns", netns, NULL);
	if (result.status)
		scene_fail(scene, "ls %s %s: exit code %d: %s", key, value, result.status, result.err);
	tool_each_line(scene, result.out_path, look_at_row, &expected);
	tool_result_free(&result);
	if (expected.rows != 1)
		scene_fail(scene, "ls %s %s shows %u rows, not 1", key, value, expected.rows);
}

static void expect_unknown(struct scene *scene, const char *key, const char *value)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "ls", key, value, NULL);
	if (result.status != 2)
		scene_fail(scene, "ls %s %s: exit code %d", key, value, result.status);
	tool_result_free(&result);
}

void databases(struct scene *scene)
{
	const struct expected named = {NAMED, UID, "of-tests", "some tester", 0};
	const struct expected nameless = {NAMELESS, UID + 1, "", "", 0};
	pid_t pids[2];

	make_databases(scene);
	pids[0] = start_dweller(scene, UID, NAMED);
	pids[1] = start_dweller(scene, UID + 1, NAMELESS);
	expect_row(scene, "lport", "8691", named);
	expect_row(scene, "lport", "of-tests", named);
	expect_row(scene, "lport", "of-alias", named);
	expect_row(scene, "user", "some tester", named);
	expect_row(scene, "uid", "61234", named);
	expect_row(scene, "uid", "61235", nameless);
	expect_unknown(scene, "user", "www-data");
	expect_unknown(scene, "lport", "http");
	for (int i = 0; i < 2; i++)
		actor_kill(scene, pids[i]);
}
