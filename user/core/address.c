/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define MAPPED_BITS 96 /* of ::ffff:0:0/96 */

bool address_is_v4_mapped(const uint8_t addr[16])
{
	static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, mapped, sizeof(mapped));
}

bool address_is_any(const uint8_t addr[16])
{
	static const uint8_t any[16];

	return !memcmp(addr, any, sizeof(any));
}

static uint8_t family_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* As it was written: a mapped address stays IPv6. */
static int address_read(const char *text, struct address_prefix *ret_address)
{
	struct address_prefix address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(address.family, text, address.addr) != 1)
		return -EINVAL;
	address.bits = family_bits(address.family);
	*ret_address = address;
	return 0;
}

/* A prefix shorter than the mapped range holds more than IPv4 and stays IPv6. */
static void address_unmap(struct address_prefix *prefix)
{
	if (prefix->family != AF_INET6 || prefix->bits < MAPPED_BITS || !address_is_v4_mapped(prefix->addr))
		return;
	memmove(prefix->addr, prefix->addr + MAPPED_BITS / 8, 4);
	memset(prefix->addr + 4, 0, sizeof(prefix->addr) - 4);
	prefix->family = AF_INET;
	prefix->bits -= MAPPED_BITS;
}

int address_parse(const char *text, struct address_prefix *ret_address)
{
	struct address_prefix address;
	int r = address_read(text, &address);

	if (r)
		return r;
	address_unmap(&address);
	*ret_address = address;
	return 0;
}

static int bits_parse(const char *text, uint8_t most, uint8_t *ret_bits)
{
	unsigned int bits = 0;
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return -EINVAL;
	for (; *text; text++) {
		bits = bits * 10 + (unsigned int)(*text - '0');
		if (bits > most)
			return -ERANGE;
	}
	*ret_bits = (uint8_t)bits;
	return 0;
}

int address_prefix_parse(const char *text, struct address_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	struct address_prefix prefix;
	char address[INET6_ADDRSTRLEN];
	int r;

	if (!slash)
		return address_parse(text, ret_prefix);
	if ((size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	r = address_read(address, &prefix);
	if (!r)
		r = bits_parse(slash + 1, family_bits(prefix.family), &prefix.bits);
	if (r)
		return r;
	address_unmap(&prefix);
	*ret_prefix = prefix;
	return 0;
}

bool address_prefix_contains(const struct address_prefix *prefix, uint8_t family, const uint8_t addr[16])
{
	size_t bytes = prefix->bits / 8;
	unsigned int rest = prefix->bits % 8;

	if (family != prefix->family || memcmp(addr, prefix->addr, bytes))
		return false;
	return !rest || !((addr[bytes] ^ prefix->addr[bytes]) >> (8 - rest));
}
