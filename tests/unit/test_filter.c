/* SPDX-License-Identifier: GPL-2.0-only */
/* What each key of the filter language means, and how comparisons combine. */
#include "filter_fixture.h"

#include <portsnoop/event.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTAINER "4f0c2d9a7b31e8d5c6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9"

/* Braces, not values: clang takes no other object as the initialiser of an array. */
#define NGINX                                                                                                \
	{                                                                                                    \
		.pid = 812, .ns_pid = 7, .uid = 33, .comm = "nginx",                                         \
		.cgroup = "/system.slice/system-web\\x2dfront.slice/docker-" CONTAINER ".scope",             \
	}
#define PYTHON                                                                                               \
	{                                                                                                    \
		.pid = 4242, .uid = 1000, .comm = "python3.11"                                               \
	}
static const struct filter_process nginx = NGINX;
static const struct filter_process both[] = {NGINX, PYTHON};

static bool has_error_type(const void *context, const char *field)
{
	return !strcmp(field, "error.type");
}

static void set_address(uint8_t addr[16], int family, const char *text)
{
	assert_int_equal(inet_pton(family, text, addr), 1);
}

/* An accepted connection: every field is there. */
static struct filter_subject connection(void)
{
	struct filter_subject subject = {
		.present = FILTER_HAS_LOCAL | FILTER_HAS_PEER | FILTER_HAS_NETNS | FILTER_HAS_STATE,
		.event = "accept",
		.family = AF_INET,
		.protocol = IPPROTO_TCP,
		.local_port = 80,
		.peer_port = 50000,
		.state = "established",
		.direction = DIRECTION_IN,
		.netns = 4026531840,
		.netns_name = "blue",
		.port_class = "well-known",
		.processes = &nginx,
		.n_processes = 1,
		.has_field = has_error_type,
	};

	set_address(subject.local_addr, AF_INET, "10.0.0.5");
	set_address(subject.peer_addr, AF_INET, "192.0.2.7");
	return subject;
}

static struct filter_subject listener(int family, const char *address, uint16_t port)
{
	struct filter_subject subject = {.present = FILTER_HAS_LOCAL | FILTER_HAS_STATE,
					 .family = (uint8_t)family,
					 .protocol = IPPROTO_TCP,
					 .local_port = port,
					 .state = "listen"};

	set_address(subject.local_addr, family, address);
	return subject;
}

/* Each of these holds for connection(), and its `not` does not. */
static const char *const true_of_connection[] = {
	"port 80",
	"port 50000",
	"port 1,80",
	"port 79-81",
	"port 80-80",
	"port http",
	"port http-alt,http",
	"port \"80\"",
	"lport 80",
	"lport 0-1023",
	"rport 50000",
	"rport 0-65535",
	"addr 10.0.0.5",
	"addr 192.0.2.7",
	"addr 10.0.0.0/8",
	"addr 192.168.0.0/16,10.255.255.255/8",
	"addr 0.0.0.0/0",
	"laddr 10.0.0.5/32",
	"laddr 10.0.0.4/31",
	"laddr ::ffff:10.0.0.5",
	"laddr ::ffff:10.0.0.0/104",
	"raddr 192.0.2.7",
	"raddr ::1,192.0.2.0/24",
	"serves 10.0.0.5:80",
	"serves :80",
	"serves *:80",
	"serves 80",
	"serves http",
	"serves 10.0.0.5:http",
	"serves [::1]:80,10.0.0.5:80-90",
	"serves [::ffff:10.0.0.5]:80",
	"pid 812",
	"pid 7",
	"pid 1-1000",
	"comm nginx",
	"comm ng*",
	"comm ?gin?",
	"comm apache2,nginx",
	"comm 'ngin*'",
	"comm \"nginx\"",
	"user www-data",
	"user 33",
	"user 0-999",
	"uid 33",
	"uid 0-999",
	"proto tcp",
	"proto udp,sctp,mptcp,tcp",
	"proto TCP",
	"ipv4",
	"state established",
	"state listen,established,time_wait",
	"state ESTABLISHED",
	"event accept",
	"event bind,accept",
	"direction in",
	"direction out,in",
	"in",
	"netns blue",
	"netns bl*",
	"netns 4026531840",
	"netns 4026531000-4026531999",
	"container 4f0c",
	"container 4f0c2d9a7b31",
	("container " CONTAINER),
	"container 4f0c*",
	"cgroup /system.slice/*",
	"cgroup '/system.slice/system-web\\x2dfront.slice/docker-*'",
	"cgroup */system-web\\x2dfront*",
	"class well-known",
	"class ephemeral,well-known",
	"has error.type",
	"has portsnoop.port.requested,error.type",
};

