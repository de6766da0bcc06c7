/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/cookies.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANSWER_BYTES 32768

static int ask(int fd, int family, int protocol)
{
	const struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = {.nlmsg_len = sizeof(message),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = (__u8)family,
			    .sdiag_protocol = (__u8)protocol,
			    .idiag_states = ~0u},
	};

	return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

/* What is told is of no interest. 1 at the end, 0 when there is more. */
static int is_over(const char *answer, size_t size)
{
	const struct nlmsghdr *header = (const void *)answer;

	for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(header))->error ?: -EPROTO;
	}
	return 0;
}

static int read_answer(int fd)
{
	static _Thread_local char answer[ANSWER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	int over = 0;

	while (!over) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n >= 0)
			over = n ? is_over(answer, (size_t)n) : -EPROTO;
	}
	return over < 0 ? over : 0;
}

int cookies_make(void)
{
	static const int families[] = {AF_INET, AF_INET6}, protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), error = 0;

	if (fd < 0)
		return -errno;
	for (unsigned i = 0; i < 4 && !error; i++) {
		error = ask(fd, families[i / 2], protocols[i % 2]);
		if (!error)
			error = read_answer(fd);
	}
	close(fd);
	return error;
}

int cookies_make_of(pid_t pid, int descriptor)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0), error = process < 0 ? -errno : 0, fd = -1;
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	if (!error) {
		fd = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
		error = fd < 0 ? -errno : 0;
		close(process);
	}
	if (!error && getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length))
		error = -errno;
	if (fd >= 0)
		close(fd);
	return error;
}
