/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The JSON writer, driven by a small program: an operation a byte, operands behind it. What json_finish()
 * calls good has to be one well-formed JSON text of valid UTF-8 without raw control characters; and a string
 * that was valid reads back as it was.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/json_writer.h"
#include "valid_utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a strict reader of JSON, for judging only --- */

struct text {
	const uint8_t *at, *end;
};

static int peek(const struct text *t)
{
	return t->at < t->end ? *t->at : -1;
}

static void expect(struct text *t, const char *literal)
{
	size_t length = strlen(literal);

	assert((size_t)(t->end - t->at) >= length && memcmp(t->at, literal, length) == 0);
	t->at += length;
}

static uint32_t read_hex(struct text *t)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++, t->at++) {
		const char *digits = "0123456789abcdef", *digit = strchr(digits, peek(t));

		assert(peek(t) > 0 && digit);
		code = code * 16 + (digit - digits);
	}
	return code;
}

static uint32_t read_escape(struct text *t)
{
	static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
	const char *name;

	expect(t, "\\");
	assert(peek(t) > 0);
	if (peek(t) == 'u') {
		t->at++;
		return read_hex(t);
	}
	name = strchr(names, *t->at++);
	assert(name);
	return values[name - names];
}

static uint32_t read_character(struct text *t)
{
	uint32_t code;
	size_t taken;

	if (peek(t) == '\\')
		return read_escape(t);
	assert(t->at < t->end);
	taken = valid_utf8(t->at, t->end - t->at, &code);
	assert(taken > 0 && !is_dangerous(code) && code != '"');
	t->at += taken;
	return code;
}

static void read_string(struct text *t)
{
	expect(t, "\"");
	while (peek(t) != '"')
		read_character(t);
	expect(t, "\"");
}

static void read_digits(struct text *t)
{
	assert(peek(t) >= '0' && peek(t) <= '9');
	while (peek(t) >= '0' && peek(t) <= '9')
		t->at++;
}

static void read_number(struct text *t)
{
	if (peek(t) == '-')
		t->at++;
	if (peek(t) == '0')
		t->at++;
	else
		read_digits(t);
	if (peek(t) == '.') {
		t->at++;
		read_digits(t);
	}
}

static void read_value(struct text *t);

static void read_members(struct text *t, int end)
{
	if (peek(t) == end)
		return;
	for (;;) {
		if (end == '}') {
			read_string(t);
			expect(t, ":");
		}
		read_value(t);
		if (peek(t) == end)
			return;
		expect(t, ",");
	}
}

static void read_value(struct text *t)
{
	int first = peek(t);

	if (first == '"') {
		read_string(t);
	} else if (first == '{' || first == '[') {
		t->at++;
		read_members(t, first == '{' ? '}' : ']');
		t->at++;
	} else if (first == 't' || first == 'f') {
		expect(t, first == 't' ? "true" : "false");
	} else {
		read_number(t);
	}
}

/* --- the program --- */

struct input {
	const uint8_t *data;
	size_t size;
};

static const uint8_t *take(struct input *input, size_t size)
{
	const uint8_t *data = input->data;

	if (size > input->size)
		return NULL;
	input->data += size;
	input->size -= size;
	return data;
}

static uint64_t take_number(struct input *input)
{
	const uint8_t *data = take(input, sizeof(uint64_t));
	uint64_t number = 0;

	if (data)
		memcpy(&number, data, sizeof(number));
	return number;
}

/* A length byte, then so many bytes, copied so that the sanitizer sees a byte too many. */
static void put_string(struct json_writer *w, const char *key, struct input *input)
{
	const uint8_t *length = take(input, 1), *data = length ? take(input, *length) : NULL;
	char *copy;

	if (!data)
		return;
	copy = malloc(*length + 1u);
	if (!copy)
		abort();
	memcpy(copy, data, *length);
	json_string_n(w, key, copy, *length);
	copy[*length] = '\0';
	if (*length % 2)
		json_string(w, key, copy);
	free(copy);
}

static void put_double(struct json_writer *w, const char *key, struct input *input, int decimals)
{
	uint64_t bits = take_number(input);
	double value;

	memcpy(&value, &bits, sizeof(value));
	json_double(w, key, value, decimals);
}

/* Low bits: the operation; next bit: with a key or without; the rest: an operand. */
static void run_operation(struct json_writer *w, uint8_t code, struct input *input)
{
	const char *key = code & 8 ? "key" : NULL;

	switch (code & 7) {
	case 0:
		return json_object(w, key);
	case 1:
		return json_array(w, key);
	case 2:
		return code & 8 ? json_object_end(w) : json_array_end(w);
	case 3:
		return put_string(w, key, input);
	case 4:
		return json_uint(w, key, take_number(input));
	case 5:
		return json_int(w, key, take_number(input));
	case 6:
		return json_bool(w, key, code & 16);
	default:
		return put_double(w, key, input, (code >> 4) - 2);
	}
}

/* The maximal subpart by its definition: the longest beginning that some bytes would make well-formed. */
static size_t ill_formed_length(const uint8_t *in, size_t length)
{
	for (size_t size = length < 3 ? length : 3; size > 1; size--) {
		for (size_t more = 1; size + more <= 4; more++) {
			uint8_t completed[4] = {0x80, 0x80, 0x80, 0x80};
			uint32_t code;

			memcpy(completed, in, size);
			if (valid_utf8(completed, size + more, &code) == size + more)
				return size;
		}
	}
	return 1;
}

/* The input as one string: reads back as it was, where it was valid, and with U+FFFD for what was not. */
static void check_round_trip(struct json_writer *w, const uint8_t *data, size_t size)
{
	struct text text;

	json_begin(w);
	json_string_n(w, NULL, (const char *)data, size);
	assert(json_finish(w) == 0);
	text = (struct text){(const uint8_t *)w->data, (const uint8_t *)w->data + w->length};
	expect(&text, "\"");
	for (size_t at = 0; at < size;) {
		uint32_t code;
		size_t taken = valid_utf8(data + at, size - at, &code);

		assert(read_character(&text) == (taken > 0 ? code : 0xfffd));
		at += taken > 0 ? taken : ill_formed_length(data + at, size - at);
	}
	expect(&text, "\"");
	assert(text.at == text.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_writer w = {0};
	struct input input = {data, size};
	const uint8_t *code;

	json_begin(&w);
	while ((code = take(&input, 1)))
		run_operation(&w, *code, &input);
	if (json_finish(&w) == 0) {
		struct text text = {(const uint8_t *)w.data, (const uint8_t *)w.data + w.length};

		assert(w.data[w.length] == '\0' && w.length < w.capacity);
		read_value(&text);
		assert(text.at == text.end);
	}
	check_round_trip(&w, data, size);
	json_free(&w);
	return 0;
}
