/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/loopback.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PATIENCE_MS 1000

int loopback_check(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &lo))
		error = -errno;
	else if (!(lo.ifr_flags & IFF_UP))
		error = -ENETDOWN;
	close(fd);
	return error;
}

/* --- addresses --------------------------------------------------------------------------------------------
 */

union loopback_address loopback_address(int family, uint16_t port)
{
	union loopback_address address = {.any.sa_family = (sa_family_t)family};

	if (family == AF_INET6) {
		address.v6.sin6_addr = in6addr_loopback;
		address.v6.sin6_port = htons(port);
	} else {
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.v4.sin_port = htons(port);
	}
	return address;
}

socklen_t loopback_address_length(const union loopback_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

static uint16_t port_by(int (*name)(int fd, struct sockaddr *address, socklen_t *length), int fd)
{
	union loopback_address address = {0};
	socklen_t length = sizeof(address);

	if (name(fd, &address.any, &length))
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

uint16_t loopback_port(int fd)
{
	return port_by(getsockname, fd);
}

uint16_t loopback_peer_port(int fd)
{
	return port_by(getpeername, fd);
}

uint64_t loopback_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) ? 0 : cookie;
}

/* --- sockets ----------------------------------------------------------------------------------------------
 */

int loopback_socket(int family, int type)
{
	return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int loopback_bound(int family, int type)
{
	union loopback_address address = loopback_address(family, 0);
	int fd = loopback_socket(family, type), error;

	if (fd < 0 || bind(fd, &address.any, loopback_address_length(&address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

bool loopback_is_ready(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	return poll(&pollfd, 1, PATIENCE_MS) == 1;
}

int loopback_connect(int fd, const union loopback_address *address)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (connect(fd, &address->any, loopback_address_length(address)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!loopback_is_ready(fd, POLLOUT))
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) ? errno : error;
}

void loopback_close(int fd)
{
	const struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static int connect_client(int family, int listener, int *ret_client)
{
	union loopback_address address = loopback_address(family, loopback_port(listener));
	int client = loopback_socket(family, SOCK_STREAM);
	int error = client < 0 ? errno : loopback_connect(client, &address);

	if (!error && !loopback_is_ready(listener, POLLIN))
		error = ETIMEDOUT;
	if (!error)
		*ret_client = client;
	else if (client >= 0)
		close(client);
	return error;
}

int loopback_waiting_connection(int family, int *ret_listener, int *ret_client)
{
	int listener = loopback_bound(family, SOCK_STREAM);
	int error = listener < 0 || listen(listener, 1) ? errno : 0;

	if (!error)
		error = connect_client(family, listener, ret_client);
	if (!error)
		*ret_listener = listener;
	else if (listener >= 0)
		close(listener);
	return error;
}
