/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metrics_counts.h"

#include "core/metrics_labels.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "metrics_fixture.h"

#define CGROUP	  77
#define CONTAINER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int setup_counts(void **state)
{
	int error = setup_metrics(state);
	struct metrics_fixture *f = *state;

	if (error)
		return error;
	apply_meta(f->f, META_CGROUP, CGROUP, "/system.slice/docker-" CONTAINER ".scope");
	apply_meta(f->f, META_NETNS_NAME, TEST_NETNS, "blue");
	return 0;
}

/* Of a filter, as one word; NULL: none. */
static void begin(struct metrics_fixture *f, const char *words)
{
	if (words)
		set_filter(f, words);
	f->counts = metrics_counts_new(f->metrics, f->f->model, f->filter);
	assert_non_null(f->counts);
	metrics_begin(f->metrics);
	metrics_counts_name(f->counts, COUNT_NAME_FIRST, "nginx");
	metrics_counts_name(f->counts, COUNT_NAME_FIRST + 1, "curl");
}

static void count(struct metrics_fixture *f, struct count_key key, uint64_t n)
{
	const struct count value = {.n = n};

	assert_int_equal(metrics_counts_count(f->counts, &key, &value, false), 0);
}

static void span(struct metrics_fixture *f, struct count_key key, struct span value)
{
	assert_int_equal(metrics_counts_span(f->counts, &key, &value, false), 0);
}

static void binds(void **state)
{
	struct metrics_fixture *f = *state;
	struct count_key key = {.kind = COUNT_BIND, .protocol = IPPROTO_TCP, .name = COUNT_NAME_FIRST};

	begin(f, NULL);
	count(f, key, 3);
	key.assigned = ASSIGNED_BIND;
	count(f, key, 4);
	key = (struct count_key){.kind = COUNT_BIND_ERROR, .protocol = IPPROTO_UDP, .error = EADDRINUSE};
	count(f, key, 5);
	key.name = COUNT_NAME_OTHER;
	count(f, key, 6);
	end_scrape(f);
	EXPECT(f, "portsnoop_binds_total{network_transport=\"tcp\",process_executable_name=\"nginx\"} 3");
	EXPECT(f, "portsnoop_binds_total{network_transport=\"tcp\",process_executable_name=\"nginx\","
		  "assigned_by=\"bind\"} 4");
	/* Nobody knows who: there is no label, rather than an empty one. */
	EXPECT(f, "portsnoop_bind_errors_total{network_transport=\"udp\",error_type=\"EADDRINUSE\"} 5");
	EXPECT(f, "portsnoop_bind_errors_total{network_transport=\"udp\",process_executable_name=\"other\","
		  "error_type=\"EADDRINUSE\"} 6");
}

static void connects(void **state)
{
	struct metrics_fixture *f = *state;
	struct count_key key = {.kind = COUNT_CONNECT, .port = 443, .name = COUNT_NAME_FIRST + 1};

	begin(f, NULL);
	span(f, key, (struct span){.n = 10, .sum_ns = 1000000, .buckets = {9}});
	key = (struct count_key){.kind = COUNT_CONNECT_ERROR,
				 .port = 443,
				 .protocol = IPPROTO_TCP,
				 .error = CONNECT_ABORTED,
				 .name = COUNT_NAME_FIRST + 1};
	count(f, key, 2);
	end_scrape(f);
	EXPECT(f, "portsnoop_connects_total{server_port=\"443\",process_executable_name=\"curl\"} 10");
	/* Of one it is not known for how long it took. */
	EXPECT(f, "portsnoop_connect_duration_seconds_count{server_port=\"443\",process_executable_name="
		  "\"curl\"} 9");
	EXPECT(f, "portsnoop_connect_errors_total{network_transport=\"tcp\",server_port=\"443\","
		  "process_executable_name=\"curl\",error_type=\"aborted\"} 2");
}

static void closes(void **state)
{
	struct metrics_fixture *f = *state;
	struct count_key key = {.kind = COUNT_CLOSE,
				.port = 80,
				.netns = TEST_NETNS,
				.cgroup_id = CGROUP,
				.direction = DIRECTION_IN,
				.reason = CLOSE_PEER,
				.name = COUNT_NAME_FIRST};
	const struct span value = {.n = 3, .sent = 1000, .received = 20, .retransmits = 4, .buckets = {3}};

	begin(f, NULL);
	span(f, key, value);
	key.reason = CLOSE_RESET;
	span(f, key, value);
	end_scrape(f);
#define AT                                                                                                   \
	"local_port=\"80\",process_executable_name=\"nginx\",netns=\"4026531840\",container_id=\"" CONTAINER \
	"\""
	EXPECT(f, "portsnoop_connections_closed_total{" AT ",direction=\"in\",reason=\"peer\"} 3");
	EXPECT(f, "portsnoop_connections_closed_total{" AT ",direction=\"in\",reason=\"reset\"} 3");
	EXPECT(f, "portsnoop_connection_bytes_total{" AT ",direction=\"sent\"} 2000");
	EXPECT(f, "portsnoop_connection_bytes_total{" AT ",direction=\"received\"} 40");
	EXPECT(f, "portsnoop_retransmits_total{" AT "} 8");
	EXPECT(f, "portsnoop_connection_duration_seconds_count{" AT ",direction=\"in\"} 6");
}