static const char *const false_of_connection[] = {
	"port 81",
	"port 81-49999",
	"lport 50000",
	"rport 80",
	"addr 10.0.0.6",
	"addr ::/0",
	"laddr 10.0.0.6/31",
	"laddr 192.0.2.7",
	"raddr 10.0.0.5",
	"laddr ::a00:5",
	"serves 10.0.0.6:80",
	"serves 10.0.0.5:81",
	"serves :443",
	"serves [::]:80",
	"pid 8",
	"pid 0-6",
	"comm ngin",
	"comm *ngin",
	"comm nginx?",
	"comm \\*",
	"comm NGINX",
	"user 34",
	"uid 1000",
	"proto udp",
	"ipv6",
	"state listen",
	"event bind",
	"direction out",
	"out",
	"failed",
	"errno EADDRINUSE",
	"netns green",
	"netns 4026531841",
	"container web",
	"container 4f0",
	"container docker",
	"container 4f0c2d9a7b32",
	"cgroup /system.slice",
	"class registered",
	"has portsnoop.port.requested",
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void test_every_key(void **state)
{
	struct filter_subject subject = connection();
	char negated[128];

	for (size_t i = 0; i < N(true_of_connection); i++) {
		snprintf(negated, sizeof(negated), "not %s", true_of_connection[i]);
		assert_match(true_of_connection[i], &subject);
		assert_no_match(negated, &subject);
	}
	for (size_t i = 0; i < N(false_of_connection); i++) {
		snprintf(negated, sizeof(negated), "! %s", false_of_connection[i]);
		assert_no_match(false_of_connection[i], &subject);
		assert_match(negated, &subject);
	}
}

/* The first word of a shell command line and the rest of it: key, then its value whole. */
static void test_value_as_own_word(void **state)
{
	struct filter_subject subject = connection();

	for (size_t i = 0; i < N(true_of_connection); i++) {
		char *key = strdup(true_of_connection[i]);
		char *value = strchr(key, ' ');

		/* The shell would have taken these quotes off. */
		if (value && !strchr(value, '\'')) {
			*value++ = '\0';
			assert_true(match_words((const char *const[]){key, value, NULL}, &subject));
		}
		free(key);
	}
}

/* A subject that knows nothing: no comparison holds, and no comparison's `not` fails. */
static void test_absent_fields(void **state)
{
	static const struct filter_process nobody = {.uid = 65534};
	struct filter_subject nothing = {0}, unknown = {.processes = &nobody, .n_processes = 1};
	/* Filled, but not said to be present. */
	struct filter_subject hidden = connection();
	char negated[128];

	hidden.present = 0;
	for (size_t i = 0; i < N(true_of_connection); i++) {
		snprintf(negated, sizeof(negated), "not %s", true_of_connection[i]);
		assert_no_match(true_of_connection[i], &nothing);
		assert_no_match(true_of_connection[i], &unknown);
		assert_match(negated, &nothing);
	}
	assert_no_match("port 0-65535 or addr 0.0.0.0/0 or serves :0-65535", &hidden);
	assert_no_match("state established or netns 4026531840", &hidden);
	assert_no_match("pid 0-4294967295 or comm * or cgroup * or container * or netns *", &unknown);
	assert_no_match("port 0-65535 or rport 0", &nothing);
}

static void test_serves(void **state)
{
	struct filter_subject any4 = listener(AF_INET, "0.0.0.0", 443);
	struct filter_subject any6 = listener(AF_INET6, "::", 443);
	struct filter_subject one4 = listener(AF_INET, "10.0.0.5", 443);
	struct filter_subject one6 = listener(AF_INET6, "::1", 443);

	assert_match("serves 10.0.0.5:443", &any4);
	assert_no_match("serves [::1]:443", &any4);
	assert_match("serves [::1]:443", &any6);
	assert_no_match("serves 10.0.0.5:443", &any6);
	any6.dual_stack = true;
	assert_match("serves 10.0.0.5:443", &any6);
	assert_match("serves [::1]:443", &any6);
	assert_no_match("serves 10.0.0.5:444", &any6);
	assert_match("serves 10.0.0.5:443", &one4);
	assert_no_match("serves 10.0.0.6:443", &one4);
	assert_match("serves [::1]:443", &one6);
	assert_no_match("serves [::2]:443", &one6);
	assert_match("serves 443 serves :443", &one6);
	/* Whoever connected from there does not receive there. */
	one4.direction = DIRECTION_OUT;
	assert_no_match("serves 443 or serves 10.0.0.5:443", &one4);
}

static void test_errors(void **state)
{
	struct filter_subject subject = connection();

	subject.error = EADDRINUSE;
	assert_match("failed errno EADDRINUSE", &subject);
	assert_match("errno EACCES,eaddrinuse", &subject);
	assert_match("errno 98", &subject);
	assert_no_match("errno EACCES", &subject);
	subject.error = -1;
	assert_match("failed", &subject);
	assert_no_match("errno EADDRINUSE,EPERM", &subject);
	subject.error = EAGAIN;
	assert_match("errno EWOULDBLOCK", &subject);
}

/* Rows have many holders: one of them is enough for a comparison, and for `not` none may do. */
static void test_any_holder(void **state)
{
	struct filter_subject subject = connection();

	subject.processes = both;
	subject.n_processes = 2;
	assert_match("comm nginx and comm python*", &subject);
	assert_match("pid 4242 user www-data uid 1000", &subject);
	assert_no_match("not comm nginx", &subject);
	assert_no_match("not comm 'python*'", &subject);
	assert_match("not comm sshd", &subject);
}

/* The kernel keeps 15 bytes of a name, and people write the whole. */
static void test_long_comm(void **state)
{
	static const struct filter_process exporter = {.pid = 1, .comm = "prometheus-node"};
	struct filter_subject subject = {.processes = &exporter, .n_processes = 1};

	assert_match("comm prometheus-node-exporter", &subject);
	assert_match("comm prometheus-node", &subject);
	assert_no_match("comm prometheus-nod", &subject);
	assert_no_match("comm prometheus-nope-exporter", &subject);
	assert_no_match("comm prometheus-node-*", &subject);
}

static void test_netns_named_by_digits(void **state)
{
	struct filter_subject subject = {.netns_name = "42"};

	assert_match("netns 42", &subject);
	assert_no_match("netns 43", &subject);
}

/* A is true, B is false. */
static void test_operators(void **state)
{
	static const struct {
		const char *text;
		bool expected;
	} cases[] = {
		{"port 80 and port 50000", true},
		{"port 80 port 50000", true},
		{"port 80 port 81", false},
		{"port 81 or port 80", true},
		{"port 81 || port 80", true},
		{"port 81||port 80", true},
		{"port 80&&port 50000", true},
		{"port 81 or port 82", false},
		/* and binds tighter, on both sides */
		{"port 80 or port 81 and port 82", true},
		{"port 81 and port 82 or port 80", true},
		{"port 80 or port 81 port 82", true},
		{"(port 80 or port 81) and port 82", false},
		{"port 82 and (port 81 or port 80)", false},
		{"port 81 (port 80)", false},
		{"(port 80)(in)", true},
		/* not takes one comparison */
		{"not port 81 and port 80", true},
		{"not port 80 or port 80", true},
		{"not (port 81 or port 80)", false},
		{"not (port 81 and port 80)", true},
		{"! ! port 80", true},
		{"not not not port 80", false},
		{"!(port 81)", true},
		{"!out", true},
		{"port 81 or not port 82 and port 80", true},
		{"port 81 or port 82 or port 83 or in", true},
		{"in and ipv4 and port 80 and out", false},
		{"((((in))))", true},
		{"(out or (in and (out or (ipv6 or ipv4))))", true},
		{"\tport\n80\r\nin ", true},
	};
	struct filter_subject subject = connection();

	for (size_t i = 0; i < N(cases); i++)
		if (match(cases[i].text, &subject) != cases[i].expected)
			fail_msg("should be %d: %s", cases[i].expected, cases[i].text);
}

static bool match_comm(const char *const words[], const char *comm)
{
	struct filter_process process = {.pid = 1, .comm = comm};
	struct filter_subject subject = {.processes = &process, .n_processes = 1};

	return match_words(words, &subject);
}

#define comm_words(comm, ...) match_comm((const char *const[]){__VA_ARGS__, NULL}, comm)

static void test_whole_values(void **state)
{
	assert_true(comm_words("foo bar(baz", "comm", "foo bar(baz"));
	assert_true(comm_words("foo bar(baz", "not ipv4 and comm", "foo bar(baz", "and not ipv6"));
	assert_true(comm_words("and", "comm", "and"));
	assert_true(comm_words("and", "comm and"));
	assert_true(comm_words("!x", "comm", "!x"));
	assert_true(comm_words("it's", "comm", "it's"));
	assert_true(comm_words("b", "comm", "a,b"));
	assert_false(comm_words("a,b", "comm", "a,b"));
	assert_true(comm_words("a,b", "comm", "\"a,b\""));
	assert_true(comm_words("a,b", "comm", "a\\,b"));
	assert_true(comm_words("x y", "comm", "z,x y"));
	/* Only the word behind the key: the next one is lexed again. */
	assert_true(comm_words("sh", "comm", "sh", "not", "(", "ipv4", "or", "ipv6)"));
}

static void test_quotes(void **state)
{
	assert_true(comm_words("foo bar(baz", "comm \"foo bar(baz\""));
	assert_true(comm_words("foo bar(baz", "comm 'foo bar(baz'"));
	assert_true(comm_words("foo bar", "comm foo' 'bar and not ipv4"));
	assert_true(comm_words("a,b", "comm \"a,b\""));
	assert_true(comm_words("b", "comm \"a\",'b'"));
	assert_true(comm_words("a\"b", "comm a\\\"b"));
	assert_true(comm_words("a\"b", "comm 'a\"b'"));
	assert_true(comm_words("a'b", "comm \"a'b\""));
	assert_true(comm_words("python3", "comm \"python*\""));
	assert_true(comm_words("a*b", "comm a\\*b"));
	assert_false(comm_words("axb", "comm a\\*b"));
	assert_true(comm_words("a*bc", "comm a\\*b*"));
	assert_false(comm_words("axbc", "comm a\\*b*"));
	assert_true(comm_words("a\\x2db", "comm a\\x2d*"));
	assert_true(comm_words("a\\b", "comm a\\\\b"));
	assert_true(comm_words("a\\*b", "comm a\\\\\\*b"));
	assert_true(comm_words("a&b|c!", "comm a&b|c!"));
	assert_true(comm_words("zażółć", "comm za?ó*"));
}

static void test_no_words(void **state)
{
	struct filter_subject subject = connection();

	assert_null(parse_words((const char *const[]){NULL}));
	assert_null(parse_words((const char *const[]){"", " \t\n", NULL}));
	assert_true(filter_match(NULL, &subject));
	filter_free(NULL);
}

/* The same filter cut into words at different places. */
static void test_one_word_or_many(void **state)
{
	static const char *const cuts[][10] = {
		{"(port 81 or lport 80) and not comm sshd"},
		{"(", "port", "81", "or", "lport", "80", ")", "not comm", "sshd"},
		{"(port", "81", "or", "lport", "80", ")", "and", "!comm", "sshd"},
		{"(port 81 or", " lport ", "80", "", ") and not", "comm sshd"},
	};
	static const struct filter_process sshd = {.pid = 1, .comm = "sshd"};
	struct filter_subject subject = connection();

	for (size_t i = 0; i < N(cuts); i++) {
		subject.processes = &nginx;
		assert_true(match_words(cuts[i], &subject));
		subject.processes = &sshd;
		assert_false(match_words(cuts[i], &subject));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),	 cmocka_unit_test(test_value_as_own_word),
		cmocka_unit_test(test_absent_fields),	 cmocka_unit_test(test_serves),
		cmocka_unit_test(test_errors),		 cmocka_unit_test(test_any_holder),
		cmocka_unit_test(test_long_comm),	 cmocka_unit_test(test_netns_named_by_digits),
		cmocka_unit_test(test_operators),	 cmocka_unit_test(test_whole_values),
		cmocka_unit_test(test_quotes),		 cmocka_unit_test(test_no_words),
		cmocka_unit_test(test_one_word_or_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
