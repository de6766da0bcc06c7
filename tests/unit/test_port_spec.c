/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static int service(void *context, const char *name, uint16_t *ret_port)
{
	if (!strcmp(name, "http"))
		*ret_port = 80;
	else if (!strcmp(name, "zero"))
		*ret_port = 0;
	else
		return -ENOENT;
	return 0;
}

static const struct filter_resolver resolver = {.service = service};

static int parse(const char *text, struct port_spec *spec, struct filter_error *error)
{
	char *word = strdup(text);
	int result = port_spec_parse(word, &resolver, spec, error);

	assert_string_equal(word, text); /* it only reads */
	free(word);
	return result;
}

static struct port_spec spec_of(const char *text)
{
	struct port_spec spec;
	struct filter_error error;

	if (parse(text, &spec, &error))
		fail_msg("%s: %s", text, error.message);
	return spec;
}

/* Said again, everything that was understood is there. */
static void test_forms(void **state)
{
	static const char *const forms[][2] = {
		{"8080", "port 8080"},
		{"http", "port 80"},
		{"1", "port 1"},
		{"65535", "port 65535"},
		{"080", "port 80"},
		{":80", "port 80"},
		{"*:80", "port 80"},
		{"*:http/tcp", "tcp port 80"},
		{"53/udp", "udp port 53"},
		{"53/UDP", "udp port 53"},
		{"5000/sctp", "sctp port 5000"},
		{"80/mptcp", "mptcp port 80"},
		{"127.0.0.1:80", "port 127.0.0.1:80"},
		{"0.0.0.0:80", "port 0.0.0.0:80"},
		{"[::1]:53/udp", "udp port [::1]:53"},
		{"[::]:53", "port [::]:53"},
		{"[::ffff:10.0.0.1]:80", "port 10.0.0.1:80"},
		{"[127.0.0.1]:http/tcp", "tcp port 127.0.0.1:80"},
	};
	char text[PORT_SPEC_TEXT_MAX];

	for (size_t i = 0; i < N(forms); i++) {
		const struct port_spec spec = spec_of(forms[i][0]);

		assert_string_equal(port_spec_text(&spec, text), forms[i][1]);
	}
}

/* text has a ^ where the caret belongs; it is taken out before parsing. */
static const struct {
	const char *text;
	const char *message; /* how it begins */
} refused[] = {
	{"^", "'' is no port; expected [ADDRESS:]PORT[/PROTOCOL]"},
	{"^0", "'0' is not a port that anybody can have"},
	{"^65536", "'65536' is above 65535; expected a port from 1 to 65535"},
	{"^99999999999999999999", "'99999999999999999999' is above 65535"},
	{"^80x", "'80x' is neither a port nor a known service"},
	{"^-1", "'-1' is neither a port"},
	{"^80-90", "'80-90' is neither a port"},
	{"^ 80", "' 80' is neither a port"},
	{"^zero", "'zero' is neither a port"},
	{"^localhost", "'localhost' is neither a port nor a known service"},
	{"^localhost:80",
	 "'localhost' is not an address; expected one such as 127.0.0.1, [::1] or *; host names"},
	{"^127.1:80", "'127.1' is not an address"},
	{"^10.0.0.256:80", "'10.0.0.256' is not an address"},
	{"127.0.0.1:^", "'' is no port"},
	{":^", "'' is no port"},
	{"127.0.0.1:^99999", "'99999' is above 65535"},
	{"^::1", "'::1' has more than one colon; an IPv6 address stands in brackets"},
	{"^::1:80/tcp", "'::1:80' has more than one colon"},
	{"^[::1]", "'[::1]' lacks ]: and a port"},
	{"^[::1", "'[::1' lacks ]:"},
	{"^[::1]80", "'[::1]80' lacks ]:"},
	{"[::1]:^", "'' is no port"},
	{"[^]:80", "'' is not an address"},
	{"[^*]:80", "'*' is not an address"},
	{"[^::g]:80", "'::g' is not an IPv6 address"},
	{"[^fe80::1%eth0]:80", "'fe80::1%eth0' names an interface"},
	{"80/^", "'' is not a known protocol; expected tcp, udp, sctp or mptcp"},
	{"80/^tcpx", "'tcpx' is not a known protocol"},
	{"80/^tcp/udp", "'tcp/udp' is not a known protocol"},
	{"^10.0.0.1", "'10.0.0.1' is an address without a port; expected [ADDRESS:]PORT"},
	{"^10.0.0.0/8:80", "'10.0.0.0' is an address without a port"},
	{"10.0.0.1:80/^8:80", "'8:80' is not a known protocol"},
	{"^/tcp", "'' is no port"},
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < N(refused); i++) {
		size_t column = strcspn(refused[i].text, "^");
		struct port_spec spec = {.port = 7};
		struct filter_error error;
		char text[64];

		snprintf(text, sizeof(text), "%.*s%s", (int)column, refused[i].text,
			 refused[i].text + column + 1);
		if (parse(text, &spec, &error) != -EINVAL)
			fail_msg("should be refused: %s", text);
		assert_int_equal(spec.port, 7);
		assert_string_equal(error.text, text);
		if (strncmp(error.message, refused[i].message, strlen(refused[i].message)))
			fail_msg("%s: %s", text, error.message);
		if (error.column != column)
			fail_msg("%s: the caret is at %zu", text, error.column);
	}
}

