/* SPDX-License-Identifier: GPL-2.0-only */
#include "act.h"

#include "truth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

/* --- addresses --------------------------------------------------------------------------------------------
 */

union address address_of(const char *text, uint16_t port)
{
	union address address = {0};

	if (strchr(text, ':')) {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(port);
		inet_pton(AF_INET6, text, &address.v6.sin6_addr);
	} else {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(port);
		inet_pton(AF_INET, *text ? text : "0.0.0.0", &address.v4.sin_addr);
	}
	return address;
}

socklen_t address_length(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

/* The same place in both families. */
uint16_t address_port(const union address *address)
{
	return ntohs(address->v4.sin_port);
}

static bool is_mapped(const union address *address)
{
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr);
}

const char *address_type(const union address *address)
{
	return address->any.sa_family == AF_INET || is_mapped(address) ? "ipv4" : "ipv6";
}

const char *address_text(const union address *address, char buf[ADDRESS_TEXT])
{
	char text[INET6_ADDRSTRLEN], port[8] = "-";
	bool v6 = address->any.sa_family == AF_INET6 && !is_mapped(address);

	if (v6)
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
	else if (is_mapped(address))
		inet_ntop(AF_INET, address->v6.sin6_addr.s6_addr + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
	if (address_port(address))
		snprintf(port, sizeof(port), "%u", address_port(address));
	snprintf(buf, ADDRESS_TEXT, v6 ? "[%s]:%s" : "%s:%s", text, port);
	return buf;
}

/* --- what a socket is -------------------------------------------------------------------------------------
 */

uint64_t cookie_of(const struct scene *scene, int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	scene_must(scene, getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), "SO_COOKIE");
	return cookie;
}

static int option_of(const struct scene *scene, int fd, int level, int option)
{
	int value = 0;
	socklen_t length = sizeof(value);

	scene_must(scene, getsockopt(fd, level, option, &value, &length), "getsockopt");
	return value;
}

struct held held_of(const struct scene *scene, int fd)
{
	struct held held = {.cookie = cookie_of(scene, fd), .peer = "-"};
	union address peer = {0};
	socklen_t length = sizeof(held.local_address);

