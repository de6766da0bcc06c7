/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A streaming JSON writer: no tree, no allocation but its buffer. Commas, quoting and nesting are its
 * business; strings are hostile bytes: control characters are escaped, invalid UTF-8 becomes U+FFFD.
 *
 * Keys are string literals of ours. An error (out of memory, too deep) sticks: further calls do nothing and
 * json_finish() reports it.
 */
#ifndef PORTSNOOP_IO_JSON_WRITER_H
#define PORTSNOOP_IO_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16

struct json_writer {
	char *data; /* owned; NUL-terminated after json_finish() */
	size_t length, capacity;
	uint8_t depth;
	bool comma[JSON_DEPTH_MAX]; /* a value stands before the next one at this depth */
	int error;                  /* 0 or a negative errno */
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
void json_string(struct json_writer *w, const char *key, const char *value);
/* value need not be NUL-terminated and may hold any byte. */
void json_string_n(struct json_writer *w, const char *key, const char *value, size_t length);
void json_uint(struct json_writer *w, const char *key, uint64_t value);
void json_int(struct json_writer *w, const char *key, int64_t value);
void json_bool(struct json_writer *w, const char *key, bool value);
/* With the given number of decimals (0 to 9). NaN and infinities are left out, the key too. */
void json_double(struct json_writer *w, const char *key, double value, int decimals);

#endif
