/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text_safe(): the first byte and a half is the size of the output, the rest is the hostile text. Whatever
 * comes out is valid UTF-8 that no terminal obeys; cut, it is a prefix of the whole.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/text_safe.h"
#include "valid_utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_safe(const char *text, size_t length)
{
	const uint8_t *in = (const uint8_t *)text;

	assert(strlen(text) == length);
	for (size_t at = 0, taken; at < length; at += taken) {
		uint32_t code;

		taken = valid_utf8(in + at, length - at, &code);
		assert(taken > 0 && !is_dangerous(code));
	}
}

static int needs_no_escape(const uint8_t *in, size_t length)
{
	for (size_t at = 0, taken; at < length; at += taken) {
		uint32_t code;

		taken = valid_utf8(in + at, length - at, &code);
		if (taken == 0 || is_dangerous(code))
			return 0;
	}
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut_size, whole_size, whole_length, cut_length;
	char *cut, *whole;

	if (size < 2)
		return 0;
	/* Allocated to size, so that the sanitizer sees one byte too many. */
	cut_size = data[0] | (data[1] & 15u) << 8;
	data += 2;
	size -= 2;
	whole_size = TEXT_SAFE_SIZE(size);
	cut = malloc(cut_size ? cut_size : 1);
	whole = malloc(whole_size);
	if (!cut || !whole)
		abort();
	whole_length = text_safe(whole, whole_size, (const char *)data, size);
	check_safe(whole, whole_length);
	if (needs_no_escape(data, size))
		assert(whole_length == size && memcmp(whole, data, size) == 0);
	else
		assert(whole_length > size);
	cut_length = text_safe(cut, cut_size, (const char *)data, size);
	assert(cut_size == 0 ? cut_length == 0 : cut_length < cut_size);
	if (cut_size > 0) {
		check_safe(cut, cut_length);
		assert(memcmp(cut, whole, cut_length) == 0);
		assert(cut_size <= whole_length || cut_length == whole_length);
		/* No piece is longer than 12 bytes: nothing was left out that would have fitted. */
		assert(cut_length == whole_length || cut_size - cut_length <= 12);
	}
	free(cut);
	free(whole);
	return 0;
}