	scene_must(scene, getsockname(fd, &held.local_address.any, &length), "getsockname");
	held.port = address_port(&held.local_address);
	address_text(&held.local_address, held.local);
	length = sizeof(peer);
	if (getpeername(fd, &peer.any, &length) == 0)
		address_text(&peer, held.peer);
	snprintf(held.proto, sizeof(held.proto), "%s/%s",
		 option_of(scene, fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM ? "tcp" : "udp",
		 address_type(&held.local_address));
	return held;
}

const char *errno_text(int error)
{
	const char *name = error ? strerrorname_np(error) : "-";

	return name ? name : "?";
}

pid_t thread_id(void)
{
	return (pid_t)syscall(SYS_gettid);
}

/* reuseaddr,reuseport,... as the event lists them */
static const char *options_text(const struct scene *scene, int fd, char buf[64])
{
	const struct {
		int level, option;
		const char *name;
	} all[] = {
		{SOL_SOCKET, SO_REUSEADDR, "reuseaddr"}, {SOL_SOCKET, SO_REUSEPORT, "reuseport"},
		{IPPROTO_IP, IP_FREEBIND, "freebind"},	 {IPPROTO_IP, IP_TRANSPARENT, "transparent"},
		{IPPROTO_IPV6, IPV6_V6ONLY, "v6only"},
	};
	bool v6 = option_of(scene, fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6;

	strcpy(buf, "");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if ((all[i].level == IPPROTO_IPV6 && !v6) ||
		    !option_of(scene, fd, all[i].level, all[i].option))
			continue;
		if (*buf)
			strcat(buf, ",");
		strcat(buf, all[i].name);
	}
	return *buf ? buf : "-";
}

/* --- acts -------------------------------------------------------------------------------------------------
 */

int act_socket(const struct scene *scene, int family, int type)
{
	return (int)scene_must(scene, socket(family, type | SOCK_CLOEXEC, 0), "socket");
}

void act_option(const struct scene *scene, int fd, int level, int option, int value)
{
	scene_must(scene, setsockopt(fd, level, option, &value, sizeof(value)), "setsockopt");
}

int act_bind(const struct scene *scene, int fd, const union address *address)
{
	int error = bind(fd, &address->any, address_length(address)) ? errno : 0;
	struct held held = held_of(scene, fd);
	char asked[ADDRESS_TEXT], options[64];

	address_text(address, asked);
	truth_log(scene,
		  "bind cookie=%llu proto=%.3s/%s pid=%d tid=%d local=%s asked=%u by=%s error=%s options=%s "
		  "deferred=%s source=event",
		  (unsigned long long)held.cookie, held.proto, address_type(address), getpid(), thread_id(),
		  error ? asked : held.local, address_port(address),
		  !error && !address_port(address) && held.port ? "bind" : "-", errno_text(error),
		  options_text(scene, fd, options), !error && !held.port ? "yes" : "-");
	return error;
}

int act_listen(const struct scene *scene, int fd, int backlog)
{
	bool was_unbound = !held_of(scene, fd).port;
	int error = listen(fd, backlog) ? errno : 0;
	struct held held = held_of(scene, fd);
	char limit[16] = "-";

	if (!error)
		snprintf(limit, sizeof(limit), "%d", backlog);
	truth_log(scene, "listen cookie=%llu proto=%s pid=%d tid=%d local=%s backlog=%s by=%s error=%s",
		  (unsigned long long)held.cookie, held.proto, getpid(), thread_id(), held.local, limit,
		  was_unbound && !error ? "listen" : "-", errno_text(error));
	return error;
}

int act_connect_start(const struct scene *scene, int fd, const union address *peer)
{
	return connect(fd, &peer->any, address_length(peer)) ? errno : 0;
}

int act_connect(const struct scene *scene, int fd, const union address *peer)
{
	struct held before = held_of(scene, fd), after;
	int error = act_connect_start(scene, fd, peer);
	bool tcp = !strncmp(before.proto, "tcp", 3);
	char text[ADDRESS_TEXT];

	after = held_of(scene, fd);
	if (!tcp && !before.port && after.port)
		truth_log(scene, "autobind cookie=%llu proto=%s pid=%d tid=%d local=%s by=connect late=-",
			  (unsigned long long)after.cookie, after.proto, getpid(), thread_id(), after.local);
	if (!tcp && !error)
		return 0;
	truth_log(scene, "connect cookie=%llu proto=%.3s/%s pid=%d tid=%d local=%s peer=%s by=%s error=%s",
		  (unsigned long long)after.cookie, before.proto, address_type(peer), getpid(), thread_id(),
		  error ? "*" : after.local, address_text(peer, text),
		  error		? "*"
		  : before.port ? "-"
				: "connect",
		  errno_text(error));
	return error;
}

int act_sendto(const struct scene *scene, int fd, const union address *peer, const void *data, size_t size)
{
	struct held before = held_of(scene, fd), after;
	int error = sendto(fd, data, size, 0, &peer->any, address_length(peer)) < 0 ? errno : 0;

	after = held_of(scene, fd);
	if (!before.port && after.port)
		truth_log(scene, "autobind cookie=%llu proto=%s pid=%d tid=%d local=%s by=send late=-",
			  (unsigned long long)after.cookie, after.proto, getpid(), thread_id(), after.local);
	return error;
}

int accept_by(int fd, enum accept_variant variant)
{
	union address peer;
	socklen_t length = sizeof(peer);

	switch (variant) {
	case ACCEPT_NULL:
		return accept(fd, NULL, NULL);
	case ACCEPT_ADDRESS:
		return accept(fd, &peer.any, &length);
	case ACCEPT4_NULL:
		return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	default:
		return accept4(fd, &peer.any, &length, SOCK_CLOEXEC);
	}
}

int act_accept(const struct scene *scene, int fd, enum accept_variant variant)
{
	uint64_t listener = cookie_of(scene, fd);
	int new = (int)scene_must(scene, accept_by(fd, variant), "accept");
	bool named = variant == ACCEPT_ADDRESS || variant == ACCEPT4_ADDRESS;
	struct held held = held_of(scene, new);
	/* Without an address the tool may see a descriptor only, which any thread of the process may have
	 * got. */
	const char *maybe = named || !scene->threaded ? "" : "?";

	truth_log(scene, "accept cookie=%llu proto=%s pid=%d tid=%d%s local=%s peer=%s listener=%llu",
		  (unsigned long long)held.cookie, held.proto, getpid(), thread_id(), maybe, held.local,
		  held.peer, (unsigned long long)listener);
	return new;
}

void truth_close(const struct scene *scene, pid_t pid, const struct held *held, const char *rest)
{
	char who[16] = "-";

	if (pid)
		snprintf(who, sizeof(who), scene->looked_at ? "%d?" : "%d", pid);
	truth_log(scene, "close cookie=%llu proto=%s pid=%s local=%s peer=%s %s",
		  (unsigned long long)held->cookie, held->proto, who, held->local, held->peer, rest);
}

void act_close(const struct scene *scene, int fd, const struct held *held, const char *rest, ...)
{
	struct held now;
	char text[256];
	va_list arguments;

	if (!held) {
		now = held_of(scene, fd);
		held = &now;
	}
	va_start(arguments, rest);
	vsnprintf(text, sizeof(text), rest, arguments);
	va_end(arguments);
	truth_close(scene, getpid(), held, text);
	close(fd);
}

void act_close_pair(const struct scene *scene, int client, int server)
{
	struct held held = held_of(scene, server);

	act_close(scene, client, NULL, "reason=local direction=out sent=0 received=0");
	receive_end(scene, server);
	act_close(scene, server, &held, "reason=peer direction=in sent=0 received=0");
}

void act_connection(const struct scene *scene, uint16_t port)
{
	union address address = address_of("127.0.0.1", port);
	int listener = act_listener(scene, &address, 5), fd = act_socket(scene, AF_INET, SOCK_STREAM);

	act_connect(scene, fd, &address);
	act_close_pair(scene, fd, act_accept(scene, listener, ACCEPT_NULL));
	act_close(scene, listener, NULL, "reason=local state=listen accepts=1");
}

int act_listener(const struct scene *scene, const union address *address, int backlog)
{
	int fd = act_socket(scene, address->any.sa_family, SOCK_STREAM), error;

	error = act_bind(scene, fd, address);
	if (!error)
		error = act_listen(scene, fd, backlog);
	if (error)
		scene_fail(scene, "no listener: %s", strerror(error));
	return fd;
}

/* --- data -------------------------------------------------------------------------------------------------
 */

void send_all(const struct scene *scene, int fd, size_t size)
{
	static const char zeros[65536];

	while (size) {
		size_t part = size < sizeof(zeros) ? size : sizeof(zeros);

		size -= (size_t)scene_must(scene, send(fd, zeros, part, MSG_NOSIGNAL), "send");
	}
}

void receive_all(const struct scene *scene, int fd, size_t size)
{
	char buf[65536];

	while (size) {
		size_t part = size < sizeof(buf) ? size : sizeof(buf);
		long n = scene_must(scene, recv(fd, buf, part, 0), "recv");

		if (!n)
			scene_fail(scene, "the other side ended too early");
		size -= (size_t)n;
	}
}

void receive_end(const struct scene *scene, int fd)
{
	char byte;

	if (scene_must(scene, recv(fd, &byte, 1, 0), "recv") != 0)
		scene_fail(scene, "the other side sent too much");
}

void reset_on_close(const struct scene *scene, int fd)
{
	struct linger linger = {.l_onoff = 1};

	scene_must(scene, setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "SO_LINGER");
}

void act_send_descriptor(const struct scene *scene, int through, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] = {0};
	char nothing = 0;
	struct iovec byte = {.iov_base = &nothing, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	scene_must(scene, sendmsg(through, &message, 0), "sendmsg");
}
