/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of why: short, and only what is so. */
#include "core/address.h"
#include "core/bind_address.h"
#include "view/why_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#define MS_PER_S 1000

void why_wish(struct text *text, const struct bind_wish *wish)
{
	struct rec_socket socket = {.protocol = wish->protocol,
				    .family = wish->family,
				    .local_port = wish->port,
				    .options = wish->v6only ? SOCKOPT_V6ONLY : 0};
	char address[ENDPOINT_TEXT_MAX];
	struct endpoint local;

	memcpy(socket.local_addr, wish->addr, sizeof(socket.local_addr));
	local = endpoint_local(&socket);
	text_format(text, "%s ", record_transport_name(wish->protocol));
	if (endpoint_is_dual_stack(&socket))
		text_put(text, "*");
	else
		text_format(text, local.family == AF_INET6 ? "[%s]" : "%s",
			    endpoint_address_text(&local, address));
	text_format(text, ":%u", wish->port);
}

/* --- one socket -------------------------------------------------------------------------------------------
 */

static const char *overlap_words(enum bind_overlap overlap)
{
	static const char *const words[OVERLAP_COUNT] = {
		[OVERLAP_NONE] = "",
		[OVERLAP_SAME] = "on the same address",
		[OVERLAP_THEIR_WILDCARD] = "on every address, this one too",
		[OVERLAP_THEIR_DUAL] = "as an IPv6 socket that has IPv4 too",
		[OVERLAP_OUR_WILDCARD] = "on one of the addresses that are asked for",
		[OVERLAP_OUR_DUAL] = "on IPv4, which is asked for too",
	};

	return words[overlap];
}

static void time_wait_rule(struct text *text, const struct why_answer *answer, const struct why_row *row)
{
	uint32_t left = bind_row_seconds_left(answer->inventory, row->found);

	text_put(text, "it is what a closed connection leaves behind, ");
	if (left)
		text_format(text, "gone in %" PRIu32 " s", left);
	else
		text_put(text, "gone within 60 s");
}

void why_rule(struct text *text, const struct why_answer *answer, const struct why_row *row)
{
	static const char *const words[RULE_COUNT] = {
		[RULE_LISTENER] = "it listens",
		[RULE_BOUND] = "it has bound the port, without listening,",
		[RULE_CONNECTION] = "its connection holds the port",
		[RULE_UDP] = "it has the port",
		[RULE_REUSEPORT_USER] = "both have SO_REUSEPORT, but it belongs to another user; it is",
	};

	if (row->conflict->rule == RULE_TIME_WAIT) {
		time_wait_rule(text, answer, row);
		return;
	}
	text_format(text, "%s %s", words[row->conflict->rule], overlap_words(row->conflict->overlap));
}

static void put_or(struct text *text, size_t begin)
{
	if (text->length > begin)
		text_put(text, ", or ");
}

/* What holds it, as one would stop it. ended: the word stands there already. */
static void put_unit(struct text *text, const struct cgroup_name *place, const struct actor *actor,
		     bool numeric, bool *ended)
{
	struct cgroup_part unit = cgroup_telling_unit(place);
	bool is_service = unit.length > 8 && !memcmp(unit.text + unit.length - 8, ".service", 8);

	if (cgroup_is_container(place)) {
		text_put(text, "stop container ");
		text_container(text, place, numeric);
	} else if (is_service) {
		text_put(text, "systemctl stop ");
		text_name(text, unit.text, unit.length);
	} else {
		text_put(text, *ended ? "" : "end ");
		text_comm(text, actor);
		text_format(text, "(%u)", actor->pid);
	}
	*ended = !cgroup_is_container(place) && !is_service;
}

#define STOPS_MAX 3 /* of those who would have to be stopped, by name */

/* All of its holders must go; a unit's only once. */
static void put_stop(struct text *text, const struct model *model, const struct why_answer *answer,
		     const struct why_row *row)
{
	char last[CGROUP_PART_TEXT_MAX * 2] = "", one[sizeof(last)];
	bool ended = false;
	unsigned n = 0;

	for (const struct holder *holder = row->socket.holders; holder; holder = holder->next) {
		const struct actor actor = describe_holder(model, holder);
		struct text name = text_in(one, sizeof(one));
		struct cgroup_name place;

		actor_place(model, &actor, &place);
		put_unit(&name, &place, &actor, answer->who.list.view.numeric, &ended);
		if (!strcmp(one, last))
			continue;
		memcpy(last, one, sizeof(last));
		if (n++ == STOPS_MAX) {
			text_put(text, " and the others");
			return;
		}
		text_format(text, "%s%s", n > 1 ? " and " : "", one);
	}
}

static void put_user(struct text *text, const struct model *model, const struct why_answer *answer,
		     uint32_t uid)
{
	text_put(text, "ask as user ");
	text_user(text, model, uid, answer->who.list.view.numeric);
	text_put(text, " with SO_REUSEPORT");
}

static const char *option_words(unsigned remedy)
{
	switch (remedy) {
	case REMEDY_REUSEADDR:
		return "set SO_REUSEADDR in the program that asks";
	case REMEDY_REUSEPORT:
		return "set SO_REUSEPORT in the program that asks";
	case REMEDY_V6ONLY:
		return "set IPV6_V6ONLY in the program that asks, if IPv6 is enough";
	default:
		return NULL;
	}
}

