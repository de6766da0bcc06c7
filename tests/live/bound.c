/* SPDX-License-Identifier: GPL-2.0-only */
#include "bound.h"

#include "act.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOUND_INACTIVE 13 /* TCP_BOUND_INACTIVE of include/net/tcp_states.h */

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 what;
};

static int ask(const struct scene *scene, int family)
{
	const struct request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.what = {.sdiag_family = (uint8_t)family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = 1u << BOUND_INACTIVE},
	};
	int fd = (int)scene_must(scene, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG),
				 "sock_diag");

	scene_must(scene, send(fd, &request, sizeof(request), 0), "sock_diag");
	return fd;
}

static void say(const struct scene *scene, const struct inet_diag_msg *found, bound_socket *body,
		void *context)
{
	union address local = {0};
	char proto[16], text[ADDRESS_TEXT];

	local.any.sa_family = found->idiag_family;
	local.v4.sin_port = found->id.idiag_sport;
	if (found->idiag_family == AF_INET6)
		memcpy(&local.v6.sin6_addr, found->id.idiag_src, sizeof(local.v6.sin6_addr));
	else
		memcpy(&local.v4.sin_addr, found->id.idiag_src, sizeof(local.v4.sin_addr));
	snprintf(proto, sizeof(proto), "tcp/%s", address_type(&local));
	body(scene, found->idiag_inode, proto, address_text(&local, text), context);
}

/* False at the end of the dump. */
static bool take(const struct scene *scene, int fd, bound_socket *body, void *context)
{
	union {
		struct nlmsghdr header;
		char room[32768];
	} u;
	long left = scene_must(scene, recv(fd, &u, sizeof(u), 0), "sock_diag");

	for (struct nlmsghdr *at = &u.header; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
		if (at->nlmsg_type == NLMSG_DONE)
			return false;
		if (at->nlmsg_type == NLMSG_ERROR)
			scene_fail(scene, "sock_diag refuses");
		say(scene, NLMSG_DATA(at), body, context);
	}
	return true;
}

static void go_to(const struct scene *scene, int fd)
{
	scene_must(scene, setns(fd, CLONE_NEWNET), "setns");
	close(fd);
}

static int open_netns(const struct scene *scene, const char *path)
{
	return (int)scene_must(scene, open(path, O_RDONLY | O_CLOEXEC), path);
}

/* An IPv6 socket is listed for AF_INET6 alone, also one that IPv4 comes in through. */
void bound_each(const struct scene *scene, pid_t pid, bound_socket *body, void *context)
{
	static const int families[] = {AF_INET, AF_INET6};
	int home = open_netns(scene, "/proc/thread-self/ns/net");
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	go_to(scene, open_netns(scene, path));
	for (unsigned i = 0; i < 2; i++) {
		int fd = ask(scene, families[i]);

		while (take(scene, fd, body, context))
			continue;
		close(fd);
	}
	go_to(scene, home);
}

struct search {
	unsigned long inode;
	bool found;
};

static void compare(const struct scene *scene, unsigned long inode, const char *proto, const char *local,
		    void *context)
{
	struct search *search = context;

	search->found |= inode == search->inode;
}

bool bound_is_listed(const struct scene *scene)
{
	union address any = address_of("127.0.0.1", 0);
	int fd = act_socket(scene, AF_INET, SOCK_STREAM);
	struct search search = {0};
	struct stat st;

	scene_must(scene, bind(fd, &any.any, sizeof(any.v4)), "bind");
	scene_must(scene, fstat(fd, &st), "fstat");
	search.inode = (unsigned long)st.st_ino;
	bound_each(scene, getpid(), compare, &search);
	close(fd);
	return search.found;
}
