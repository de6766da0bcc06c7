/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct metrics *begin(void)
{
	const struct metrics_options options = {.labels = METRICS_LABELS_ALL};
	struct metrics *metrics = metrics_new(&options);

	assert_non_null(metrics);
	metrics_begin(metrics);
	return metrics;
}

/* Ends the scrape and checks all of what it reads like. */
static void expect(struct metrics *metrics, enum exposition exposition, const char *wanted)
{
	struct metrics_text text;

	metrics_end(metrics);
	assert_int_equal(metrics_render(metrics, exposition, &text), 0);
	assert_int_equal(text.length, strlen(text.data));
	assert_string_equal(text.data, wanted);
	free(text.data);
}

static void nothing(void **state)
{
	struct metrics *metrics = begin();

	expect(metrics, EXPOSITION_TEXT, "");
	expect(metrics, EXPOSITION_OPENMETRICS, "# EOF\n");
	metrics_free(metrics);
}

static void add_some(struct metrics *metrics)
{
	const struct metric_exemplar exemplar = {.pid = 42, .wall_ns = 1700000000123456789};
	struct metric_labels labels = {{NULL}};

	labels.value[LABEL_VERSION] = "1";
	labels.value[LABEL_LIBBPF] = "1.1";
	metrics_add(metrics, FAMILY_BUILD, &labels, 1);
	labels.value[LABEL_TRANSPORT] = "tcp";
	labels.value[LABEL_ERROR] = "EADDRINUSE";
	metrics_add_example(metrics, FAMILY_BIND_ERRORS, &labels, 3, &exemplar);
	labels.value[LABEL_NETNS] = "4026531840";
	metrics_add(metrics, FAMILY_TIME_WAIT, &labels, 12);
	metrics_add(metrics, FAMILY_DESTINATION_RATIO, &labels, 0.25);
	labels.value[LABEL_DIRECTION] = "sent";
	metrics_add(metrics, FAMILY_BYTES, &labels, 1e15);
}

/* What both formats have of these, but for units. */
#define BYTES_AND_GAUGES                                                                                     \
	"portsnoop_connection_bytes_total{netns=\"4026531840\",direction=\"sent\"} 1000000000000000\n"       \
	"# HELP portsnoop_ephemeral_destination_used_ratio_max Of what is usable towards the fullest "       \
	"destination, 0 to 1.\n"                                                                             \
	"# TYPE portsnoop_ephemeral_destination_used_ratio_max gauge\n"                                      \
	"portsnoop_ephemeral_destination_used_ratio_max{netns=\"4026531840\"} 0.25\n"                        \
	"# HELP portsnoop_time_wait_sockets TCP connections in TIME_WAIT.\n"                                 \
	"# TYPE portsnoop_time_wait_sockets gauge\n"

static void as_text(void **state)
{
	struct metrics *metrics = begin();

	add_some(metrics);
	expect(metrics, EXPOSITION_TEXT,
	       "# HELP portsnoop_build_info Versions of portsnoop and of libbpf.\n"
	       "# TYPE portsnoop_build_info gauge\n"
	       "portsnoop_build_info{version=\"1\",libbpf_version=\"1.1\"} 1\n"
	       "# HELP portsnoop_bind_errors_total Binds that failed.\n"
	       "# TYPE portsnoop_bind_errors_total counter\n"
	       "portsnoop_bind_errors_total{network_transport=\"tcp\",error_type=\"EADDRINUSE\"} 3\n"
	       "# HELP portsnoop_connection_bytes_total Payload of TCP connections that ended.\n"
	       "# TYPE portsnoop_connection_bytes_total counter\n" BYTES_AND_GAUGES
	       "portsnoop_time_wait_sockets{netns=\"4026531840\"} 12\n");
	metrics_free(metrics);
}

static void as_openmetrics(void **state)
{
	struct metrics *metrics = begin();

	add_some(metrics);
	expect(metrics, EXPOSITION_OPENMETRICS,
	       "# HELP portsnoop_build Versions of portsnoop and of libbpf.\n"
	       "# TYPE portsnoop_build info\n"
	       "portsnoop_build_info{version=\"1\",libbpf_version=\"1.1\"} 1\n"
	       "# HELP portsnoop_bind_errors Binds that failed.\n"
	       "# TYPE portsnoop_bind_errors counter\n"
	       "portsnoop_bind_errors_total{network_transport=\"tcp\",error_type=\"EADDRINUSE\"} 3 # "
	       "{process_pid=\"42\"} 1 1700000000.123\n"
	       "# HELP portsnoop_connection_bytes Payload of TCP connections that ended.\n"
	       "# TYPE portsnoop_connection_bytes counter\n"
	       "# UNIT portsnoop_connection_bytes bytes\n" BYTES_AND_GAUGES
	       "# UNIT portsnoop_time_wait_sockets sockets\n"
	       "portsnoop_time_wait_sockets{netns=\"4026531840\"} 12\n"
	       "# EOF\n");
	metrics_free(metrics);
}

