/* SPDX-License-Identifier: GPL-2.0-only */
/* Strict on purpose: a value that is not understood whole is an error, never a filter that matches nothing.
 */
#include "core/filter_value.h"

#include "core/errno_name.h"

#include <portsnoop/event.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535u
/* Shorter beginnings of a container's ID are left to patterns: too many names look like them. */
#define ID_PREFIX_LEAST 4

static const char not_known[] = "is not known";
static const char not_number[] = "is neither a number nor a range";

/* A name with a number; the lists end with a NULL name. */
struct choice {
	const char *name;
	uint32_t number;
};

static const struct choice protocols[] = {
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
	{"sctp", IPPROTO_SCTP},
	{"mptcp", IPPROTO_MPTCP},
	{NULL, 0},
};

static const struct choice states[] = {
	{"listen", 0},	  {"established", 0},  {"syn_sent", 0}, {"syn_recv", 0},    {"fin_wait1", 0},
	{"fin_wait2", 0}, {"time_wait", 0},    {"close", 0},	{"close_wait", 0},  {"last_ack", 0},
	{"closing", 0},	  {"new_syn_recv", 0}, {"bound", 0},	{"unconnected", 0}, {NULL, 0},
};

static const struct choice events[] = {
	{"bind", 0},  {"listen", 0}, {"attempt", 0},  {"connect", 0}, {"autobind", 0},	{"accept", 0},
	{"close", 0}, {"refuse", 0}, {"overflow", 0}, {"holder", 0},  {"conflicts", 0}, {NULL, 0},
};

static const struct choice directions[] = {{"in", DIRECTION_IN}, {"out", DIRECTION_OUT}, {NULL, 0}};

static const struct choice classes[] = {{"well-known", 0}, {"registered", 0}, {"ephemeral", 0}, {NULL, 0}};

static const struct choice *choices_of(enum filter_value_kind kind)
{
	switch (kind) {
	case VALUE_PROTOCOL:
		return protocols;
	case VALUE_STATE:
		return states;
	case VALUE_EVENT:
		return events;
	case VALUE_DIRECTION:
		return directions;
	case VALUE_CLASS:
		return classes;
	default:
		return NULL;
	}
}

static const char *choice_read(const struct choice *choice, const char *text, struct filter_value *value)
{
	for (; choice->name; choice++) {
		if (strcasecmp(choice->name, text))
			continue;
		value->text = choice->name;
		value->low = choice->number;
		return NULL;
	}
	return not_known;
}

/* Digits from *text on, which is moved behind them. False: none. Stays at UINT32_MAX + 1 once beyond. */
static bool digits_read(const char **text, uint64_t *ret_number)
{
	const char *at = *text;
	uint64_t number = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (number <= UINT32_MAX)
			number = number * 10 + (uint64_t)(*at - '0');
	if (at == *text)
		return false;
	*text = at;
	*ret_number = number;
	return true;
}

/* N or N-M, of numbers up to most; too_big says that one of them is above. */
static const char *range_read(const char *text, uint32_t most, const char *too_big,
			      struct filter_value *value)
{
	uint64_t low, high;

	if (!digits_read(&text, &low))
		return not_number;
	high = low;
	if (*text == '-') {
		text++;
		if (!digits_read(&text, &high))
			return not_number;
	}
	if (*text)
		return not_number;
	if (low > most || high > most)
		return too_big;
	if (low > high)
		return "is a range from high to low";
	value->low = (uint32_t)low;
	value->high = (uint32_t)high;
	return NULL;
}

static const char *number_read(const char *text, struct filter_value *value)
{
	return range_read(text, UINT32_MAX, "is above 4294967295", value);
}

/* Made of what numbers and ranges are made of, so meant as one. */
static bool looks_numeric(const char *text)
{
	return !text[strspn(text, "0123456789-")];
}

static const char *port_read(const char *text, const struct filter_resolver *resolver,
			     struct filter_value *value)
{
	uint16_t port;

	if (looks_numeric(text))
		return range_read(text, PORT_MAX, "is above 65535", value);
	if (!resolver || !resolver->service || resolver->service(resolver->context, text, &port))
		return "is neither a port nor a known service";
	value->low = value->high = port;
	return NULL;
}

static const char *user_read(const char *text, const struct filter_resolver *resolver,
			     struct filter_value *value)
{
	uint32_t uid;

	if (looks_numeric(text))
		return number_read(text, value);
	if (!resolver || !resolver->user || resolver->user(resolver->context, text, &uid))
		return "is not a known user";
	value->low = value->high = uid;
	return NULL;
}

static const char *address_problem(int error)
{
	return error == -ERANGE ? "has a longer prefix than its family" : "is not an IP address";
}

static const char *prefix_read(char *text, struct filter_value *value)
{
	size_t length = strlen(text);
	int r;

	if (text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		text++;
	}
	r = address_prefix_parse(text, &value->prefix);
	return r ? address_problem(r) : NULL;
}

/* [ADDR]:PORT, ADDR:PORT, *:PORT, :PORT or PORT. */
static const char *endpoint_read(char *text, const struct filter_resolver *resolver,
				 struct filter_value *value)
{
	bool bracket = text[0] == '[';
	char *colon = bracket ? strstr(text, "]:") : strchr(text, ':');
	const char *host = bracket ? text + 1 : text;

