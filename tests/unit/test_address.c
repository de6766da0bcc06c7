/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static bool contains(const char *prefix_text, const char *address_text)
{
	struct address_prefix prefix, address;

	assert_int_equal(address_prefix_parse(prefix_text, &prefix), 0);
	assert_int_equal(address_parse(address_text, &address), 0);
	return address_prefix_contains(&prefix, address.family, address.addr);
}

static void test_contains(void **state)
{
	assert_true(contains("10.0.0.0/8", "10.255.255.255"));
	assert_false(contains("10.0.0.0/8", "11.0.0.0"));
	assert_true(contains("10.0.0.128/25", "10.0.0.129"));
	assert_false(contains("10.0.0.128/25", "10.0.0.127"));
	assert_true(contains("10.0.0.5", "10.0.0.5"));
	assert_false(contains("10.0.0.5/32", "10.0.0.4"));
	assert_true(contains("0.0.0.0/0", "255.255.255.255"));
	assert_false(contains("0.0.0.0/0", "::1"));
	assert_true(contains("::/0", "2001:db8::1"));
	assert_false(contains("::/0", "127.0.0.1"));
	assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(contains("::1/128", "::1"));
	assert_false(contains("::1", "::2"));
	/* Host bits of a prefix do not count. */
	assert_true(contains("192.168.1.77/24", "192.168.1.1"));
}

static void test_mapped(void **state)
{
	struct address_prefix address;

	assert_true(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
	assert_true(contains("::ffff:0:0/96", "1.2.3.4"));
	assert_true(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_int_equal(address_parse("::ffff:1.2.3.4", &address), 0);
	assert_int_equal(address.family, AF_INET);
	assert_int_equal(address.bits, 32);
	assert_memory_equal(address.addr, "\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	/* This one holds more than the mapped addresses. */
	assert_int_equal(address_prefix_parse("::ffff:0:0/95", &address), 0);
	assert_int_equal(address.family, AF_INET6);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"10",
		"10.0.0",
		"10.0.0.256",
		"10.0.0.1 ",
		"x",
		"::1%lo",
		"[::1]",
		"1.2.3.4/",
		"/8",
		"1.2.3.4/+8",
		"1.2.3.4/8 ",
		"::1/64x",
		"1.2.3.4/8/8",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8",
	};
	struct address_prefix prefix = {.bits = 77};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (address_prefix_parse(texts[i], &prefix) != -EINVAL)
			fail_msg("should be refused: %s", texts[i]);
	assert_int_equal(address_prefix_parse("1.2.3.4/33", &prefix), -ERANGE);
	assert_int_equal(address_prefix_parse("::/129", &prefix), -ERANGE);
	assert_int_equal(address_prefix_parse("1.2.3.4/4294967304", &prefix), -ERANGE);
	assert_int_equal(address_parse("10.0.0.0/8", &prefix), -EINVAL);
	assert_int_equal(prefix.bits, 77);
}

static void test_any(void **state)
{
	uint8_t addr[16] = {0};

	assert_true(address_is_any(addr));
	assert_false(address_is_v4_mapped(addr));
	addr[15] = 1;
	assert_false(address_is_any(addr));
	addr[10] = addr[11] = 0xff;
	assert_true(address_is_v4_mapped(addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
