/* SPDX-License-Identifier: GPL-2.0-only */
#include "units.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef int (*parser)(const char *text, uint64_t *ret_value);

struct good {
	const char *text;
	uint64_t expected;
};

static void check_good(parser parse, const struct good *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 77;

		if (parse(cases[i].text, &value) || value != cases[i].expected)
			fail_msg("\"%s\" became %llu", cases[i].text, (unsigned long long)value);
	}
}

static void check_bad(parser parse, const char *const *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 77;

		if (parse(cases[i], &value) != -EINVAL || value != 77)
			fail_msg("\"%s\" became %llu", cases[i], (unsigned long long)value);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const bad_sizes[] = {
	"",
	" ",
	"K",
	"-1",
	"+1",
	" 1",
	"1 ",
	"1 K",
	"1T",
	"1KK",
	"1KiB",
	"1,5K",
	"nan",
	"inf",
	".5K",
	"0x10",
	"0X10K",
	"0b1",
	"1e3",
	"1E3K",
	"0x1p4",
	"1.",
	"1.K",
	"1.5.5K",
	"1.-5K",
	"1. 5K",
	"1_000",
	"8589934592G",
	"8381903171.9G",
	"8381903172G",
	"18446744073709551616",
	"18014398509481984K",
	"99999999999999999999",
	"1s",
	"one",
};

static void sizes(void **state)
{
	static const struct good good[] = {
		{"0", 0},
		{"1", 1},
		{"4096", 4096},
		{"4096B", 4096},
		{"64K", 65536},
		{"64k", 65536},
		{"64KB", 65536},
		{"8M", 8u << 20},
		{"8mb", 8u << 20},
		{"1G", 1u << 30},
		{"3GB", 3ull << 30},
		{"0.5K", 512},
		{"1.5M", 3u << 19},
		{"007", 7},
		{"1.999999999999G", (2ull << 30) - 1},
		{"8388607G", 8388607ull << 30},
		{"8381903171G", 8381903171ull << 30},
		{"8999999999999999999", 8999999999999999999ull},
	};

	check_good(units_parse_size, good, COUNT(good));
	check_bad(units_parse_size, bad_sizes, COUNT(bad_sizes));
}

static const char *const bad_durations[] = {
	"",
	"s",
	"-5",
	"+5",
	" 5",
	"5 ",
	"5 s",
	"5d",
	"5min",
	"5sec",
	"1h30m",
	"nan",
	"infinity",
	"9000000001s",
	"2600000h",
	"5K",
	"0x10",
	"0x10s",
	"1e3",
	"1e3s",
	"1e-3",
	"5.",
	"5.s",
	".5",
	"5..5",
	"inf",
	"NAN",
	"\t5",
	"5,5",
	"9000000000",
	"8999999999999999999.9ns5",
	"18446744073.709551616",
	"18446744073709551616ns",
	"5124096h",
	"0x1.8p1",
};

static void durations(void **state)
{
	static const struct good good[] = {
		{"0", 0},
		{"5", 5000000000},
		{"5s", 5000000000},
		{"500ms", 500000000},
		{"250us", 250000},
		{"10ns", 10},
		{"0.5", 500000000},
		{"1.25ms", 1250000},
		{"5m", 300000000000},
		{"1h", 3600000000000},
		{"1.5H", 5400000000000},
		{"0.4ns", 0},
		{"0.29", 290000000},
		{"1.001", 1001000000},
		{"4.35us", 4350},
		{"0.123456789", 123456789},
		{"0.1234567899999999999999999999999999", 123456789},
		{"0.000000000000000000000000000000000001", 0},
		{"1.999999h", 7199996400000},
		{"8999999999.999999999", 8999999999999999999},
	};

	check_good(units_parse_duration, good, COUNT(good));
	check_bad(units_parse_duration, bad_durations, COUNT(bad_durations));
}

static void counts(void **state)
{
	static const struct good good[] = {
		{"1", 1},
		{"42", 42},
		{"010", 10},
		{"18446744073709551615", UINT64_MAX},
	};
	static const char *const bad[] = {
		"",    "0",	"00",  "-1",
		"+1",  " 1",	"1 ",  "1.5",
		"1e3", "0x10",	"1K",  "18446744073709551616",
		"x",   "inf",	"nan", "99999999999999999999999",
		"1.",  "1,000",
	};

	check_good(units_parse_count, good, COUNT(good));
	check_bad(units_parse_count, bad, COUNT(bad));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