/* It has one of those that are asked for: the others are not in its way. */
static void put_other_address(struct text *text, const struct why_row *row, size_t begin)
{
	struct endpoint local = endpoint_local(&row->socket.socket);
	enum bind_overlap overlap = row->conflict->overlap;
	char address[ENDPOINT_TEXT_MAX];

	if ((overlap != OVERLAP_OUR_WILDCARD && overlap != OVERLAP_OUR_DUAL) || endpoint_is_wildcard(&local))
		return;
	put_or(text, begin);
	text_format(text, "ask for another address than %s", endpoint_address_text(&local, address));
}

void why_remedy(struct text *text, const struct model *model, const struct why_answer *answer,
		const struct why_row *row)
{
	uint32_t left = bind_row_seconds_left(answer->inventory, row->found);
	size_t begin = text->length;

	put_stop(text, model, answer, row);
	for (unsigned remedy = REMEDY_REUSEADDR; remedy <= REMEDY_V6ONLY; remedy <<= 1) {
		if (!(row->conflict->remedies & remedy))
			continue;
		put_or(text, begin);
		if (remedy == REMEDY_USER)
			put_user(text, model, answer, row->found->uid);
		else
			text_put(text, option_words(remedy));
	}
	put_other_address(text, row, begin);
	if (row->conflict->rule != RULE_TIME_WAIT)
		return;
	put_or(text, begin);
	if (left)
		text_format(text, "wait %" PRIu32 " s", left);
	else
		text_put(text, "wait 60 s");
}

/* --- the bind itself --------------------------------------------------------------------------------------
 */

/* Of one link, or of the host alone (__ipv6_addr_needs_scope_id(), include/net/ipv6.h). */
static bool needs_interface(const struct bind_wish *wish)
{
	if (wish->family != AF_INET6)
		return false;
	if (wish->addr[0] == 0xff)
		return (wish->addr[1] & 0xf) == 1 || (wish->addr[1] & 0xf) == 2;
	return wish->addr[0] == 0xfe && (wish->addr[1] & 0xc0) == 0x80;
}

static void put_invalid(struct text *text, const struct bind_wish *wish)
{
	if (wish->family == AF_INET6 && wish->addr[0] == 0xff && wish->protocol != IPPROTO_UDP)
		text_put(text, "a TCP socket cannot have a multicast address");
	else if (needs_interface(wish))
		text_format(text, "a link-local %saddress needs an interface",
			    wish->addr[0] == 0xff ? "multicast " : "");
	else
		text_put(text, "the kernel does not take this address for such a socket");
}

void why_error(struct text *text, const struct why_answer *answer)
{
	uint32_t start = answer->inventory->answer.unprivileged_start;

	switch (answer->verdict.error) {
	case EACCES:
		text_format(text,
			    "ports below %" PRIu32 " take CAP_NET_BIND_SERVICE in the user namespace of this "
			    "network namespace",
			    start);
		break;
	case EADDRNOTAVAIL:
		text_put(text, answer->device ? "no address of this interface"
					      : "no address of this network namespace");
		break;
	case EINVAL:
		put_invalid(text, answer->wish);
		break;
	default:
		break;
	}
}

static bool privilege_remedy(struct text *text, const struct why_answer *answer, unsigned index)
{
	uint16_t port = answer->wish->port;
	bool enough = answer->verdict.remedies & REMEDY_PRIVILEGE;

	if (index == 0)
		text_put(text,
			 "give it CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)");
	else if (index == 1)
		text_format(text, "sysctl net.ipv4.ip_unprivileged_port_start=%u in this network namespace",
			    port);
	else if (index == 2 && !enough)
		text_put(text, "but then another refusal follows: ask again with --uid 0");
	else if (index == (enough ? 2u : 3u))
		text_format(text, "ask for a port from %" PRIu32 " on",
			    answer->inventory->answer.unprivileged_start);
	else
		return false;
	return true;
}

static bool address_remedy(struct text *text, const struct why_answer *answer, unsigned index)
{
	const char *family = answer->wish->family == AF_INET ? "ipv4" : "ipv6";

	if (index == 0)
		text_put(text, "ask for an address that `ip address` lists");
	else if (index == 1)
		text_format(text,
			    "set IP_FREEBIND in the program that asks, or sysctl net.%s.ip_nonlocal_bind=1",
			    family);
	else
		return false;
	return true;
}

static bool use_remedy(struct text *text, const struct why_answer *answer, unsigned index)
{
	for (unsigned remedy = REMEDY_REUSEADDR; remedy <= REMEDY_V6ONLY; remedy <<= 1) {
		if (!(answer->verdict.remedies & remedy) || !option_words(remedy) || index--)
			continue;
		text_put(text, option_words(remedy));
		return true;
	}
	return false;
}

bool why_whole_remedy(struct text *text, const struct why_answer *answer, unsigned index)
{
	if (answer->outcome != BIND_NO)
		return false;
	switch (answer->verdict.error) {
	case EACCES:
		return privilege_remedy(text, answer, index);
	case EADDRNOTAVAIL:
		return address_remedy(text, answer, index);
	default:
		return use_remedy(text, answer, index);
	}
}
