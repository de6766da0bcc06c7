/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "records.h"

static struct rec_socket make_socket(int family, const char *local, uint16_t local_port, const char *peer,
				     uint16_t peer_port)
{
	struct rec_socket socket = {
		.family = (uint8_t)family, .local_port = local_port, .peer_port = peer_port};

	assert_int_equal(inet_pton(family, local, socket.local_addr), 1);
	assert_int_equal(inet_pton(family, peer, socket.peer_addr), 1);
	return socket;
}

/* --- what it is -------------------------------------------------------------------------------------------
 */

static void both_ends(void **state)
{
	struct rec_socket socket = make_socket(AF_INET, "127.0.0.1", 80, "10.1.2.3", 40000);
	struct endpoint local = endpoint_local(&socket), peer = endpoint_peer(&socket);

	assert_int_equal(local.family, AF_INET);
	assert_int_equal(local.port, 80);
	assert_memory_equal(local.addr, ((uint8_t[16]){127, 0, 0, 1}), 16);
	assert_int_equal(peer.port, 40000);
	assert_memory_equal(peer.addr, ((uint8_t[16]){10, 1, 2, 3}), 16);
}

/* Bytes behind an IPv4 address are nobody's. */
static void ipv4_is_four_bytes(void **state)
{
	struct rec_socket socket = make_socket(AF_INET, "0.0.0.0", 80, "0.0.0.0", 0);
	struct endpoint local;

	memset(socket.local_addr + 4, 0xee, 12);
	local = endpoint_local(&socket);
	assert_true(endpoint_is_wildcard(&local));
}

static void mapped_addresses_are_ipv4(void **state)
{
	struct rec_socket socket = make_socket(AF_INET6, "::ffff:10.0.0.7", 80, "::fffe:10.0.0.7", 9);
	struct endpoint local = endpoint_local(&socket), peer = endpoint_peer(&socket);

	assert_int_equal(local.family, AF_INET);
	assert_memory_equal(local.addr, ((uint8_t[16]){10, 0, 0, 7}), 16);
	assert_int_equal(peer.family, AF_INET6);
	assert_memory_equal(peer.addr, socket.peer_addr, 16);
}

static void dual_stack(void **state)
{
	static const struct {
		int family;
		const char *local;
		uint8_t options;
		bool expected;
	} cases[] = {
		{AF_INET6, "::", 0, true},
		{AF_INET6, "::", SOCKOPT_REUSEADDR | SOCKOPT_REUSEPORT, true},
		{AF_INET6, "::", SOCKOPT_V6ONLY, false},
		{AF_INET6, "::1", 0, false},
		{AF_INET6, "::ffff:0.0.0.0", 0, false},
		{AF_INET, "0.0.0.0", 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *any = cases[i].family == AF_INET ? "0.0.0.0" : "::";
		struct rec_socket socket = make_socket(cases[i].family, cases[i].local, 80, any, 0);

		socket.options = cases[i].options;
		if (endpoint_is_dual_stack(&socket) != cases[i].expected)
			fail_msg("%s with options %u", cases[i].local, cases[i].options);
	}
}

/* --- how it reads -----------------------------------------------------------------------------------------
 */

static void texts(void **state)
{
	static const struct {
		int family;
		const char *address;
		uint16_t port;
		const char *alone, *expected;
	} cases[] = {
		{AF_INET, "127.0.0.1", 80, "127.0.0.1", "127.0.0.1:80"},
		{AF_INET, "255.255.255.255", 65535, "255.255.255.255", "255.255.255.255:65535"},
		{AF_INET, "0.0.0.0", 8080, "0.0.0.0", "*:8080"},
		{AF_INET, "0.0.0.0", 0, "0.0.0.0", "*:*"},
		{AF_INET, "1.2.3.4", 0, "1.2.3.4", "1.2.3.4:*"},
		{AF_INET6, "::", 1, "::", "*:1"},
		{AF_INET6, "::1", 10, "::1", "[::1]:10"},
		{AF_INET6, "::1", 0, "::1", "[::1]:*"},
		{AF_INET6, "::ffff:1.2.3.4", 100, "1.2.3.4", "1.2.3.4:100"},
		{AF_INET6, "::ffff:0.0.0.0", 5, "0.0.0.0", "*:5"},
		{AF_INET6, "1111:2222:3333:4444:5555:6666:7777:8888", 65535,
		 "1111:2222:3333:4444:5555:6666:7777:8888",
		 "[1111:2222:3333:4444:5555:6666:7777:8888]:65535"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *any = cases[i].family == AF_INET ? "0.0.0.0" : "::";
		struct rec_socket socket =
			make_socket(cases[i].family, cases[i].address, cases[i].port, any, 0);
		struct endpoint endpoint = endpoint_local(&socket);
		char buf[ENDPOINT_TEXT_MAX];

		assert_string_equal(endpoint_address_text(&endpoint, buf), cases[i].alone);
		assert_ptr_equal(endpoint_text(&endpoint, buf), buf);
		assert_string_equal(buf, cases[i].expected);
	}
}

/* The longest that inet_ntop() can write fits with all around it. */
static void room_for_the_longest(void **state)
{
	assert_true(ENDPOINT_TEXT_MAX >= INET6_ADDRSTRLEN + sizeof("[]:65535") - 1);
}

static void every_port(void **state)
{
	struct endpoint endpoint = {.family = AF_INET, .addr = {1, 1, 1, 1}};

	for (uint32_t port = 1; port <= UINT16_MAX; port++) {
		char buf[ENDPOINT_TEXT_MAX], expected[32];

		endpoint.port = (uint16_t)port;
		snprintf(expected, sizeof(expected), "1.1.1.1:%u", port);
		assert_string_equal(endpoint_text(&endpoint, buf), expected);
	}
}

static void no_family_no_text(void **state)
{
	struct endpoint endpoint = {.family = 0, .addr = {1}};
	char buf[ENDPOINT_TEXT_MAX] = "old";

	assert_string_equal(endpoint_address_text(&endpoint, buf), "");
	assert_string_equal(endpoint_text(&endpoint, buf), ":*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends),
		cmocka_unit_test(ipv4_is_four_bytes),
		cmocka_unit_test(mapped_addresses_are_ipv4),
		cmocka_unit_test(dual_stack),
		cmocka_unit_test(texts),
		cmocka_unit_test(room_for_the_longest),
		cmocka_unit_test(every_port),
		cmocka_unit_test(no_family_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
