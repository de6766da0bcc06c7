/* SPDX-License-Identifier: GPL-2.0-only */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[EVENT_KIND_COUNT] = {
	[EVENT_BIND] = "bind",		 [EVENT_LISTEN] = "listen",	  [EVENT_ATTEMPT] = "attempt",
	[EVENT_CONNECT] = "connect",	 [EVENT_AUTOBIND] = "autobind",	  [EVENT_ACCEPT] = "accept",
	[EVENT_CLOSE] = "close",	 [EVENT_REFUSE] = "refuse",	  [EVENT_OVERFLOW] = "overflow",
	[EVENT_HOLDER] = "holder",	 [EVENT_CONFLICTS] = "conflicts", [EVENT_READY] = "ready",
	[EVENT_LOST] = "lost",		 [EVENT_RESYNC] = "resync",	  [EVENT_SUMMARY] = "summary",
	[EVENT_OTHER] = "unknown event",
};

enum event_kind event_kind_of(const char *name, size_t length)
{
	unsigned kind = 0;

	while (kind < EVENT_OTHER &&
	       (strlen(kind_names[kind]) != length || memcmp(kind_names[kind], name, length)))
		kind++;
	return kind;
}

const char *event_kind_name(enum event_kind kind)
{
	return kind_names[kind];
}

/*
 * A cookie that the kernel made while it was making one already counts down from 2^64, and jansson has
 * nothing larger than 2^63: it gets the negative number with the same bits, which event_number() turns back.
 */
static void wrap_cookies(char *line)
{
	for (char *end, *at = line; (at = strstr(at, ":1844674407")); at = end) {
		long long same = (long long)strtoull(at + 1, &end, 10);
		char text[24];
		int length = snprintf(text, sizeof(text), "%*lld", (int)(end - at - 1), same);

		if (length == end - at - 1)
			memcpy(at + 1, text, (size_t)length);
	}
}

json_t *event_parse(char *line, json_error_t *ret_error)
{
	json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, ret_error);

	if (event || json_error_code(ret_error) != json_error_numeric_overflow)
		return event;
	wrap_cookies(line);
	return json_loads(line, JSON_REJECT_DUPLICATES, ret_error);
}

json_t *event_at(const json_t *event, const char *path)
{
	char step[64];
	json_t *at = (json_t *)event;

	while (at && *path) {
		size_t length = strcspn(path, ".");

		snprintf(step, sizeof(step), "%.*s", (int)length, path);
		at = json_object_get(at, step);
		path += length + (path[length] == '.');
	}
	return at;
}

uint64_t event_number(const json_t *event, const char *path)
{
	return (uint64_t)json_integer_value(event_at(event, path));
}

const char *event_string(const json_t *event, const char *path)
{
	const char *text = json_string_value(event_at(event, path));

	return text ? text : "";
}

/* --- the short form ---------------------------------------------------------------------------------------
 */

struct text {
	char *buf;
	size_t size, length;
};

/* Values are told apart by blanks, so they hold none. */
static void put(struct text *to, const char *from)
{
	for (; *from && to->length + 1 < to->size; from++)
		to->buf[to->length++] = (unsigned char)*from <= ' ' ? '_' : *from;
	to->buf[to->length] = '\0';
}

static void put_number(struct text *to, json_int_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%lld", (long long)number);
	put(to, digits);
}

static void put_value(struct text *to, const json_t *value);

static void put_array(struct text *to, const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			put(to, ",");
		put_value(to, json_array_get(array, i));
	}
}

/* An object stands for a process: a holder or a peer. */
static void put_value(struct text *to, const json_t *value)
{
	if (json_is_string(value))
		put(to, json_string_value(value));
	else if (json_is_integer(value))
		put_number(to, json_integer_value(value));
	else if (json_is_array(value))
		put_array(to, value);
	else if (json_is_object(value) && event_at(value, "process"))
		put_value(to, event_at(value, "process.pid"));
	else if (json_is_object(value))
		put_value(to, event_at(value, "pid"));
	else
		put(to, json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "-");
}

