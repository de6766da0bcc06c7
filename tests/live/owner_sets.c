/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All the ways in which processes come to share sockets, at once on one host: `ls` and `who` name exactly
 * those that hold each, by a walk of their own and through a portsnoop that runs, and go on naming them
 * right.
 */
#include "act.h"
#include "inventory.h"
#include "program.h"
#include "puppet.h"
#include "scenarios.h"
#include "truth.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NGINX_PORT   8700
#define PREFORK_PORT 8710
#define GROUP_PORT   8720
#define PASSED_PORT  8730
#define BOUND_PORT   8731
#define EXEC_PORT    8740
#define NETNS_PORT   8750
#define PID_NS_PORT  8760
#define IDLE_PORT    8770
#define ORPHAN_PORT  8780

#define NGINX_WORKERS 4
#define PREFORKED     3
#define GROUP	      3

struct host {
	struct scene *scene;
	struct places places;
	struct program nginx, prefork;
	struct puppet group[GROUP];
	struct puppet giver, taker;
	struct link link, back;
	struct prop passed, bound;
	struct puppet maker, heir; /* the heir has run another program since */
	struct prop inherited;
	struct puppet foreign, away, inside;
	struct puppet idle;
	struct puppet creator, child;
};

/* --- looking ----------------------------------------------------------------------------------------------
 */

/* How many processes hold what listens on the port, in the scenario's namespace. */
static unsigned count_holders(const struct host *host, unsigned port, char *pids, size_t size)
{
	struct places here = {.items = {host->places.items[0]}, .n = 1};
	struct inventory inventory = {0};
	char text[64];
	unsigned n = 0;

	snprintf(text, sizeof(text), ":%u peer=- state=listen", port);
	pids[0] = '\0';
	inventory_read(host->scene, &here, &inventory);
	for (size_t i = 0; i < inventory.n; i++) {
		const char *holders = inventory.rows[i].holders;

		if (!strstr(inventory.rows[i].text, text) || !*holders)
			continue;
		snprintf(pids, size, "%s", holders);
		for (n++; (holders = strchr(holders, ',')); holders++)
			n++;
	}
	inventory_free(&inventory);
	return n;
}

/* A program of somebody else says nothing when it is ready: until so many are there, others than before. */
static void await_holders(const struct host *host, unsigned port, unsigned n, const char *before)
{
	uint64_t deadline = scene_clock_ns() + host->scene->patience_s * 1000000000ull;
	char now[256];

	while (count_holders(host, port, now, sizeof(now)) != n || !strcmp(now, before)) {
		if (scene_clock_ns() > deadline)
			scene_fail(host->scene, "port %u is held by %s", port, now);
		sched_yield();
	}
}

static void check(const struct host *host, unsigned port)
{
	inventory_check(host->scene, &host->places, ASKING_NOBODY);
	inventory_check(host->scene, &host->places, ASKING_SYNC);
	if (!inventory_check_who(host->scene, &host->places, ASKING_NOBODY, port) && port != BOUND_PORT)
		scene_fail(host->scene, "nothing is on port %u", port);
	inventory_check_who(host->scene, &host->places, ASKING_SYNC, port);
}

/* --- who is there -----------------------------------------------------------------------------------------
 */

static void start_nginx(struct host *host)
{
	struct scene *scene = host->scene;
	char directory[512], config[600], prefix[600];
	const char *const argv[] = {"nginx", "-p", prefix, "-c", config, "-e", "stderr", NULL};
	FILE *file;

	program_directory(scene, directory);
	snprintf(prefix, sizeof(prefix), "%s/", directory);
	snprintf(config, sizeof(config), "%s/nginx.conf", directory);
	file = fopen(config, "we");
	if (!file ||
	    fprintf(file,
		    "daemon off;\nuser root;\nworker_processes %d;\npid %s/pid;\nevents {}\nhttp {\n"
		    "access_log off;\nclient_body_temp_path %s/a;\nproxy_temp_path %s/b;\n"
		    "fastcgi_temp_path %s/c;\nuwsgi_temp_path %s/d;\nscgi_temp_path %s/e;\n"
		    "server { listen 127.0.0.1:%d; root %s; }\n}\n",
		    NGINX_WORKERS, directory, directory, directory, directory, directory, directory,
		    NGINX_PORT, directory) < 0 ||
	    fclose(file))
		scene_fail(scene, "cannot write %s", config);
	program_start(scene, &host->nginx, argv);
}

