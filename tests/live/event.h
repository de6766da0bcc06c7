/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking things up in the JSON that the tool prints, and saying them in the short form of truth.h. */
#ifndef LIVE_EVENT_H
#define LIVE_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The event kinds of the contract; the last is any other. */
enum event_kind {
	EVENT_BIND,
	EVENT_LISTEN,
	EVENT_ATTEMPT,
	EVENT_CONNECT,
	EVENT_AUTOBIND,
	EVENT_ACCEPT,
	EVENT_CLOSE,
	EVENT_REFUSE,
	EVENT_OVERFLOW,
	EVENT_HOLDER,
	EVENT_CONFLICTS,
	EVENT_READY,
	EVENT_LOST,
	EVENT_RESYNC,
	EVENT_SUMMARY,
	EVENT_OTHER,
	EVENT_KIND_COUNT
};

enum event_kind event_kind_of(const char *name, size_t length);
const char *event_kind_name(enum event_kind kind);

/* One line of JSON; it is changed where it has to be. NULL and the error when it is none. */
json_t *event_parse(char *line, json_error_t *ret_error);
/* The value at a dotted path, or NULL. Borrowed. */
json_t *event_at(const json_t *event, const char *path);
/* 0 when absent. */
uint64_t event_number(const json_t *event, const char *path);
/* "" when absent. */
const char *event_string(const json_t *event, const char *path);

/* Keys as bits, in the order of the table in event.c. */
typedef uint64_t event_keys;
/* The bit of a key; 0 when there is no such key. */
event_keys event_key(const char *name, size_t length);
/* `EVENT key=value ...` with these keys; `-` stands for what is absent. */
void event_render(const json_t *event, event_keys keys, char *buf, size_t size);

#endif
