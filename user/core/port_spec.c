/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_spec.h"

#include "core/endpoint.h"
#include "core/filter_error.h"
#include "core/record.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PART_MAX 80 /* longer is neither an address nor a service */
#define EXPECTED "expected [ADDRESS:]PORT[/PROTOCOL], such as 8080, 127.0.0.1:80 or [::1]:53/udp"

/* A part of the word. */
struct part {
	const char *text;
	size_t length;
};

/* The word on its way. */
struct parser {
	char *word;
	const struct filter_resolver *resolver;
	struct filter_error *error;
};

/* Says that there is something wrong with a part. Always -EINVAL. */
static int refuse(const struct parser *parser, const struct part *part, const char *problem,
		  const char *expected)
{
	char found[FILTER_FOUND_SIZE];

	filter_error_set(parser->error, &parser->word, 1, (size_t)(part->text - parser->word), "%s %s; %s",
			 filter_error_found(part->text, part->length, found), problem, expected);
	return -EINVAL;
}

/* A part as a string of its own. False: too long. */
static bool copy(const struct part *part, char buf[PART_MAX])
{
	if (part->length >= PART_MAX)
		return false;
	memcpy(buf, part->text, part->length);
	buf[part->length] = '\0';
	return true;
}

/* --- protocol ---------------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	uint16_t number;
} protocols[] = {
	{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP}, {"mptcp", IPPROTO_MPTCP}};

static int read_protocol(const struct parser *parser, const struct part *part, uint16_t *ret_protocol)
{
	char name[PART_MAX];

	for (size_t i = 0; copy(part, name) && i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcasecmp(name, protocols[i].name))
			continue;
		*ret_protocol = protocols[i].number;
		return 0;
	}
	return refuse(parser, part, "is not a known protocol", "expected tcp, udp, sctp or mptcp");
}

/* --- address ----------------------------------------------------------------------------------------------
 */

static bool is_any(const struct part *part)
{
	return !part->length || (part->length == 1 && *part->text == '*');
}

static int read_address(const struct parser *parser, const struct part *part,
			struct address_prefix *ret_address)
{
	char text[PART_MAX];

	if (copy(part, text) && !address_parse(text, ret_address))
		return 0;
	if (memchr(part->text, '%', part->length))
		return refuse(parser, part, "names an interface", "expected an address alone");
	if (memchr(part->text, ':', part->length))
		return refuse(parser, part, "is not an IPv6 address", "expected one such as [::1]");
	return refuse(parser, part, "is not an address",
		      "expected one such as 127.0.0.1, [::1] or *; host names are not looked up");
}

/* --- port -------------------------------------------------------------------------------------------------
 */

static bool is_number(const struct part *part)
{
	for (size_t i = 0; i < part->length; i++)
		if (part->text[i] < '0' || part->text[i] > '9')
			return false;
	return part->length;
}

static int read_number(const struct parser *parser, const struct part *part, uint16_t *ret_port)
{
	uint32_t port = 0;

	for (size_t i = 0; i < part->length; i++) {
		port = port * 10 + (uint32_t)(part->text[i] - '0');
		if (port > UINT16_MAX)
			return refuse(parser, part, "is above 65535", "expected a port from 1 to 65535");
	}
	if (!port)
		return refuse(parser, part, "is not a port that anybody can have",
			      "expected a port from 1 to 65535");
	*ret_port = (uint16_t)port;
	return 0;
}