static void start_prefork(struct host *host)
{
	static const char script[] = "import os, socket, sys\n"
				     "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
				     "for i in range(int(sys.argv[2])):\n"
				     "    if os.fork() == 0:\n"
				     "        s.accept()\n"
				     "os.wait()\n"
				     "s.accept()\n";
	char port[8], count[8];
	const char *const argv[] = {"python3", "-c", script, port, count, NULL};

	snprintf(port, sizeof(port), "%d", PREFORK_PORT);
	snprintf(count, sizeof(count), "%d", PREFORKED);
	program_start(host->scene, &host->prefork, argv);
}

static void start_group(struct host *host)
{
	for (int i = 0; i < GROUP; i++) {
		puppet_start(host->scene, &host->group[i]);
		puppet_listen(&host->group[i], "127.0.0.1", GROUP_PORT, PUPPET_REUSEPORT);
	}
}

static void start_passing(struct host *host)
{
	puppet_start(host->scene, &host->giver);
	puppet_start(host->scene, &host->taker);
	host->link = puppet_link(&host->giver, &host->taker);
	host->back = puppet_link(&host->taker, &host->giver);
	host->passed = puppet_listen(&host->giver, "127.0.0.1", PASSED_PORT, 0);
	host->bound = puppet_bind(&host->giver, SOCK_STREAM, "127.0.0.1", BOUND_PORT);
	puppet_say_bound(&host->giver, host->bound.fd);
}

static void start_inheriting(struct host *host)
{
	puppet_start(host->scene, &host->maker);
	host->inherited = puppet_listen(&host->maker, "127.0.0.1", EXEC_PORT, 0);
	puppet_listen(&host->maker, "127.0.0.1", EXEC_PORT + 1, 0); /* closed on exec */
	puppet_keep_on_exec(&host->maker, host->inherited.fd);
	puppet_fork(&host->maker, &host->heir);
	puppet_exec(&host->heir);
}

/* The same port and a bound one in another namespace, and a process here that has one of them too. */
static void start_foreign(struct host *host)
{
	struct prop bound;
	struct link link;
	int fd;

	puppet_start(host->scene, &host->foreign);
	puppet_leave_netns(&host->foreign);
	places_add(host->scene, &host->places, host->foreign.pid);
	puppet_listen(&host->foreign, "127.0.0.1", NGINX_PORT, 0);
	bound = puppet_bind(&host->foreign, SOCK_STREAM, "127.0.0.1", NETNS_PORT);
	puppet_bind(&host->foreign, SOCK_DGRAM, "127.0.0.1", NETNS_PORT);
	puppet_say_bound(&host->foreign, bound.fd);
	link = puppet_link(&host->foreign, &host->taker);
	puppet_give(&host->foreign, &link, bound.fd);
	fd = puppet_take(&host->taker, &link);
	puppet_dup(&host->taker, fd);
	puppet_close(&host->taker, fd);
}

static void start_inside_pid_ns(struct host *host)
{
	puppet_start(host->scene, &host->away);
	puppet_leave_pid_ns(&host->away);
	puppet_fork(&host->away, &host->inside);
	puppet_listen(&host->inside, "127.0.0.1", PID_NS_PORT, 0);
}

static void start_idle(struct host *host)
{
	struct prop bound;

	puppet_start(host->scene, &host->idle);
	bound = puppet_bind(&host->idle, SOCK_STREAM, "127.0.0.1", IDLE_PORT);
	puppet_say_bound(&host->idle, bound.fd);
}

static void start_orphan(struct host *host)
{
	puppet_start(host->scene, &host->creator);
	puppet_listen(&host->creator, "127.0.0.1", ORPHAN_PORT, 0);
	puppet_fork(&host->creator, &host->child);
	puppet_exit(&host->creator);
}

static void start_all(struct host *host)
{
	start_nginx(host);
	start_prefork(host);
	start_group(host);
	start_passing(host);
	start_inheriting(host);
	start_foreign(host);
	start_inside_pid_ns(host);
	start_idle(host);
	start_orphan(host);
	await_holders(host, NGINX_PORT, 1 + NGINX_WORKERS, "");
	await_holders(host, PREFORK_PORT, 1 + PREFORKED, "");
}

