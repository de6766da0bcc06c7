/* SPDX-License-Identifier: GPL-2.0-only */
#include "why_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const addresses4[] = {"0.0.0.0",   "0.0.0.0",   "127.0.0.1", "127.0.0.1",
					 "127.0.0.2", "127.0.0.6", "10.77.0.1"};
static const char *const addresses6[] = {
	"::", "::", "::", "::1", "::1", "fd77::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:10.77.0.1"};
static const char *const not_local[] = {"192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "ff02::1", "fe80::1"};
static const uint32_t users[] = {0, 0, 1000, 1001};

unsigned world_random(struct world *world, unsigned below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (unsigned)(world->random >> 20) % below;
}

static bool chance(struct world *world, unsigned percent)
{
	return world_random(world, 100) < percent;
}

void world_say(struct world *world, const char *format, ...)
{
	size_t length = strlen(world->story);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(world->story + length, sizeof(world->story) - length, format, arguments);
	va_end(arguments);
}

/* --- the place --------------------------------------------------------------------------------------------
 */

static int listen_on(const struct scene *scene, const char *text, union address *ret_address)
{
	union address address = address_of(text, 9);
	socklen_t length = address_length(&address);
	int fd = (int)scene_must(scene, socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0),
				 "socket");

	scene_must(scene, bind(fd, &address.any, length), "bind");
	scene_must(scene, listen(fd, 4096), "listen");
	*ret_address = address;
	return fd;
}

/* A second device, where there is a program that makes one. */
static void add_device(struct world *world)
{
	static const char command[] = "ip link add why0 type veth peer name why1 && ip link set why0 up && "
				      "ip link set why1 up && ip addr add 10.77.0.1/24 dev why0 && "
				      "ip -6 addr add fd77::1/64 dev why0 nodad";
	static const char otherwise[] =
		"ip addr add 10.77.0.1/32 dev lo; ip -6 addr add fd77::1/128 dev lo nodad";
	uint32_t index;

	if (system(command) && system(otherwise))
		scene_note(world->scene, "no ip(8) that could add addresses");
	world->devices[world->n_devices++] = if_nametoindex("lo");
	for (const char *const *name = (const char *const[]){"why0", "why1", NULL}; *name; name++)
		if ((index = if_nametoindex(*name)))
			world->devices[world->n_devices++] = index;
}

void world_begin(struct world *world, const struct scene *scene, uint64_t seed)
{
	*world = (struct world){.scene = scene, .random = seed | 1};
	add_device(world);
	world->listener4 = listen_on(scene, "127.0.0.1", &world->target4);
	world->listener6 = listen_on(scene, "::1", &world->target6);
	scene_must(scene, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, world->flight), "socketpair");
}

static void drop(struct world *world, unsigned index)
{
	close(world->sockets[index]);
	world->sockets[index] = world->sockets[--world->n_sockets];
}

/* What is received is closed: nobody asked for the descriptors. */
static void land_all(struct world *world)
{
	for (; world->n_flown; world->n_flown--) {
		char byte;

		recv(world->flight[1], &byte, 1, 0);
	}
}

static void empty_queue(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		close(fd);
}

void world_next(struct world *world, uint16_t port)
{
	while (world->n_sockets)
		drop(world, 0);
	land_all(world);
	fcntl(world->listener4, F_SETFL, O_NONBLOCK);
	fcntl(world->listener6, F_SETFL, O_NONBLOCK);
	empty_queue(world->listener4);
	empty_queue(world->listener6);
	world->port = port;
	world->protocol = chance(world, 70) ? IPPROTO_TCP : IPPROTO_UDP;
	world->story[0] = '\0';
}

void world_keep(struct world *world, int fd)
{
	if (world->n_sockets == WORLD_SOCKETS)
		drop(world, world_random(world, WORLD_SOCKETS));
	world->sockets[world->n_sockets++] = fd;
}

/* --- wishes -----------------------------------------------------------------------------------------------
 */

static void set_address(struct bind_wish *wish, const char *text)
{
	wish->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	memset(wish->addr, 0, sizeof(wish->addr));
	inet_pton(wish->family, text, wish->addr);
}

#define PICK(world, array) (array)[world_random(world, COUNT(array))]

struct bind_wish world_wish(struct world *world)
{
	struct bind_wish wish = {
		.port = world->port,
		.protocol = world->protocol,
		.uid = PICK(world, users),
		.device = chance(world, 12) ? world->devices[world_random(world, world->n_devices)] : 0,
		.reuseaddr = chance(world, 45),
		.reuseport = chance(world, 35),
		.privileged = !chance(world, 5),
	};

	if (chance(world, 3))
		set_address(&wish, PICK(world, not_local));
	else if (chance(world, 50))
		set_address(&wish, PICK(world, addresses4));
	else
		set_address(&wish, PICK(world, addresses6));
	wish.v6only = wish.family == AF_INET6 && chance(world, 25);
	return wish;
}

static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

static void set_device(int fd, uint32_t device)
{
	char name[IF_NAMESIZE] = "";

	if (device)
		if_indextoname(device, name);
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
}

/* Of this thread, and only in effect: it comes back. */
static void set_bind_privilege(const struct scene *scene, bool have)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	scene_must(scene, syscall(SYS_capget, &header, data), "capget");
	data[0].effective &= ~(1u << CAP_NET_BIND_SERVICE);
	if (have)
		data[0].effective |= 1u << CAP_NET_BIND_SERVICE;
	scene_must(scene, syscall(SYS_capset, &header, data), "capset");
}