	if (bracket && !colon)
		return "has no port behind its address";
	if (!colon)
		return port_read(text, resolver, value);
	*colon = '\0';
	colon += bracket ? 2 : 1;
	if (strchr(colon, ':'))
		return "is an IPv6 address without brackets or port";
	if (!*colon)
		return "has no port behind its address";
	if ((bracket || (*host && strcmp(host, "*"))) && address_parse(host, &value->prefix))
		return "does not begin with an IP address";
	return port_read(colon, resolver, value);
}

static const char *errno_read(const char *text, struct filter_value *value)
{
	if (!looks_numeric(text)) {
		value->low = (uint32_t)errno_from_name(text);
		return value->low ? NULL : "is not an errno name";
	}
	if (range_read(text, INT32_MAX, not_known, value) || value->low != value->high ||
	    !errno_name((int)value->low))
		return "is not the number of an errno";
	return NULL;
}

/* Names joined by single dots, as in the JSON lines. */
static const char *field_read(const char *text, const struct filter_resolver *resolver,
			      struct filter_value *value)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const char *at = text;

	value->text = text;
	for (;;) {
		size_t length = strspn(at, letters);

		at += length;
		if (!length || (*at && *at != '.'))
			return "is not a field name";
		if (!*at)
			break;
		at++;
	}
	if (resolver && resolver->field && resolver->field(resolver->context, text))
		return "is not a field of any line";
	return NULL;
}

/* A name may be a pattern. Only then it needs to be written with backslashes for glob_match(). */
static const char *name_read(const struct filter_item *item, char *text, struct filter_value *value)
{
	value->text = text;
	if (value->wild)
		filter_item_decode(item, true, text, &value->wild);
	return NULL;
}

static const char *container_read(const struct filter_item *item, char *text, struct filter_value *value)
{
	size_t hex = strspn(text, "0123456789abcdef");

	value->id_prefix = hex >= ID_PREFIX_LEAST && !text[hex];
	return name_read(item, text, value);
}

/* Digits may be an inode or a name made of digits: either matches. */
static const char *netns_read(const struct filter_item *item, const struct filter_resolver *resolver,
			      char *text, struct filter_value *value)
{
	bool is_name = number_read(text, value);

	if (is_name)
		*value = (struct filter_value){.low = 1, .high = 0, .wild = value->wild};
	if (is_name && !value->wild && resolver && resolver->netns &&
	    resolver->netns(resolver->context, text))
		return "is not a known network namespace";
	return name_read(item, text, value);
}

static const char *value_read(enum filter_value_kind kind, const struct filter_item *item,
			      const struct filter_resolver *resolver, char *text, struct filter_value *value)
{
	switch (kind) {
	case VALUE_PORT:
		return port_read(text, resolver, value);
	case VALUE_ADDRESS:
		return prefix_read(text, value);
	case VALUE_ENDPOINT:
		return endpoint_read(text, resolver, value);
	case VALUE_NUMBER:
		return number_read(text, value);
	case VALUE_USER:
		return user_read(text, resolver, value);
	case VALUE_NAME:
		return name_read(item, text, value);
	case VALUE_CONTAINER:
		return container_read(item, text, value);
	case VALUE_NETNS:
		return netns_read(item, resolver, text, value);
	case VALUE_ERRNO:
		return errno_read(text, value);
	case VALUE_FIELD:
		return field_read(text, resolver, value);
	default:
		return choice_read(choices_of(kind), text, value);
	}
}

const char *filter_value_read(enum filter_value_kind kind, const struct filter_item *item,
			      const struct filter_resolver *resolver, char *text,
			      struct filter_value *ret_value)
{
	struct filter_value value = {0};
	const char *problem;

	filter_item_decode(item, false, text, &value.wild);
	problem = text[0] ? value_read(kind, item, resolver, text, &value) : "is empty";
	if (!problem)
		*ret_value = value;
	return problem;
}

static const char *choices_join(const struct choice *choice, char *buf)
{
	size_t used = 0;

	buf[0] = '\0';
	for (; choice->name && used < FILTER_EXPECTED_SIZE; choice++)
		used += (size_t)snprintf(buf + used, FILTER_EXPECTED_SIZE - used, "%s%s", used ? ", " : "",
					 choice->name);
	return buf;
}

const char *filter_value_expected(enum filter_value_kind kind, char *buf)
{
	static const char *const texts[] = {
		[VALUE_PORT] = "a port from 0 to 65535, a range such as 80-90 or a service name",
		[VALUE_ADDRESS] = "an IP address such as ::1 or a prefix such as 10.0.0.0/8",
		[VALUE_ENDPOINT] = "ADDR:PORT, [ADDR]:PORT, :PORT or PORT",
		[VALUE_NUMBER] = "a number or a range such as 0-999",
		[VALUE_USER] = "a user name or number",
		[VALUE_NAME] = "a name or a pattern with * and ?",
		[VALUE_CONTAINER] = "a container's ID or name, or a pattern with * and ?",
		[VALUE_NETNS] = "a network namespace's name or inode number",
		[VALUE_ERRNO] = "an errno name such as EADDRINUSE",
		[VALUE_FIELD] = "a field of the JSON lines such as error.type",
	};
	const struct choice *choices = choices_of(kind);

	if (choices)
		return choices_join(choices, buf);
	snprintf(buf, FILTER_EXPECTED_SIZE, "%s", texts[kind]);
	return buf;
}
