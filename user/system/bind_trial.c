/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/bind_trial.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT	4660
#define SOCKETS 12 /* more than fit a short slot of the kernel's table (10) */
#define NETWORK 0x0a4d0000

struct attempt {
	int fds[SOCKETS + 1];
	int n;
};

/* With any address: IP_FREEBIND needs none to be there. 0 or a negative errno. */
static int bind_to(struct attempt *attempt, int type, const struct sockaddr *address, socklen_t length)
{
	int fd = socket(address->sa_family, type | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -errno;
	attempt->fds[attempt->n++] = fd;
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) || bind(fd, address, length))
		return -errno;
	return 0;
}

static int bind_udp(struct attempt *attempt, uint32_t address)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(address)};

	return bind_to(attempt, SOCK_DGRAM, (const struct sockaddr *)&to, sizeof(to));
}

static int bind_mapped(struct attempt *attempt, uint32_t address)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};

	to.sin6_addr.s6_addr32[2] = htonl(0xffff);
	to.sin6_addr.s6_addr32[3] = htonl(address);
	return bind_to(attempt, SOCK_STREAM, (const struct sockaddr *)&to, sizeof(to));
}

/* What the last bind said, as an answer. */
static int answer_of(int error)
{
	return error == -EADDRINUSE ? 0 : error ? error : 1;
}

static int try_udp(struct attempt *attempt)
{
	for (uint32_t i = 1; i <= SOCKETS; i++) {
		int error = bind_udp(attempt, NETWORK + i);

		if (error)
			return error;
	}
	return answer_of(bind_udp(attempt, INADDR_ANY));
}

static int try_mapped(struct attempt *attempt)
{
	int error = bind_mapped(attempt, INADDR_ANY);

	return error ? error : answer_of(bind_mapped(attempt, NETWORK + 1));
}

/* --- a namespace ------------------------------------------------------------------------------------------
 */

struct trial {
	int (*body)(struct attempt *attempt);
	int result;
};

static void *run(void *context)
{
	struct attempt attempt = {.n = 0};
	struct trial *trial = context;

	trial->result = unshare(CLONE_NEWNET) ? -errno : trial->body(&attempt);
	while (attempt.n > 0)
		close(attempt.fds[--attempt.n]);
	return NULL;
}

static int apart(int (*body)(struct attempt *attempt))
{
	struct trial trial = {.body = body};
	pthread_t thread;
	int error = pthread_create(&thread, NULL, run, &trial);

	if (error)
		return -error;
	pthread_join(thread, NULL);
	return trial.result;
}

int bind_trial_udp_wildcards_by_address(void)
{
	return apart(try_udp);
}

int bind_trial_mapped_by_address(void)
{
	return apart(try_mapped);
}