/* --- they come and go -------------------------------------------------------------------------------------
 */

/* The last of a list of pids is a worker: the master is older. */
static pid_t youngest(const char *pids)
{
	const char *comma = strrchr(pids, ',');

	return atoi(comma ? comma + 1 : pids);
}

static void kill_workers(struct host *host)
{
	char before[256];

	count_holders(host, NGINX_PORT, before, sizeof(before));
	scene_must(host->scene, kill(youngest(before), SIGKILL), "kill");
	await_holders(host, NGINX_PORT, 1 + NGINX_WORKERS, before); /* its master starts another one */
	check(host, NGINX_PORT);
	count_holders(host, PREFORK_PORT, before, sizeof(before));
	scene_must(host->scene, kill(youngest(before), SIGKILL), "kill");
	await_holders(host, PREFORK_PORT, PREFORKED, before);
	check(host, PREFORK_PORT);
	puppet_kill(&host->group[1]);
	check(host, GROUP_PORT);
}

/* The listener is in the kernel's table of listeners; what is only bound is in none. */
static void pass(struct host *host)
{
	int listening, bound;

	puppet_give(&host->giver, &host->link, host->passed.fd);
	puppet_give(&host->giver, &host->link, host->bound.fd);
	puppet_say_in_flight(&host->giver, host->bound.fd);
	check(host, PASSED_PORT); /* in flight, and the giver has a copy */
	puppet_close(&host->giver, host->passed.fd);
	puppet_close(&host->giver, host->bound.fd);
	check(host, PASSED_PORT);
	check(host, BOUND_PORT);
	listening = puppet_take(&host->taker, &host->link);
	bound = puppet_take(&host->taker, &host->link);
	puppet_say_bound(&host->taker, bound);
	check(host, PASSED_PORT);
	check(host, BOUND_PORT);
	puppet_give(&host->taker, &host->back, listening);
	puppet_take(&host->giver, &host->back);
	check(host, PASSED_PORT); /* both */
	puppet_close(&host->taker, listening);
	puppet_close(&host->taker, bound);
	check(host, PASSED_PORT);
	check(host, BOUND_PORT);
}

/* First under another number, which is the one to be named then. */
static void inherit(struct host *host)
{
	int copy = puppet_dup(&host->maker, host->inherited.fd);

	puppet_close(&host->maker, host->inherited.fd);
	check(host, EXEC_PORT);
	puppet_close(&host->maker, copy);
	check(host, EXEC_PORT);
	puppet_kill(&host->heir);
	check(host, EXEC_PORT + 1);
}

static void leave(struct host *host)
{
	puppet_kill(&host->inside);
	check(host, ORPHAN_PORT);
	puppet_exit(&host->child);
	puppet_exit(&host->idle);
	check(host, NGINX_PORT);
}

static void stop_all(struct host *host)
{
	program_stop(host->scene, &host->nginx);
	program_stop(host->scene, &host->prefork);
	puppet_exit(&host->giver);
	puppet_exit(&host->taker);
	puppet_exit(&host->maker);
	puppet_exit(&host->foreign);
	puppet_exit(&host->away);
	puppet_exit(&host->group[0]);
	puppet_exit(&host->group[2]);
}

static void come_and_go(struct host *host)
{
	kill_workers(host);
	pass(host);
	inherit(host);
	leave(host);
}

void owners_sets(struct scene *scene)
{
	struct host host = {.scene = scene};
	struct tool tool;

	scene_need_program(scene, "nginx");
	scene_need_program(scene, "python3");
	places_add(scene, &host.places, getpid());
	start_all(&host);
	tool_start(&tool, scene, NULL);
	check(&host, NGINX_PORT);
	scene_note(scene, "%zu sockets", inventory_check(scene, &host.places, ASKING_SYNC));
	come_and_go(&host);
	stop_all(&host);
	tool_end(&tool);
}

/* The same, but the sets are known from events. */
void owners_sets_watched(struct scene *scene)
{
	struct host host = {.scene = scene};
	struct tool tool;

	scene_need_program(scene, "nginx");
	scene_need_program(scene, "python3");
	places_add(scene, &host.places, getpid());
	tool_start(&tool, scene, "--holders", NULL);
	start_all(&host);
	check(&host, NGINX_PORT);
	come_and_go(&host);
	stop_all(&host);
	tool_end(&tool);
}
