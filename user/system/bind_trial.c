/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/bind_trial.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT	4660
#define SOCKETS 12 /* more than fit a short slot of the kernel's table (10) */
#define NETWORK 0x0a4d0000

/* Any address: IP_FREEBIND needs none to be there. 0 or a negative errno; *ret_fd in both cases. */
static int bind_to(uint32_t address, int *ret_fd)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(address)};
	int one = 1;

	*ret_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*ret_fd < 0 || setsockopt(*ret_fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)))
		return -errno;
	return bind(*ret_fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
}

static int try_it(void)
{
	int fds[SOCKETS + 1], n = 0, error = 0;

	while (n < SOCKETS && !error) {
		error = bind_to(NETWORK + 1 + (uint32_t)n, &fds[n]);
		n++;
	}
	if (!error) {
		error = bind_to(INADDR_ANY, &fds[n++]);
		error = error == -EADDRINUSE ? 1 : error;
	}
	while (n-- > 0)
		if (fds[n] >= 0)
			close(fds[n]);
	return error;
}

static void *body(void *result)
{
	*(int *)result = unshare(CLONE_NEWNET) ? -errno : try_it();
	return NULL;
}

/* On a thread of its own, which leaves the namespace by ending. */
int bind_trial_finds_addresses(void)
{
	pthread_t thread;
	int result, error = pthread_create(&thread, NULL, body, &result);

	if (error)
		return -error;
	pthread_join(thread, NULL);
	return result;
}
