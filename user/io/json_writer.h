/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming JSON writer: no tree, no allocation but its buffer. Commas, quoting and nesting are its
 * business; strings are hostile bytes: control characters are escaped, invalid UTF-8 becomes U+FFFD.
 *
 * Keys are string literals of ours and not escaped. An error sticks: further calls do nothing and
 * json_finish() reports it: -ENOMEM; -E2BIG, nested deeper than JSON_DEPTH_MAX or longer than JSON_SIZE_MAX;
 * -EINVAL, the calls do not make up one JSON value (a key missing or too many, a wrong end, a second value at
 * the top). So what json_finish() calls good is one well-formed JSON text on one line.
 */
#ifndef PORTSNOOP_IO_JSON_WRITER_H
#define PORTSNOOP_IO_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16 /* open objects and arrays */
#define JSON_SIZE_MAX                                                                                        \
	(256u << 20) /* bytes of one document; a string counts six times while it is written                 \
		      */

/* All members but data and length are the writer's own. */
struct json_writer {
	char *data; /* owned; NUL-terminated after json_finish() */
	size_t length, capacity;
	uint8_t depth;
	bool comma[JSON_DEPTH_MAX + 1]; /* a value stands before the next one at this depth; 0 is the top */
	char end[JSON_DEPTH_MAX + 1];	/* what closes this depth: '}', ']', or 0 at the top */
	int error;			/* 0 or a negative errno */
};

/* Begins a new document; keeps the buffer of the one before. Start from a zeroed struct. */
void json_begin(struct json_writer *w);
/* Ends the document: 0, or the first error as a negative errno. data and length are valid until the next
 * json_begin(). */
int json_finish(struct json_writer *w);
void json_free(struct json_writer *w);

/* In an object, key names the value; in an array and at the top, key is NULL. */
void json_object(struct json_writer *w, const char *key);
void json_object_end(struct json_writer *w);
void json_array(struct json_writer *w, const char *key);
void json_array_end(struct json_writer *w);
/* Without value (NULL), nothing is written, the key neither. */
void json_string(struct json_writer *w, const char *key, const char *value);
/* value need not be NUL-terminated and may hold any byte. Besides what JSON demands, DEL, C1 and the
 * layout characters of utf8.h are written as \uNNNN: a terminal may be reading. */
void json_string_n(struct json_writer *w, const char *key, const char *value, size_t length);
void json_uint(struct json_writer *w, const char *key, uint64_t value);
void json_int(struct json_writer *w, const char *key, int64_t value);
void json_bool(struct json_writer *w, const char *key, bool value);
/* With the given number of decimals (0 to 9). NaN and infinities are left out, the key too. */
void json_double(struct json_writer *w, const char *key, double value, int decimals);

#endif
