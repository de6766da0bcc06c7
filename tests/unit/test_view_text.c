/* SPDX-License-Identifier: GPL-2.0-only */
/* Quantities in words, and lines that do not fit. What whole lines say is the golden cases' business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/text_record.h"
#include "core/model.h"
#include "view/event.h"
#include "view/text_parts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void durations_have_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text, *word;
	} cases[] = {
		{0, "0 ns", "0ns"},
		{999, "999 ns", "999ns"},
		{1000, "1.0 µs", "1.0µs"},
		{99949, "99.9 µs", "99.9µs"},
		{99950, "100 µs", "100µs"},
		{999499, "999 µs", "999µs"},
		{999500, "1.0 ms", "1.0ms"},
		{20200000, "20.2 ms", "20.2ms"},
		{999500000, "1.0 s", "1.0s"},
		{1540000000, "1.5 s", "1.5s"},
		{UINT64_C(60000000000), "1 m", "1m"},
		{UINT64_C(303000000000), "5 m 3 s", "5m3s"},
		{UINT64_C(3599999999999), "59 m 59 s", "59m59s"},
		{UINT64_C(7500000000000), "2 h 5 m", "2h5m"},
		{UINT64_C(90061000000000), "1 d 1 h", "1d1h"},
		{UINT64_MAX, "213503 d 23 h", "213503d23h"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[64];
		struct text text = text_in(buf, sizeof(buf));

		text_duration(&text, cases[i].ns);
		assert_string_equal(buf, cases[i].text);
		text = text_in(buf, sizeof(buf));
		text_duration_word(&text, cases[i].ns);
		assert_string_equal(buf, cases[i].word);
		assert_int_equal(text.length, strlen(buf));
	}
}

static void bytes_have_three_digits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 B"},
		{999, "999 B"},
		{1000, "1.0 kB"},
		{1234, "1.2 kB"},
		{99949, "99.9 kB"},
		{999499, "999 kB"},
		{999500, "1.0 MB"},
		{UINT64_C(98765432109), "98.8 GB"},
		{UINT64_MAX, "18.4 EB"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[64];
		struct text text = text_in(buf, sizeof(buf));

		text_bytes(&text, cases[i].bytes);
		assert_string_equal(buf, cases[i].text);
	}
}

static void columns_count_characters(void **state)
{
	char buf[64];
	struct text text = text_in(buf, sizeof(buf));

	text_put(&text, "é→");
	assert_int_equal(text_width(&text, 0), 2);
	text_pad(&text, 0, 4);
	assert_string_equal(buf, "é→   ");
	text_pad(&text, 0, 2);
	assert_string_equal(buf, "é→    ");
}

static void what_does_not_fit_is_cut(void **state)
{
	char buf[8];
	struct text text = text_in(buf, sizeof(buf));

	text_put(&text, "12345");
	text_format(&text, "%s", "6789");
	assert_string_equal(buf, "1234567");
	text_put(&text, "x");
	text_name(&text, "y", 1);
	assert_string_equal(buf, "1234567");
	assert_int_equal(text.length, 7);
}

/* Applies one record as text to a model. */
static void apply(struct model *model, const char *line, struct change *ret_change)
{
	static union any_record data;
	char copy[4096];
	struct words words;
	struct record record;

	snprintf(copy, sizeof(copy), "%s", line);
	split_words(copy, &words);
	read_record(&data, &words, 1000000000);
	assert_int_equal(record_decode(&data, data.header.size, &record), 0);
	assert_int_equal(model_apply(model, &record, ret_change), 0);
}

/* However small the buffer: nothing outside it, a line that ends, colour that is switched off. */
static void lines_end_at_any_size(void **state)
{
	const struct view_options options = {.colour = true, .verbose = true};
	struct model *model = model_new(NULL);
	struct view_tally tally = {0};
	struct change change;
	char buf[512], whole[EVENT_TEXT_MAX];
	size_t full;

	assert_non_null(model);
	apply(model, "process pid=7 comm=\\x1b[2J path=/bin/x args=x\\0\\x1b[31m\\xe2\\x82", &change);
	apply(model, "bind pid=7 comm=\\x1b[2J cookie=1 local=127.0.0.1:80 requested=80 error=EADDRINUSE",
	      &change);
	full = event_text(whole, sizeof(whole), model, &change, &tally, &options);
	assert_in_range(full, 100, sizeof(buf) - 16);
	for (size_t size = 0; size < sizeof(buf); size++) {
		size_t length;

		memset(buf, '#', sizeof(buf));
		length = event_text(buf, size, model, &change, &tally, &options);
		assert_true(buf[size] == '#');
		if (!length)
			continue;
		assert_true(length < size);
		assert_int_equal(strlen(buf), length);
		assert_string_equal(buf + length - 5, "\x1b[0m\n");
	}
	assert_string_equal(buf, whole);
	model_free(model);
}

static void records_that_only_enrich_are_no_lines(void **state)
{
	struct model *model = model_new(NULL);
	const struct view_options options = {0};
	struct view_tally tally = {0};
	struct change change;
	char buf[EVENT_TEXT_MAX];

	assert_non_null(model);
	apply(model, "meta user 0 root", &change);
	assert_int_equal(event_text(buf, sizeof(buf), model, &change, &tally, &options), 0);
	apply(model, "process pid=7 comm=x", &change);
	assert_int_equal(event_text(buf, sizeof(buf), model, &change, &tally, &options), 0);
	apply(model, "bind pid=7 comm=x cookie=1 local=127.0.0.1:80", &change);
	assert_int_not_equal(event_text(buf, sizeof(buf), model, &change, &tally, &options), 0);
	model_free(model);
}

/* The longest names that there can be, all of bytes that take four characters. */
static void longest_line_is_whole(void **state)
{
	const struct view_options options = {.verbose = true, .colour = true};
	struct model *model = model_new(NULL);
	struct view_tally tally = {0};
	struct change change;
	char line[4096] = "process pid=7 comm=x args_cut args=", buf[EVENT_TEXT_MAX],
	     *to = line + strlen(line);

	assert_non_null(model);
	for (int i = 0; i < REC_ARGS_MAX; i++)
		to += sprintf(to, "\\x1b");
	apply(model, line, &change);
	to = line + sprintf(line, "meta cgroup 5 /");
	for (int i = 0; i < 900; i++)
		to += sprintf(to, "\\x1b");
	apply(model, line, &change);
	apply(model,
	      "bind pid=7 cgroup=5 comm=x cookie=1 local=[2001:db8::1]:80 requested=80 error=EADDRINUSE",
	      &change);
	event_text(buf, sizeof(buf), model, &change, &tally, &options);
	assert_non_null(strstr(buf, "…\x1b[0m\n"));
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_three_digits),
		cmocka_unit_test(bytes_have_three_digits),
		cmocka_unit_test(columns_count_characters),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(lines_end_at_any_size),
		cmocka_unit_test(records_that_only_enrich_are_no_lines),
		cmocka_unit_test(longest_line_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
