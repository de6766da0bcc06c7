/* SPDX-License-Identifier: GPL-2.0-only */
/* export, for months: what was counted of a control group that is gone makes room when it is needed. */
#include "act.h"
#include "scenarios.h"
#include "scraped.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUPS "/run/cgroup2"
#define CGROUP	CGROUPS "/portsnoop-retired"
#define HALF	4096 /* of the keys that accepts may have */
#define PORTS	(HALF + 200)
#define KEYS	"portsnoop_table_entries", "table=\"spans\"", NULL

/* In this mount namespace; portsnoop finds the hierarchy by itself. */
static void make_cgroup(const struct scene *scene)
{
	scene_must(scene, unshare(CLONE_NEWNS), "mount namespace");
	scene_must(scene, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	scene_must(scene, mount("retired", "/run", "tmpfs", 0, NULL), "tmpfs on /run");
	scene_must(scene, mkdir(CGROUPS, 0755), CGROUPS);
	if (mount("retired", CGROUPS, "cgroup2", 0, NULL))
		scene_skip(scene, "cgroup v2 cannot be mounted: %s", strerror(errno));
	rmdir(CGROUP); /* of a run that was cut off */
	scene_must(scene, mkdir(CGROUP, 0755), CGROUP);
}

/* One connection to each of many ports. */
static void accept_everywhere(struct scene *scene, void *context)
{
	int procs = (int)scene_must(scene, open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC), CGROUP);

	scene_must(scene, write(procs, "0", 1), "moving into the control group");
	close(procs);
	for (unsigned i = 0; i < PORTS; i++) {
		union address server = address_of("127.0.0.1", (uint16_t)(10000 + i));
		int listener = act_socket(scene, AF_INET, SOCK_STREAM), client, accepted;

		scene_must(scene, bind(listener, &server.any, address_length(&server)), "bind");
		scene_must(scene, listen(listener, 1), "listen");
		client = act_socket(scene, AF_INET, SOCK_STREAM);
		scene_must(scene, connect(client, &server.any, address_length(&server)), "connect");
		accepted = (int)scene_must(scene, accept_by(listener, ACCEPT_ADDRESS), "accept");
		close(client);
		close(accepted);
		close(listener);
	}
}

void metrics_retired(struct scene *scene)
{
	struct scraped scraped;
	double keys;

	if (scene_count(scene, 2) < 2)
		scene_skip(scene, "too many connections for this machine");
	make_cgroup(scene);
	scene_must_set(scene, "net/ipv4/ip_local_port_range", "30000 60999");
	scraped_start(&scraped, scene, "--no-events", NULL);
	actor_join(scene, actor_start(scene, accept_everywhere, NULL));
	scraped_read(&scraped);
	keys = scraped_sum(&scraped, KEYS);
	if (keys < PORTS ||
	    scraped_sum(&scraped, "portsnoop_accepts_total", "local_port=\"10000\"", NULL) != 1)
		scene_fail(scene, "there are no more than %.0f keys", keys);
	scene_must(scene, rmdir(CGROUP), "rmdir " CGROUP);
	do
		scraped_read(&scraped);
	while (scraped_sum(&scraped, KEYS) > keys - PORTS);
	scene_note(scene, "%.0f keys, %.0f afterwards", keys, scraped_sum(&scraped, KEYS));
	scraped_end(&scraped);
}
