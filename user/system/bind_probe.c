/* SPDX-License-Identifier: GPL-2.0-only */
#include "system/bind_probe.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(sa_family_t family, uint16_t protocol)
{
	return socket(family, (protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, protocol);
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int set_device(int fd, uint32_t device)
{
	char name[IF_NAMESIZE];

	if (!device)
		return 0;
	if (!if_indextoname(device, name))
		return -ENODEV;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) ? -errno : 0;
}

static bool is_wildcard(const struct bind_probe *probe)
{
	static const uint8_t any[sizeof(probe->addr)] = {0};

	return !memcmp(probe->addr, any, sizeof(any));
}

/* A wildcard is always there: a trace that runs need not hear of it. */
static int bind_address(int fd, const struct bind_probe *probe)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to = {.any = {.sa_family = probe->family}};
	socklen_t length = probe->family == AF_INET ? sizeof(to.v4) : sizeof(to.v6);

	if (probe->family == AF_INET)
		memcpy(&to.v4.sin_addr, probe->addr, sizeof(to.v4.sin_addr));
	else
		memcpy(&to.v6.sin6_addr, probe->addr, sizeof(to.v6.sin6_addr));
	return !is_wildcard(probe) && bind(fd, &to.any, length) ? errno : 0;
}

int bind_probe(const struct bind_probe *probe, int *ret_fd, int *ret_address_error)
{
	int fd = open_socket(probe->family, probe->protocol), error;

	if (fd < 0)
		return -errno;
	error = set_device(fd, probe->device);
	if (!error && probe->family == AF_INET6)
		error = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, probe->v6only);
	if (!error)
		error = set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (error) {
		close(fd);
		return error;
	}
	*ret_address_error = bind_address(fd, probe);
	*ret_fd = fd;
	return 0;
}

bool bind_probe_v6only_default(void)
{
	int fd = open_socket(AF_INET6, IPPROTO_TCP), value = 0;
	socklen_t length = sizeof(value);

	if (fd < 0)
		return false;
	if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &length))
		value = 0;
	close(fd);
	return value;
}