static void put_path(struct text *to, const json_t *event, const char *path)
{
	put_value(to, event_at(event, path));
}

/* In full: what was wrapped is unwrapped. */
static void put_cookie(struct text *to, const json_t *event, const char *path)
{
	const json_t *cookie = event_at(event, path);
	char digits[24];

	if (!json_is_integer(cookie)) {
		put_value(to, cookie);
		return;
	}
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)json_integer_value(cookie));
	put(to, digits);
}

/* address:port, with brackets round IPv6 */
static void put_end(struct text *to, const json_t *event, const char *path)
{
	const json_t *end = event_at(event, path);
	const char *address = event_string(end, "address");

	if (!end) {
		put(to, "-");
		return;
	}
	if (strchr(address, ':'))
		put(to, "[");
	put(to, *address ? address : "-");
	if (strchr(address, ':'))
		put(to, "]");
	put(to, ":");
	put_path(to, end, "port");
}

static void put_proto(struct text *to, const json_t *event, const char *path)
{
	put_path(to, event, "network.transport");
	put(to, "/");
	put_path(to, event, "network.type");
}

static const struct key {
	const char *name, *path;
	void (*put)(struct text *, const json_t *, const char *);
} table[] = {
	{"proto", "", put_proto},
	{"pid", "process.pid", put_path},
	{"inner_pid", "portsnoop.pid_ns.pid", put_path},
	{"tid", "portsnoop.tid", put_path},
	{"comm", "portsnoop.comm", put_path},
	{"exe", "process.executable.path", put_path},
	{"args", "process.command_line", put_path},
	{"uid", "process.user.id", put_path},
	{"parent", "process.parent_pid", put_path},
	{"cookie", "portsnoop.cookie", put_cookie},
	{"local", "network.local", put_end},
	{"peer", "network.peer", put_end},
	{"family", "portsnoop.family", put_path},
	{"asked", "portsnoop.port.requested", put_path},
	{"by", "portsnoop.port.assigned_by", put_path},
	{"error", "error.type", put_path},
	{"deferred", "portsnoop.deferred", put_path},
	{"options", "portsnoop.options", put_path},
	{"backlog", "portsnoop.backlog", put_path},
	{"late", "portsnoop.late", put_path},
	{"listener", "portsnoop.listener", put_cookie},
	{"peer_pid", "portsnoop.peer_process", put_path},
	{"state", "network.connection.state", put_path},
	{"reason", "portsnoop.reason", put_path},
	{"direction", "portsnoop.direction", put_path},
	{"sent", "portsnoop.bytes.sent", put_path},
	{"received", "portsnoop.bytes.received", put_path},
	{"accepts", "portsnoop.accepts", put_path},
	{"holders", "portsnoop.holders", put_path},
	{"count", "portsnoop.count", put_path},
	{"change", "portsnoop.change", put_path},
	{"cause", "portsnoop.cause", put_path},
	{"observed", "portsnoop.observed", put_path},
	{"source", "portsnoop.source", put_path},
};
#define N_KEYS (sizeof(table) / sizeof(table[0]))
_Static_assert(N_KEYS <= 64, "a key has no bit");

event_keys event_key(const char *name, size_t length)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (strlen(table[i].name) == length && !memcmp(table[i].name, name, length))
			return 1ull << i;
	return 0;
}

void event_render(const json_t *event, event_keys keys, char *buf, size_t size)
{
	struct text to = {.buf = buf, .size = size};

	put(&to, event_string(event, "event_name"));
	for (size_t i = 0; i < N_KEYS; i++) {
		if (!(keys >> i & 1) || to.length + 2 >= size)
			continue;
		buf[to.length++] = ' ';
		put(&to, table[i].name);
		put(&to, "=");
		table[i].put(&to, event, table[i].path);
	}
}
