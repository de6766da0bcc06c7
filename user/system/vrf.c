/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/vrf.h"

#include "system/proc.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct link {
	uint32_t master; /* 0: none */
	bool is_vrf;
};

static bool kind_is_vrf(const struct rtattr *info)
{
	const struct rtattr *part = RTA_DATA(info);
	int left = (int)RTA_PAYLOAD(info);

	for (; RTA_OK(part, left); part = RTA_NEXT(part, left))
		if (part->rta_type == IFLA_INFO_KIND)
			return RTA_PAYLOAD(part) >= 3 && !memcmp(RTA_DATA(part), "vrf", 3);
	return false;
}

static int read_link(const struct nlmsghdr *message, struct link *ret_link)
{
	const struct rtattr *part = IFLA_RTA(NLMSG_DATA(message));
	int left = (int)IFLA_PAYLOAD(message);
	struct link link = {0};

	if (message->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(message))->error;
	if (message->nlmsg_type != RTM_NEWLINK)
		return -EBADMSG;
	for (; RTA_OK(part, left); part = RTA_NEXT(part, left)) {
		if (part->rta_type == IFLA_MASTER)
			memcpy(&link.master, RTA_DATA(part), sizeof(link.master));
		else if ((part->rta_type & NLA_TYPE_MASK) == IFLA_LINKINFO)
			link.is_vrf = kind_is_vrf(part);
	}
	*ret_link = link;
	return 0;
}

static int ask(int fd, uint32_t device, struct link *ret_link)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg what;
	} question = {
		.header = {.nlmsg_len = sizeof(question),
			   .nlmsg_type = RTM_GETLINK,
			   .nlmsg_flags = NLM_F_REQUEST},
		.what = {.ifi_family = AF_UNSPEC, .ifi_index = (int)device},
	};
	char answer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *message = (const void *)answer;
	ssize_t n;

	if (send(fd, &question, sizeof(question), 0) < 0)
		return -errno;
	n = recv(fd, answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	return NLMSG_OK(message, (size_t)n) ? read_link(message, ret_link) : -EBADMSG;
}

static bool are_kept_apart(void)
{
	char text[8];

	/* 1: a socket takes connections of all VRFs. Where there are none, there is no such setting. */
	return proc_read("/proc/sys/net/ipv4/tcp_l3mdev_accept", text, sizeof(text)) > 0 && text[0] == '0';
}

int vrf_of_device(uint32_t device, uint32_t *ret_vrf)
{
	struct link link = {0}, master = {0};
	int fd, error;

	*ret_vrf = 0;
	if (!device || !are_kept_apart())
		return 0;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	error = ask(fd, device, &link);
	if (!error && !link.is_vrf && link.master)
		error = ask(fd, link.master, &master);
	close(fd);
	if (!error)
		*ret_vrf = link.is_vrf ? device : master.is_vrf ? link.master : 0;
	return error;
}
