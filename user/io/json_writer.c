/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The streaming JSON writer. Every value first reserves the most it can need, then writes without further
 * checks. On the hot path of `trace --json`: no printf, no locale.
 */
#include "io/json_writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/utf8.h"

#define CAPACITY_MIN 1024
/* One byte becomes at most \u00NN. */
#define ESCAPE_MAX 6
/* 18446744073709551615 or -9223372036854775808 */
#define INTEGER_MAX_DIGITS 20
#define DECIMALS_MAX	   9
/* Integer digits of the largest double. */
#define DOUBLE_MAX_DIGITS 309

/* How a byte of a string is written: 0 as it is, ESCAPE_HEX as \u00NN, ESCAPE_UTF8 after decoding, otherwise
 * as a backslash and this letter. */
#define ESCAPE_HEX  'u'
#define ESCAPE_UTF8 1
static const char escapes[256] = {[0 ... 7] = ESCAPE_HEX,
				  ['\b'] = 'b',
				  ['\t'] = 't',
				  ['\n'] = 'n',
				  [0x0b] = ESCAPE_HEX,
				  ['\f'] = 'f',
				  ['\r'] = 'r',
				  [0x0e ... 0x1f] = ESCAPE_HEX,
				  ['"'] = '"',
				  ['\\'] = '\\',
				  [0x7f] = ESCAPE_HEX,
				  [0x80 ... 0xff] = ESCAPE_UTF8};

static void fail(struct json_writer *w, int error)
{
	if (!w->error)
		w->error = error;
}

static bool grow(struct json_writer *w, size_t more)
{
	size_t capacity = w->capacity ? w->capacity : CAPACITY_MIN;
	char *data;

	if (more >= JSON_SIZE_MAX - w->length) {
		fail(w, -E2BIG);
		return false;
	}
	/* Ends at JSON_SIZE_MAX at the latest: both are powers of two. */
	while (capacity - w->length <= more)
		capacity *= 2;
	data = realloc(w->data, capacity);
	if (!data) {
		fail(w, -ENOMEM);
		return false;
	}
	w->data = data;
	w->capacity = capacity;
	return true;
}

/* Room for more bytes and the final NUL. */
static inline bool reserve(struct json_writer *w, size_t more)
{
	return w->capacity - w->length > more || grow(w, more);
}

/* In an object every value has a key, in an array and at the top none has; at the top there is but one. */
static inline bool in_place(const struct json_writer *w, const char *key)
{
	char end = w->end[w->depth];

	return (end == '}') == (key != NULL) && (end || !w->comma[0]);
}

/* Writes what comes before a value. Returns where the value goes, with room bytes free, or NULL. */
static char *begin_value(struct json_writer *w, const char *key, size_t room)
{
	static const char around_key[] = ",\"\":";
	size_t key_length = key ? strlen(key) : 0;
	char *p;

	if (w->error)
		return NULL;
	if (!in_place(w, key)) {
		fail(w, -EINVAL);
		return NULL;
	}
	if (!reserve(w, room + key_length + strlen(around_key)))
		return NULL;
	p = w->data + w->length;
	if (w->comma[w->depth])
		*p++ = ',';
	w->comma[w->depth] = true;
	if (key) {
		*p++ = '"';
		p = mempcpy(p, key, key_length);
		*p++ = '"';
		*p++ = ':';
	}
	return p;
}

static inline void end_value(struct json_writer *w, const char *p)
{
	w->length = p - w->data;
}

void json_begin(struct json_writer *w)
{
	w->length = 0;
	w->depth = 0;
	w->comma[0] = false;
	w->end[0] = 0;
	w->error = 0;
}

int json_finish(struct json_writer *w)
{
	/* The top has a comma to come once its value is there. */
	if (w->depth > 0 || !w->comma[0])
		fail(w, -EINVAL);
	if (!w->error)
		w->data[w->length] = '\0';
	return w->error;
}

void json_free(struct json_writer *w)
{
	free(w->data);
	*w = (struct json_writer){0};
}

static void open_nested(struct json_writer *w, const char *key, char begin, char end)
{
	char *p;

	if (w->depth == JSON_DEPTH_MAX)
		fail(w, -E2BIG);
	p = begin_value(w, key, 1);
	if (!p)
		return;
	*p++ = begin;
	w->depth++;
	w->comma[w->depth] = false;
	w->end[w->depth] = end;
	end_value(w, p);
}

static void close_nested(struct json_writer *w, char end)
{
	if (w->end[w->depth] != end)
		fail(w, -EINVAL);
	if (w->error || !reserve(w, 1))
		return;
	w->data[w->length++] = end;
	w->depth--;
}

void json_object(struct json_writer *w, const char *key)
{
	open_nested(w, key, '{', '}');
}

void json_object_end(struct json_writer *w)
{
	close_nested(w, '}');
}

void json_array(struct json_writer *w, const char *key)
{
	open_nested(w, key, '[', ']');
}

void json_array_end(struct json_writer *w)
{
	close_nested(w, ']');
}

