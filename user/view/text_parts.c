/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/text_parts.h"

#include "io/text_safe.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text text_in(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct text){.buf = buf, .size = size};
}

void text_put(struct text *text, const char *string)
{
	size_t room = text->size - text->length - 1, length = strnlen(string, room);

	memcpy(text->buf + text->length, string, length);
	text->length += length;
	text->buf[text->length] = '\0';
}

void text_format(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list arguments;
	int written;

	va_start(arguments, format);
	written = vsnprintf(text->buf + text->length, room, format, arguments);
	va_end(arguments);
	if (written > 0)
		text->length += (size_t)written < room ? (size_t)written : room - 1;
}

/* Digits without printf, which would be half of the cost of a line. */
void text_uint(struct text *text, uint64_t value)
{
	char digits[21], *at = digits + sizeof(digits);

	*--at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	text_put(text, at);
}

void text_name(struct text *text, const char *name, size_t length)
{
	text->length += text_safe(text->buf + text->length, text->size - text->length, name, length);
}

size_t text_width(const struct text *text, size_t from)
{
	size_t width = 0;

	for (size_t i = from; i < text->length; i++)
		width += ((unsigned char)text->buf[i] & 0xc0) != 0x80;
	return width;
}

void text_pad(struct text *text, size_t from, size_t width)
{
	size_t have = text_width(text, from), room = text->size - text->length - 1;
	size_t spaces = width > have ? width - have + 1 : 1;

	if (spaces > room)
		spaces = room;
	memset(text->buf + text->length, ' ', spaces);
	text->length += spaces;
	text->buf[text->length] = '\0';
}

void text_count(struct text *text, uint64_t count, const char *one, const char *many)
{
	text_uint(text, count);
	text_put(text, " ");
	text_put(text, count == 1 ? one : many);
}

void text_next(struct text *text, size_t begin)
{
	if (text->length > begin)
		text_put(text, ", ");
}

/* --- quantities -------------------------------------------------------------------------------------------
 */

/* Never overflows, unlike (value + unit / 2) / unit. */
static uint64_t divide_rounded(uint64_t value, uint64_t unit)
{
	return value / unit + (value % unit >= unit - unit / 2);
}

/* Three digits are what one can take in: 1.5, 20.2, 312. */
static void text_scaled(struct text *text, uint64_t value, uint64_t unit, const char *name)
{
	uint64_t tenths = unit >= 10 ? divide_rounded(value, unit / 10) : 0;

	if (unit < 10 || tenths >= 1000) {
		text_uint(text, divide_rounded(value, unit));
	} else {
		text_uint(text, tenths / 10);
		text_put(text, ".");
		text_uint(text, tenths % 10);
	}
	text_put(text, " ");
	text_put(text, name);
}

static void text_two_units(struct text *text, uint64_t seconds, uint64_t big, const char *big_name,
			   uint64_t small, const char *small_name)
{
	text_format(text, "%" PRIu64 " %s", seconds / big, big_name);
	if (seconds % big / small)
		text_format(text, " %" PRIu64 " %s", seconds % big / small, small_name);
}

void text_duration(struct text *text, uint64_t ns)
{
	uint64_t seconds = ns / 1000000000;

	if (ns < 1000)
		text_scaled(text, ns, 1, "ns");
	else if (ns < 999500)
		text_scaled(text, ns, 1000, "µs");
	else if (ns < 999500000)
		text_scaled(text, ns, 1000000, "ms");
	else if (seconds < 60)
		text_scaled(text, ns, 1000000000, "s");
	else if (seconds < 3600)
		text_two_units(text, seconds, 60, "m", 1, "s");
	else if (seconds < 86400)
		text_two_units(text, seconds, 3600, "h", 60, "m");
	else
		text_two_units(text, seconds, 86400, "d", 3600, "h");
}