static void say_wish(struct world *world, const struct bind_wish *wish)
{
	char text[INET6_ADDRSTRLEN];

	world_say(world, " [%s %s uid %u%s%s%s dev %u%s]", wish->protocol == IPPROTO_UDP ? "udp" : "tcp",
		  inet_ntop(wish->family, wish->addr, text, sizeof(text)), wish->uid,
		  wish->reuseaddr ? " reuseaddr" : "", wish->reuseport ? " reuseport" : "",
		  wish->v6only ? " v6only" : "", wish->device, wish->privileged ? "" : " unprivileged");
}

static int socket_for(struct world *world, const struct bind_wish *wish)
{
	int type = wish->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM, fd;

	setfsuid(wish->uid);
	fd = (int)scene_must(world->scene, socket(wish->family, type | SOCK_CLOEXEC, 0), "socket");
	setfsuid(0);
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, wish->reuseaddr);
	set_option(fd, SOL_SOCKET, SO_REUSEPORT, wish->reuseport);
	if (wish->family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, wish->v6only);
	if (wish->device)
		set_device(fd, wish->device);
	return fd;
}

int world_bind(struct world *world, const struct bind_wish *wish, int *ret_error)
{
	union address address = {.any = {.sa_family = wish->family}};
	int fd = socket_for(world, wish);

	if (wish->family == AF_INET) {
		memcpy(&address.v4.sin_addr, wish->addr, sizeof(address.v4.sin_addr));
		address.v4.sin_port = htons(wish->port);
	} else {
		memcpy(&address.v6.sin6_addr, wish->addr, sizeof(address.v6.sin6_addr));
		address.v6.sin6_port = htons(wish->port);
	}
	if (!wish->privileged)
		set_bind_privilege(world->scene, false);
	*ret_error = bind(fd, &address.any, address_length(&address)) ? errno : 0;
	if (!wish->privileged)
		set_bind_privilege(world->scene, true);
	say_wish(world, wish);
	world_say(world, "=%d", *ret_error);
	return fd;
}

/* --- acts -------------------------------------------------------------------------------------------------
 */

static int any_socket(struct world *world)
{
	return world->n_sockets ? world->sockets[world_random(world, world->n_sockets)] : -1;
}

static void act_change_option(struct world *world, int fd)
{
	unsigned what = world_random(world, 10);
	int value = (int)world_random(world, 2);

	world_say(world, " option%u=%d", what, value);
	if (what < 4)
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, value);
	else if (what < 8)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, value);
	else if (what == 8)
		set_device(fd, value ? world->devices[world_random(world, world->n_devices)] : 0);
	else
		scene_must(world->scene, fchown(fd, PICK(world, users), (gid_t)-1), "fchown");
}

static void act_listen_on(struct world *world, int fd)
{
	world_say(world, " listen=%d", listen(fd, 16) ? errno : 0);
}

static void never_wait(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Out of this port, to somebody else. */
static void act_connect_out(struct world *world, int fd)
{
	union address local = {0};
	socklen_t length = sizeof(local);
	const union address *to;

	getsockname(fd, &local.any, &length);
	to = local.any.sa_family == AF_INET6 && chance(world, 70) ? &world->target6 : &world->target4;
	never_wait(fd);
	world_say(world, " connect=%d", connect(fd, &to->any, address_length(to)) ? errno : 0);
}

static union address address_of_listener(struct world *world, int fd)
{
	union address to = {0};
	socklen_t length = sizeof(to);

	getsockname(fd, &to.any, &length);
	if (to.any.sa_family == AF_INET && !to.v4.sin_addr.s_addr)
		to.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (to.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&to.v6.sin6_addr))
		to = chance(world, 50) ? address_of("::1", world->port)
				       : address_of("127.0.0.1", world->port);
	return to;
}

/* From some port to a listener here; who of the two closes first keeps TIME_WAIT. */
static void act_connect_in(struct world *world, int fd)
{
	union address to = address_of_listener(world, fd);
	int client = (int)scene_must(world->scene, socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0),
				     "socket");
	int error, server = -1;

	never_wait(client);
	never_wait(fd);
	error = connect(client, &to.any, address_length(&to)) ? errno : 0;
	if (chance(world, 70))
		server = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	world_say(world, " in=%d%s", error, server < 0 ? "" : "+accept");
	if (server >= 0 && chance(world, 50))
		world_keep(world, server);
	else if (server >= 0)
		close(server);
	if (world->n_sockets < WORLD_SOCKETS - 2 && chance(world, 40))
		world_keep(world, client);
	else
		close(client);
}

static void act_send_away(struct world *world, unsigned index)
{
	if (world->n_flown == 8)
		return;
	act_send_descriptor(world->scene, world->flight[0], world->sockets[index]);
	world->n_flown++;
	drop(world, index);
	world_say(world, " flies");
}

static bool is_state(int fd, int state)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) && info.tcpi_state == state;
}

static void act_tcp(struct world *world, int fd)
{
	if (is_state(fd, TCP_LISTEN) && chance(world, 80))
		act_connect_in(world, fd);
	else if (is_state(fd, TCP_CLOSE) && chance(world, 50))
		act_listen_on(world, fd);
	else if (is_state(fd, TCP_CLOSE))
		act_connect_out(world, fd);
	else
		world_say(world, " shutdown=%d", shutdown(fd, SHUT_WR) ? errno : 0);
}

void world_act(struct world *world)
{
	int fd = any_socket(world);

	if (fd < 0)
		return;
	if (chance(world, 30)) {
		act_change_option(world, fd);
	} else if (chance(world, 12)) {
		act_send_away(world, world_random(world, world->n_sockets));
	} else if (chance(world, 20)) {
		world_say(world, " close");
		drop(world, world_random(world, world->n_sockets));
	} else if (world->protocol == IPPROTO_TCP) {
		act_tcp(world, fd);
	} else {
		act_connect_out(world, fd);
	}
}