static char *put_hex(char *p, uint32_t code)
{
	static const char digits[] = "0123456789abcdef";

	*p++ = '\\';
	*p++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*p++ = digits[code >> shift & 15];
	return p;
}

/* One sequence that begins with a byte above 0x7f; *in moves past it. */
static char *put_multibyte(char *p, const char **in, const char *end)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	const char *from = *in;
	uint32_t code;
	size_t size = utf8_decode(from, end - from, &code);

	*in = from + size;
	if (code == UTF8_INVALID)
		return mempcpy(p, replacement, strlen(replacement));
	if (utf8_is_control(code) || utf8_is_layout(code))
		return put_hex(p, code);
	return mempcpy(p, from, size);
}

static char *put_escaped(char *p, const char *in, size_t length)
{
	const char *end = in + length;

	while (in < end) {
		char escape = escapes[(unsigned char)*in];

		if (!escape) {
			*p++ = *in++;
		} else if (escape == ESCAPE_UTF8) {
			p = put_multibyte(p, &in, end);
		} else if (escape == ESCAPE_HEX) {
			p = put_hex(p, *in++);
		} else {
			*p++ = '\\';
			*p++ = escape;
			in++;
		}
	}
	return p;
}

void json_string_n(struct json_writer *w, const char *key, const char *value, size_t length)
{
	char *p;

	/* Also keeps the product below from wrapping. */
	if (length > JSON_SIZE_MAX / ESCAPE_MAX)
		fail(w, -E2BIG);
	p = begin_value(w, key, length * ESCAPE_MAX + strlen("\"\""));
	if (!p)
		return;
	*p++ = '"';
	p = put_escaped(p, value, length);
	*p++ = '"';
	end_value(w, p);
}

void json_string(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_string_n(w, key, value, strlen(value));
}

/* Two digits a division: divisions are what this costs. */
static char *put_uint(char *p, uint64_t value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char digits[INTEGER_MAX_DIGITS];
	char *first = digits + sizeof(digits);

	while (value >= 10) {
		first -= 2;
		memcpy(first, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	/* A pair with a leading zero has ended the loop with 0 left over. */
	if (value > 0 || first == digits + sizeof(digits))
		*--first = '0' + value;
	return mempcpy(p, first, digits + sizeof(digits) - first);
}

void json_uint(struct json_writer *w, const char *key, uint64_t value)
{
	char *p = begin_value(w, key, INTEGER_MAX_DIGITS);

	if (p)
		end_value(w, put_uint(p, value));
}

void json_int(struct json_writer *w, const char *key, int64_t value)
{
	char *p = begin_value(w, key, INTEGER_MAX_DIGITS);

	if (!p)
		return;
	if (value < 0)
		*p++ = '-';
	end_value(w, put_uint(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value));
}

void json_bool(struct json_writer *w, const char *key, bool value)
{
	const char *text = value ? "true" : "false";
	char *p = begin_value(w, key, strlen("false"));

	if (p)
		end_value(w, mempcpy(p, text, strlen(text)));
}

/* value is not negative and below 2^63. */
static char *put_fixed(char *p, double value, bool negative, int decimals)
{
	static const uint32_t powers[DECIMALS_MAX + 1] = {1,	  10,	   100,	     1000,	10000,
							  100000, 1000000, 10000000, 100000000, 1000000000};
	uint64_t whole = (uint64_t)value;
	double scaled = (value - (double)whole) * powers[decimals];
	uint32_t part = (uint32_t)scaled;

	/* Not (scaled + 0.5): that addition rounds by itself. */
	if (scaled - part >= 0.5)
		part++;
	if (part == powers[decimals]) {
		part = 0;
		whole++;
	}
	if (negative && (whole || part))
		*p++ = '-';
	p = put_uint(p, whole);
	if (decimals == 0)
		return p;
	*p++ = '.';
	for (int i = decimals - 1; i >= 0; i--)
		*p++ = '0' + part / powers[i] % 10;
	return p;
}

/* From 2^63 on a double is an integer; such values are rare, and %.0f writes digits only in any locale. */
static char *put_huge(char *p, double value, bool negative, int decimals)
{
	if (negative)
		*p++ = '-';
	p += snprintf(p, DOUBLE_MAX_DIGITS + 1, "%.0f", value);
	if (decimals == 0)
		return p;
	*p++ = '.';
	memset(p, '0', decimals);
	return p + decimals;
}

void json_double(struct json_writer *w, const char *key, double value, int decimals)
{
	bool negative = value < 0;
	char *p;

	if (!__builtin_isfinite(value))
		return;
	decimals = decimals < 0 ? 0 : decimals > DECIMALS_MAX ? DECIMALS_MAX : decimals;
	value = negative ? -value : value;
	p = begin_value(w, key, strlen("-.") + DOUBLE_MAX_DIGITS + DECIMALS_MAX);
	if (!p)
		return;
	end_value(w, value < 0x1p63 ? put_fixed(p, value, negative, decimals)
				    : put_huge(p, value, negative, decimals));
}