void text_duration_word(struct text *text, uint64_t ns)
{
	char *from = text->buf + text->length, *to = from;

	text_duration(text, ns);
	for (; *from; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	text->length = (size_t)(to - text->buf);
}

void text_bytes(struct text *text, uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t unit = 1;
	size_t i = 0;

	/* What would be rounded to 1000 is 1.0 of the next unit. */
	while (i + 1 < sizeof(units) / sizeof(units[0]) && bytes >= unit * 1000 - unit / 2) {
		unit *= 1000;
		i++;
	}
	text_scaled(text, bytes, unit, units[i]);
}

/* --- sockets and their holders ----------------------------------------------------------------------------
 */

const char *protocol_name(const struct rec_socket *socket)
{
	const char *name = record_transport_name(socket->protocol);

	if (socket->family != AF_INET6)
		return name ? name : "-";
	switch (socket->protocol) {
	case IPPROTO_TCP:
		return "tcp6";
	case IPPROTO_UDP:
		return "udp6";
	default:
		return name ? name : "-";
	}
}

void text_served_address(struct text *text, const struct rec_socket *socket)
{
	struct endpoint local = endpoint_local(socket);
	char buf[ENDPOINT_TEXT_MAX];

	if (endpoint_is_dual_stack(socket))
		text_put(text, "*");
	else
		text_format(text, local.family == AF_INET6 ? "[%s]" : "%s",
			    endpoint_address_text(&local, buf));
}

void text_options(struct text *text, uint8_t socket_options, const char *separator)
{
	static const char *const names[] = {"reuseaddr", "reuseport", "freebind", "transparent", "v6only"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (socket_options & 1u << i)
			text_format(text, "%s%s", separator, names[i]);
}

static bool same_name(const struct actor *a, const struct actor *b)
{
	return a->comm == b->comm || (a->comm && b->comm && !strcmp(a->comm, b->comm));
}

void text_actors(struct text *text, const struct actor *actors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct actor *actor = &actors[i];

		if (i && same_name(actor, actor - 1)) {
			text_put(text, ",");
			text_uint(text, actor->pid);
			continue;
		}
		if (i)
			text_put(text, ") ");
		text_comm(text, actor);
		text_put(text, "(");
		text_uint(text, actor->pid);
	}
	if (n)
		text_put(text, ")");
}

#define HOLDERS_SHOWN 8

void text_holders(struct text *text, const struct model *model, const struct socket_row *row,
		  const char *lead)
{
	struct actor holders[HOLDERS_SHOWN];
	uint32_t shown = 0;

	for (const struct holder *h = row->holders; h && shown < HOLDERS_SHOWN; h = h->next)
		holders[shown++] = describe_holder(model, h);
	if (!shown)
		return;
	text_put(text, lead);
	text_actors(text, holders, shown);
	if (shown < row->n_holders)
		text_format(text, " and %u more", row->n_holders - shown);
}

void text_comm(struct text *text, const struct actor *actor)
{
	if (actor->comm)
		text_name(text, actor->comm, strlen(actor->comm));
	else
		text_put(text, "?");
}

void text_netns(struct text *text, const struct model *model, uint32_t netns, bool numeric)
{
	const char *name = numeric ? NULL : model_netns_name(model, netns);

	if (name)
		text_name(text, name, strlen(name));
	else if (netns)
		text_uint(text, netns);
}

void text_container(struct text *text, const struct cgroup_name *place, bool numeric)
{
	char buf[CGROUP_PART_TEXT_MAX];
	const char *name = numeric ? NULL : cgroup_container_name(place, buf);

	if (place->id.length)
		text_name(text, place->id.text, CONTAINER_ID_SHORT);
	else if (name)
		text_name(text, name, strlen(name));
}

void text_user(struct text *text, const struct model *model, uint32_t uid, bool numeric)
{
	const char *name = numeric ? NULL : model_user_name(model, uid);

	if (name)
		text_name(text, name, strlen(name));
	else if (uid != UID_UNKNOWN)
		text_uint(text, uid);
}