static int read_port(const struct parser *parser, const struct part *part, uint16_t *ret_port)
{
	const struct filter_resolver *resolver = parser->resolver;
	struct address_prefix address;
	char name[PART_MAX];

	if (is_number(part))
		return read_number(parser, part, ret_port);
	if (!part->length)
		return refuse(parser, part, "is no port", EXPECTED);
	if (resolver && resolver->service && copy(part, name) &&
	    !resolver->service(resolver->context, name, ret_port) && *ret_port)
		return 0;
	if (copy(part, name) && !address_parse(name, &address))
		return refuse(parser, part, "is an address without a port", EXPECTED);
	return refuse(parser, part, "is neither a port nor a known service",
		      "expected a port from 1 to 65535 or a service name");
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

/* Cuts off what stands before the port. */
static int split(const struct parser *parser, const struct part *whole, struct part *ret_address,
		 struct part *ret_port, bool *ret_bracketed)
{
	const char *end = whole->text + whole->length, *colon = memrchr(whole->text, ':', whole->length);
	const char *close = memchr(whole->text, ']', whole->length);

	*ret_bracketed = whole->length && *whole->text == '[';
	*ret_address = (struct part){whole->text, 0};
	*ret_port = *whole;
	if (*ret_bracketed) {
		if (!close || close + 1 == end || close[1] != ':')
			return refuse(parser, whole, "lacks ]: and a port", EXPECTED);
		*ret_address = (struct part){whole->text + 1, (size_t)(close - whole->text - 1)};
		*ret_port = (struct part){close + 2, (size_t)(end - close - 2)};
		return 0;
	}
	if (!colon)
		return 0;
	if (memchr(whole->text, ':', (size_t)(colon - whole->text)))
		return refuse(parser, whole, "has more than one colon",
			      "an IPv6 address stands in brackets, as in [::1]:53");
	*ret_address = (struct part){whole->text, (size_t)(colon - whole->text)};
	*ret_port = (struct part){colon + 1, (size_t)(end - colon - 1)};
	return 0;
}

int port_spec_parse(char *word, const struct filter_resolver *resolver, struct port_spec *ret_spec,
		    struct filter_error *error)
{
	const struct parser parser = {word, resolver, error};
	struct port_spec spec = {.port = 0};
	struct part whole = {word, strcspn(word, "/")}, address, port;
	bool bracketed;
	int result = split(&parser, &whole, &address, &port, &bracketed);

	if (!result && (bracketed || !is_any(&address)))
		result = read_address(&parser, &address, &spec.address);
	if (!result)
		result = read_port(&parser, &port, &spec.port);
	if (!result && word[whole.length]) {
		const char *name = word + whole.length + 1;
		const struct part protocol = {name, strlen(name)};

		result = read_protocol(&parser, &protocol, &spec.protocol);
	}
	if (result)
		return result;
	*ret_spec = spec;
	return 0;
}

/* --- sockets ----------------------------------------------------------------------------------------------
 */

uint16_t port_spec_space(uint16_t protocol)
{
	return protocol == IPPROTO_MPTCP ? IPPROTO_TCP : protocol;
}

static bool has_port(const struct port_spec *spec, const struct rec_socket *socket)
{
	return socket->local_port == spec->port && (!spec->netns || socket->netns == spec->netns) &&
	       (!spec->protocol || port_spec_space(socket->protocol) == port_spec_space(spec->protocol));
}

bool port_spec_matches(const struct port_spec *spec, const struct rec_socket *socket)
{
	const struct address_prefix *wanted = &spec->address;
	struct endpoint local = endpoint_local(socket);

	if (!has_port(spec, socket))
		return false;
	if (!wanted->family)
		return true;
	if (endpoint_is_wildcard(&local))
		return local.family == wanted->family ||
		       (wanted->family == AF_INET && endpoint_is_dual_stack(socket));
	return address_prefix_contains(wanted, local.family, local.addr);
}

/* A wildcard may have been of either family: it is taken for both. Who asks for all addresses, asks for each.
 */
bool port_spec_matches_place(const struct port_spec *spec, const struct rec_socket *place)
{
	const struct address_prefix *wanted = &spec->address;

	if (!has_port(spec, place))
		return false;
	if (!wanted->family || address_is_any(wanted->addr) || address_is_any(place->local_addr))
		return true;
	if (wanted->family == AF_INET && address_is_v4_mapped(place->local_addr))
		return !memcmp(place->local_addr + 12, wanted->addr, 4);
	return !memcmp(place->local_addr, wanted->addr, sizeof(wanted->addr));
}

const char *port_spec_text(const struct port_spec *spec, char *buf)
{
	const char *protocol = spec->protocol ? record_transport_name(spec->protocol) : NULL;
	struct endpoint endpoint = {.family = spec->address.family};
	char address[ENDPOINT_TEXT_MAX] = "";
	bool bracket = spec->address.family == AF_INET6;

	memcpy(endpoint.addr, spec->address.addr, sizeof(endpoint.addr));
	if (spec->address.family)
		endpoint_address_text(&endpoint, address);
	snprintf(buf, PORT_SPEC_TEXT_MAX, "%s%sport %s%s%s%s%u", protocol ? protocol : "",
		 protocol ? " " : "", bracket ? "[" : "", address, bracket ? "]" : "",
		 spec->address.family ? ":" : "", spec->port);
	return buf;
}