/* Longer than anything that can be meant, where every part may be long. */
static void test_long(void **state)
{
	static const char *const frames[] = {"%s", "%s:80", "[%s]:80", "80/%s", "127.0.0.1:%s"};
	char part[1001], text[1100];
	struct port_spec spec;
	struct filter_error error;

	memset(part, 'a', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	for (size_t i = 0; i < N(frames); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), frames[i], part);
#pragma GCC diagnostic pop
		assert_int_equal(parse(text, &spec, &error), -EINVAL);
		assert_int_equal(parse(text, &spec, NULL), -EINVAL);
	}
}

static void test_no_resolver(void **state)
{
	char word[] = "http";
	struct port_spec spec;

	assert_int_equal(port_spec_parse(word, NULL, &spec, NULL), -EINVAL);
}

/* --- sockets ----------------------------------------------------------------------------------------------
 */

static struct rec_socket socket_at(int family, const char *address, uint16_t port, uint8_t options)
{
	const struct rec_socket empty = {.family = (uint8_t)family,
					 .local_port = port,
					 .protocol = IPPROTO_TCP,
					 .state = TCP_LISTEN,
					 .options = options};
	struct rec_socket socket = empty;

	assert_int_equal(inet_pton(family, address, socket.local_addr), 1);
	return socket;
}

static bool matches(const char *text, int family, const char *address, uint8_t options)
{
	const struct port_spec spec = spec_of(text);
	const struct rec_socket socket = socket_at(family, address, 80, options);

	return port_spec_matches(&spec, &socket);
}

static void test_matches(void **state)
{
	assert_true(matches("80", AF_INET, "10.0.0.1", 0));
	assert_true(matches("80/tcp", AF_INET6, "::1", 0));
	assert_true(matches("80/mptcp", AF_INET, "10.0.0.1", 0));
	assert_false(matches("80/udp", AF_INET, "10.0.0.1", 0));
	assert_false(matches("81", AF_INET, "10.0.0.1", 0));
	assert_true(matches("10.0.0.1:80", AF_INET, "10.0.0.1", 0));
	assert_false(matches("10.0.0.1:80", AF_INET, "10.0.0.2", 0));
	assert_true(matches("10.0.0.1:80", AF_INET, "0.0.0.0", 0));
	assert_true(matches("10.0.0.1:80", AF_INET6, "::", 0));
	assert_false(matches("10.0.0.1:80", AF_INET6, "::", SOCKOPT_V6ONLY));
	assert_true(matches("10.0.0.1:80", AF_INET6, "::ffff:10.0.0.1", 0));
	assert_true(matches("10.0.0.1:80", AF_INET6, "::ffff:0.0.0.0", 0));
	assert_false(matches("10.0.0.1:80", AF_INET6, "::1", 0));
	assert_true(matches("[::1]:80", AF_INET6, "::1", 0));
	assert_true(matches("[::1]:80", AF_INET6, "::", SOCKOPT_V6ONLY));
	assert_false(matches("[::1]:80", AF_INET, "0.0.0.0", 0));
	assert_false(matches("[::1]:80", AF_INET6, "::2", 0));
	/* The wildcard as an address: who serves all of them. */
	assert_true(matches("0.0.0.0:80", AF_INET, "0.0.0.0", 0));
	assert_true(matches("0.0.0.0:80", AF_INET6, "::", 0));
	assert_false(matches("0.0.0.0:80", AF_INET, "10.0.0.1", 0));
}

static bool matches_place(const char *text, int family, const char *address)
{
	const struct port_spec spec = spec_of(text);
	struct rec_socket place = socket_at(family, address, 80, 0);

	place.family = 0;
	return port_spec_matches_place(&spec, &place);
}

static void test_matches_place(void **state)
{
	assert_true(matches_place("80", AF_INET, "10.0.0.1"));
	assert_false(matches_place("80/udp", AF_INET, "10.0.0.1"));
	assert_true(matches_place("10.0.0.1:80", AF_INET, "10.0.0.1"));
	assert_false(matches_place("10.0.0.1:80", AF_INET, "10.0.0.2"));
	assert_true(matches_place("10.0.0.1:80", AF_INET6, "::ffff:10.0.0.1"));
	assert_false(matches_place("10.0.0.1:80", AF_INET6, "::ffff:10.0.0.2"));
	assert_true(matches_place("10.0.0.1:80", AF_INET6, "::"));
	assert_true(matches_place("[::1]:80", AF_INET6, "::1"));
	assert_false(matches_place("[::1]:80", AF_INET6, "::2"));
	assert_true(matches_place("0.0.0.0:80", AF_INET, "10.0.0.2"));
}

static void test_netns(void **state)
{
	struct rec_socket socket = socket_at(AF_INET, "10.0.0.1", 80, 0);
	struct port_spec spec = spec_of("80");

	socket.netns = 5;
	assert_true(port_spec_matches(&spec, &socket));
	spec.netns = 5;
	assert_true(port_spec_matches(&spec, &socket));
	assert_true(port_spec_matches_place(&spec, &socket));
	spec.netns = 6;
	assert_false(port_spec_matches(&spec, &socket));
	assert_false(port_spec_matches_place(&spec, &socket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long),	cmocka_unit_test(test_no_resolver),
		cmocka_unit_test(test_matches), cmocka_unit_test(test_matches_place),
		cmocka_unit_test(test_netns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