static void histogram(void **state)
{
	const struct span span = {.n = 4, .sum_ns = 2500000, .buckets = {1, 0, 2, [SPAN_BOUNDS] = 1}};
	struct metrics *metrics = begin();
	struct metric_labels labels = {{NULL}};
	struct metrics_text text;

	labels.value[LABEL_SERVER_PORT] = "443";
	metrics_add_span(metrics, FAMILY_CONNECT_DURATION, &labels, &span);
	metrics_end(metrics);
	assert_int_equal(metrics_render(metrics, EXPOSITION_TEXT, &text), 0);
#define BUCKET(le, n) "portsnoop_connect_duration_seconds_bucket{server_port=\"443\",le=\"" le "\"} " n "\n"
	assert_non_null(strstr(text.data,
			       "# TYPE portsnoop_connect_duration_seconds histogram\n" BUCKET("0.0001", "1")
				       BUCKET("0.00025", "1") BUCKET("0.0005", "3")));
	assert_non_null(strstr(text.data, BUCKET("1.0", "3")));
	assert_non_null(strstr(
		text.data, BUCKET("30.0", "3") BUCKET("+Inf", "4") "portsnoop_connect_duration_seconds_count"
								   "{server_port=\"443\"} 4\n"
								   "portsnoop_connect_duration_seconds_sum"
								   "{server_port=\"443\"} 0.0025\n"));
	free(text.data);
	metrics_free(metrics);
}

/* A name that another process chose must not end the label, the line or the answer. */
static void hostile_values(void **state)
{
	static const struct {
		const char *value, *shown;
	} cases[] = {
		{"a\"} 1\nportsnoop_fake 9\n# {", "a\\\"} 1\\nportsnoop_fake 9\\n# {"},
		{"\\", "\\\\"},
		{"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x82", "\xef\xbf\xbd"}, /* cut in the middle of a character */
		{"\xc3\xa9\r\t", "\xc3\xa9\\\\x0d\\\\x09"},
		{"{a,b}", "{a,b}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct metrics *metrics = begin();
		struct metric_labels labels = {{NULL}};
		char wanted[512];

		labels.value[LABEL_EXECUTABLE] = cases[i].value;
		metrics_add(metrics, FAMILY_BINDS, &labels, 1);
		strcpy(wanted, "# HELP portsnoop_binds_total Binds that succeeded.\n"
			       "# TYPE portsnoop_binds_total counter\n"
			       "portsnoop_binds_total{process_executable_name=\"");
		strcat(wanted, cases[i].shown);
		strcat(wanted, "\"} 1\n");
		expect(metrics, EXPOSITION_TEXT, wanted);
		metrics_free(metrics);
	}
}

/* More than the first buffer holds. */
static void many(void **state)
{
	const struct metrics_options options = {.labels = METRICS_LABELS_ALL, .series = 5000};
	struct metrics *metrics = metrics_new(&options);
	struct metric_labels labels = {{NULL}};
	struct metrics_text text;
	unsigned lines = 0;
	char port[8];

	assert_non_null(metrics);
	metrics_begin(metrics);
	labels.value[LABEL_LOCAL_PORT] = port;
	for (unsigned i = 1; i <= 5000; i++) {
		snprintf(port, sizeof(port), "%u", i);
		metrics_add(metrics, FAMILY_LISTENERS, &labels, 1);
	}
	metrics_end(metrics);
	assert_int_equal(metrics_render(metrics, EXPOSITION_OPENMETRICS, &text), 0);
	for (const char *at = text.data; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 5000 + 3);
	assert_string_equal(text.data + text.length - 6, "# EOF\n");
	free(text.data);
	metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),	  cmocka_unit_test(as_text),
		cmocka_unit_test(as_openmetrics), cmocka_unit_test(histogram),
		cmocka_unit_test(hostile_values), cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
