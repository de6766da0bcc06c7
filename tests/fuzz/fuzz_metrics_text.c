/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * metrics_render(): the input is label values, with NULs between them. Read back by a reader of our own, each
 * series has its labels, each value is what went in, as far as that was UTF-8 and no terminal would obey it,
 * and nothing a value holds ends a label, a line or the answer.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "valid_utf8.h"
#include "view/metrics_text.h"

#define VALUES 3
#define NAME   "portsnoop_bind_errors_total"
#define ABOUT  "# HELP portsnoop_bind_errors Binds that failed.\n# TYPE portsnoop_bind_errors counter\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum metric_label labels[VALUES] = {LABEL_TRANSPORT, LABEL_EXECUTABLE, LABEL_ERROR};

/* A terminal would obey it, or show text in another order. */
static bool is_obeyed(uint32_t code)
{
	return (code < ' ' && code != '\n') || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
	       (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/* What a value reads like: cut. Returns its length; (size_t)-1: something in it reads otherwise. */
static size_t expected(const char *value, char *to)
{
	const uint8_t *in = (const uint8_t *)value;
	size_t left = strnlen(value, METRICS_LABEL_VALUE_MAX), length = 0;

	while (left) {
		uint32_t code;
		size_t n = valid_utf8(in, left, &code);

		if (!n || is_obeyed(code))
			return (size_t)-1; /* how much stands for it is the decoder's business */
		memcpy(to + length, in, n);
		length += n;
		in += n;
		left -= n;
	}
	return length;
}

/* Behind the opening quote: unescapes up to the closing one. Returns what is behind that. */
static const char *read_value(const char *at, char *to, size_t *ret_length)
{
	size_t length = 0;

	while (*at != '"') {
		char c = *at++;

		assert(c && c != '\n');
		if (c == '\\') {
			c = *at++;
			assert(c == '\\' || c == '"' || c == 'n');
			c = c == 'n' ? '\n' : c;
		}
		to[length++] = c;
	}
	*ret_length = length;
	return at + 1;
}

static const char *read_label(const char *at, enum metric_label label, const char *value)
{
	char wanted[METRICS_LABEL_VALUE_MAX + 1], found[5 * METRICS_LABEL_VALUE_MAX];
	size_t name = strlen(metric_label_name(label)), length, wanted_length = expected(value, wanted);

	assert(!strncmp(at, metric_label_name(label), name) && at[name] == '=' && at[name + 1] == '"');
	at = read_value(at + name + 2, found, &length);
	for (size_t i = 0, n; i < length; i += n) {
		uint32_t code;

		n = valid_utf8((const uint8_t *)found + i, length - i, &code);
		assert(n && !is_obeyed(code));
	}
	if (wanted_length != (size_t)-1)
		assert(length == wanted_length && !memcmp(found, wanted, length));
	return at;
}

static void check(const char *text, const char *const values[VALUES])
{
	const char *at = text;
	char separator = '{';

	assert(!strncmp(at, ABOUT, strlen(ABOUT)));
	at += strlen(ABOUT);
	assert(!strncmp(at, NAME, strlen(NAME)));
	at += strlen(NAME);
	for (int i = 0; i < VALUES; i++) {
		if (!*values[i])
			continue;
		assert(*at == separator);
		at = read_label(at + 1, labels[i], values[i]);
		separator = ',';
	}
	assert(!strcmp(at, separator == '{' ? " 7\n# EOF\n" : "} 7\n# EOF\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct metrics_options options = {.labels = METRICS_LABELS_ALL};
	struct metrics *metrics = metrics_new(&options);
	char *copy = calloc(1, size + VALUES + 1);
	const char *values[VALUES], *at = copy;
	struct metric_labels set = {{NULL}};
	struct metrics_text text;

	if (!metrics || !copy)
		abort();
	memcpy(copy, data, size);
	for (int i = 0; i < VALUES; i++) {
		values[i] = set.value[labels[i]] = at;
		at += strlen(at);
		at += at < copy + size + VALUES - 1;
	}
	metrics_begin(metrics);
	metrics_add(metrics, FAMILY_BIND_ERRORS, &set, 7);
	metrics_end(metrics);
	if (metrics_render(metrics, EXPOSITION_OPENMETRICS, &text))
		abort();
	assert(text.length == strlen(text.data));
	check(text.data, values);
	free(text.data);
	free(copy);
	metrics_free(metrics);
	return 0;
}