static void outbound_has_no_local_port(void **state)
{
	struct metrics_fixture *f = *state;
	const struct count_key key = {
		.kind = COUNT_CLOSE, .port = 443, .netns = TEST_NETNS, .direction = DIRECTION_OUT};

	begin(f, NULL);
	span(f, key, (struct span){.n = 1, .sent = 7});
	end_scrape(f);
	EXPECT(f, "portsnoop_connection_bytes_total{server_port=\"443\",netns=\"4026531840\",direction="
		  "\"sent\"} 7");
	EXPECT_NO(f, "local_port");
}

static void what_found_no_room(void **state)
{
	struct metrics_fixture *f = *state;
	const struct count_key refuse = {.kind = COUNT_REFUSE}, close = {.kind = COUNT_CLOSE};
	const struct count value = {.n = 9};
	const struct span long_one = {.n = 2, .sent = 5, .received = 6, .buckets = {2}};

	begin(f, NULL);
	metrics_counts_count(f->counts, &refuse, &value, true);
	metrics_counts_span(f->counts, &close, &long_one, true);
	end_scrape(f);
	EXPECT(f, "portsnoop_refused_connections_total{local_port=\"other\",netns=\"other\"} 9");
	EXPECT(f, "portsnoop_connection_bytes_total{local_port=\"other\",server_port=\"other\","
		  "process_executable_name=\"other\",netns=\"other\",container_id=\"other\",direction="
		  "\"other\"} 11");
}

/* Damaged numbers must lead nowhere. */
static void numbers_out_of_range(void **state)
{
	struct metrics_fixture *f = *state;

	begin(f, NULL);
	metrics_counts_name(f->counts, UINT32_MAX, "x");
	metrics_counts_name(f->counts, COUNT_NAME_OTHER, "x");
	count(f, (struct count_key){.kind = 255}, 1);
	count(f, (struct count_key){.kind = COUNT_BIND, .name = UINT32_MAX, .assigned = 255}, 1);
	span(f, (struct count_key){.kind = 255}, (struct span){.n = 1});
	span(f, (struct count_key){.kind = COUNT_CLOSE, .direction = 9, .reason = 200},
	     (struct span){.n = 1});
	end_scrape(f);
	assert_non_null(strstr(f->text.data, "portsnoop_binds_total 1\n"));
}

static void filtered(void **state)
{
	struct metrics_fixture *f = *state;
	struct count_key key = {.kind = COUNT_ACCEPT, .port = 80, .netns = TEST_NETNS, .cgroup_id = CGROUP};

	begin(f, "lport 80 comm nginx container 0123 netns blue");
	key.name = COUNT_NAME_FIRST;
	span(f, key, (struct span){.n = 1});
	key.port = 81;
	span(f, key, (struct span){.n = 10});
	key.port = 80;
	key.name = COUNT_NAME_FIRST + 1;
	span(f, key, (struct span){.n = 100});
	key.name = COUNT_NAME_FIRST;
	key.netns++;
	span(f, key, (struct span){.n = 1000});
	/* It has no local port that could be the one. */
	count(f, (struct count_key){.kind = COUNT_BIND, .name = COUNT_NAME_FIRST}, 1);
	end_scrape(f);
	EXPECT(f, "portsnoop_accepts_total{" AT "} 1");
	EXPECT_NO(f, "portsnoop_binds_total");
	EXPECT_NO(f, "\"81\"");
	EXPECT_NO(f, "} 100");
}

/* Which keys of the language are labels. */
static void keys_that_are_labels(void **state)
{
	static const struct {
		const char *words, *key;
	} cases[] = {
		{"port 80", NULL},
		{"lport 80 or rport 443", NULL},
		{"comm nginx netns 5 container abc", NULL},
		{"proto tcp state listen in out direction in errno EPERM ipv4 ipv6", NULL},
		{"laddr 10.0.0.0/8", NULL},
		{"pid 1", "pid"},
		{"lport 80 and not uid 0", "uid"},
		{"raddr 10.0.0.1", "raddr"},
		{"addr 10.0.0.1", "addr"},
		{"serves 10.0.0.1:80", "serves"},
		{"uid 0", "uid"},
		{"event bind", "event"},
		{"failed", "failed"},
		{"cgroup /a", "cgroup"},
		{"class ephemeral", "class"},
		{"has error.type", "has"},
	};

	assert_null(labels_unknown_key(NULL));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *word = (char *)cases[i].words;
		struct filter *filter;
		const char *key;

		assert_int_equal(filter_parse(&word, 1, NULL, &filter, NULL), 0);
		key = labels_unknown_key(filter);
		if (cases[i].key)
			assert_string_equal(key, cases[i].key);
		else
			assert_null(key);
		filter_free(filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_counts, teardown_metrics)
		TEST(binds),
		TEST(connects),
		TEST(closes),
		TEST(outbound_has_no_local_port),
		TEST(what_found_no_room),
		TEST(numbers_out_of_range),
		TEST(filtered),
		cmocka_unit_test(keys_that_are_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
