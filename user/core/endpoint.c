/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/endpoint.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* ::ffff:a.b.c.d is an IPv4 address on the wire (RFC 4291, section 2.5.5.2). */
static struct endpoint endpoint_make(const uint8_t addr[16], uint8_t family, uint16_t port)
{
	struct endpoint endpoint = {.family = family, .port = port};

	if (family == AF_INET6 && !memcmp(addr, mapped_prefix, sizeof(mapped_prefix))) {
		endpoint.family = AF_INET;
		memcpy(endpoint.addr, addr + sizeof(mapped_prefix), 4);
	} else {
		memcpy(endpoint.addr, addr, family == AF_INET ? 4 : 16);
	}
	return endpoint;
}

struct endpoint endpoint_local(const struct rec_socket *socket)
{
	return endpoint_make(socket->local_addr, socket->family, socket->local_port);
}

struct endpoint endpoint_peer(const struct rec_socket *socket)
{
	return endpoint_make(socket->peer_addr, socket->family, socket->peer_port);
}

bool endpoint_is_wildcard(const struct endpoint *endpoint)
{
	static const uint8_t zero[16];

	return !memcmp(endpoint->addr, zero, sizeof(zero));
}

bool endpoint_is_dual_stack(const struct rec_socket *socket)
{
	struct endpoint local = endpoint_local(socket);

	return local.family == AF_INET6 && endpoint_is_wildcard(&local) &&
	       !(socket->options & SOCKOPT_V6ONLY);
}

/* Decimal digits of up to five, without printf. */
static char *digits_put(char *to, unsigned value)
{
	char digits[5];
	int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		*to++ = digits[--n];
	return to;
}

static const char *ipv4_text(const uint8_t addr[4], char *buf)
{
	char *to = buf;

	for (int i = 0; i < 4; i++) {
		to = digits_put(to, addr[i]);
		*to++ = '.';
	}
	to[-1] = '\0';
	return buf;
}

const char *endpoint_address_text(const struct endpoint *endpoint, char *buf)
{
	if (endpoint->family == AF_INET)
		return ipv4_text(endpoint->addr, buf);
	if (!inet_ntop(endpoint->family, endpoint->addr, buf, ENDPOINT_TEXT_MAX))
		buf[0] = '\0';
	return buf;
}

const char *endpoint_text(const struct endpoint *endpoint, char *buf)
{
	char *to = buf;
	bool bracket = endpoint->family == AF_INET6 && !endpoint_is_wildcard(endpoint);

	if (endpoint_is_wildcard(endpoint)) {
		*to++ = '*';
	} else {
		if (bracket)
			*to++ = '[';
		endpoint_address_text(endpoint, to);
		to += strlen(to);
		if (bracket)
			*to++ = ']';
	}
	*to++ = ':';
	if (endpoint->port)
		to = digits_put(to, endpoint->port);
	else
		*to++ = '*';
	*to = '\0';
	return buf;
}
