/* SPDX-License-Identifier: GPL-2.0-only */
/* What Linux 6.18 answered to these binds, without options; a bind to an IPv6 address implies v6only. */
#include "core/bind_ok.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define NETNS	 7

static struct port_spec spec_of(const char *text)
{
	struct port_spec spec;
	char word[64];

	strcpy(word, text);
	assert_int_equal(port_spec_parse(word, NULL, &spec, NULL), 0);
	return spec;
}

/* v6only behind an address says so. */
static struct rec_socket socket_at(const char *address, uint8_t state)
{
	struct rec_socket socket = {.family = strchr(address, ':') ? AF_INET6 : AF_INET,
				    .local_port = 80,
				    .protocol = IPPROTO_TCP,
				    .state = state,
				    .netns = NETNS,
				    .options = strstr(address, " v6only") ? SOCKOPT_V6ONLY : 0};
	char text[64];

	strcpy(text, address);
	text[strcspn(text, " ")] = '\0';
	assert_int_equal(inet_pton(socket.family, text, socket.local_addr), 1);
	return socket;
}

static const char *const wanted[] = {"0.0.0.0:80", "127.0.0.1:80", "127.0.0.2:80",
				     "[::]:80",	   "[::1]:80",	   "80"};

static const struct {
	const char *address;
	const char *collides; /* a letter for each of wanted: x */
} matrix[] = {
	{"0.0.0.0", "xxxx-x"},
	{"127.0.0.1", "xx-x-x"},
	{"::", "xxxxxx"},
	{":: v6only", "---xxx"},
	{"::1 v6only", "---xxx"},
	{"::2 v6only", "---x-x"},
	{"::ffff:127.0.0.1", "xx-x-x"},
	{"::ffff:0.0.0.0", "xxxx-x"},
	/* A connection that went out: nobody asked for its address. */
	{"::1", "x--xxx"},
};

static void test_addresses(void **state)
{
	for (size_t i = 0; i < N(matrix); i++) {
		for (size_t j = 0; j < N(wanted); j++) {
			const struct port_spec spec = spec_of(wanted[j]);
			const struct rec_socket socket = socket_at(matrix[i].address, TCP_LISTEN);

			if (bind_ok_collides(&spec, NETNS, &socket) != (matrix[i].collides[j] == 'x'))
				fail_msg("a bind to %s beside %s", wanted[j], matrix[i].address);
		}
	}
}

/* Whatever has the port is in the way, but what has only its listener's. */
static void test_states(void **state)
{
	const struct port_spec spec = spec_of("80/tcp");

	for (uint8_t s = TCP_ESTABLISHED; s <= TCP_CLOSING; s++) {
		const struct rec_socket socket = socket_at("127.0.0.1", s);

		assert_true(bind_ok_collides(&spec, NETNS, &socket));
	}
	const struct rec_socket request = socket_at("127.0.0.1", 12);

	assert_false(bind_ok_collides(&spec, NETNS, &request));
}

static void test_elsewhere(void **state)
{
	const struct port_spec tcp = spec_of("80/tcp"), udp = spec_of("80/udp"), any = spec_of("80");
	const struct port_spec mptcp = spec_of("80/mptcp"), other = spec_of("81");
	const struct rec_socket socket = socket_at("0.0.0.0", TCP_LISTEN);

	assert_true(bind_ok_collides(&any, NETNS, &socket));
	assert_true(bind_ok_collides(&tcp, NETNS, &socket));
	assert_true(bind_ok_collides(&mptcp, NETNS, &socket));
	assert_false(bind_ok_collides(&udp, NETNS, &socket));
	assert_false(bind_ok_collides(&other, NETNS, &socket));
	assert_false(bind_ok_collides(&any, NETNS + 1, &socket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
