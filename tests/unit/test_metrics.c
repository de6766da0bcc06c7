/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/metrics.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct metrics *make(size_t series, uint32_t labels)
{
	const struct metrics_options options = {.series = series, .labels = labels};
	struct metrics *metrics = metrics_new(&options);

	assert_non_null(metrics);
	return metrics;
}

static void add_binds(struct metrics *metrics, const char *executable, double n)
{
	struct metric_labels labels = {{NULL}};

	labels.value[LABEL_TRANSPORT] = "tcp";
	labels.value[LABEL_EXECUTABLE] = executable;
	metrics_add(metrics, FAMILY_BINDS, &labels, n);
}

/* The series whose labels read so; NULL: there is none. */
static const struct metric_series *find(const struct metrics *metrics, enum metric_family family,
					const char *text, size_t length)
{
	const struct metric_series *series = metrics_first(metrics, family);

	while (series && (series->length != length || memcmp(series->text, text, length)))
		series = series->next;
	return series;
}

#define FIND(metrics, family, text) find(metrics, family, text, sizeof(text))
#define OTHER			    "other\0other\0other"

static void same_labels_add_up(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL);

	metrics_begin(metrics);
	add_binds(metrics, "nginx", 2);
	add_binds(metrics, "sshd", 5);
	add_binds(metrics, "nginx", 3);
	metrics_end(metrics);
	assert_true(FIND(metrics, FAMILY_BINDS, "tcp\0nginx\0")->value == 5);
	assert_true(FIND(metrics, FAMILY_BINDS, "tcp\0sshd\0")->value == 5);
	assert_int_equal(metrics_series_count(metrics), 2);
	metrics_free(metrics);
}

static void a_scrape_tells_anew(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL);

	for (int scrape = 0; scrape < 3; scrape++) {
		metrics_begin(metrics);
		add_binds(metrics, "nginx", 7);
		if (scrape == 0)
			add_binds(metrics, "gone", 1);
		metrics_end(metrics);
	}
	assert_true(FIND(metrics, FAMILY_BINDS, "tcp\0nginx\0")->value == 7);
	assert_null(FIND(metrics, FAMILY_BINDS, "tcp\0gone\0"));
	assert_int_equal(metrics_series_count(metrics), 1);
	metrics_free(metrics);
}

static void what_is_counted_here_stays(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL);
	struct metric_labels labels = {{NULL}};

	labels.value[LABEL_REASON] = "loss";
	for (int scrape = 0; scrape < 3; scrape++) {
		metrics_add(metrics, FAMILY_RESYNCS, &labels, 1);
		metrics_begin(metrics);
		metrics_end(metrics);
	}
	assert_true(FIND(metrics, FAMILY_RESYNCS, "loss")->value == 3);
	metrics_free(metrics);
}

static void beyond_the_cap_is_other(void **state)
{
	struct metrics *metrics = make(2, METRICS_LABELS_ALL);

	metrics_begin(metrics);
	add_binds(metrics, "a", 1);
	add_binds(metrics, "b", 2);
	add_binds(metrics, "c", 4);
	add_binds(metrics, "d", 8);
	metrics_end(metrics);
	assert_true(FIND(metrics, FAMILY_BINDS, OTHER)->value == 12);
	assert_int_equal(metrics_series_count(metrics), 3);
	assert_int_equal(metrics_dropped(metrics), 2);
	metrics_free(metrics);
}

/* Or the counter of the one that lost its place would jump into `other`. */
static void a_place_is_kept(void **state)
{
	struct metrics *metrics = make(2, METRICS_LABELS_ALL);
	static const char *const orders[][4] = {{"a", "b", "c", "d"}, {"d", "c", "b", "a"}};

	for (int scrape = 0; scrape < 2; scrape++) {
		metrics_begin(metrics);
		for (int i = 0; i < 4; i++)
			add_binds(metrics, orders[scrape][i], 1);
		metrics_end(metrics);
	}
	assert_non_null(FIND(metrics, FAMILY_BINDS, "tcp\0a\0"));
	assert_non_null(FIND(metrics, FAMILY_BINDS, "tcp\0b\0"));
	assert_null(FIND(metrics, FAMILY_BINDS, "tcp\0d\0"));
	metrics_free(metrics);
}

/* One that goes has its place until the end of the scrape that does not tell it. */
static void a_place_that_is_free_is_given(void **state)
{
	struct metrics *metrics = make(2, METRICS_LABELS_ALL);
	char name[16];

	for (int scrape = 0; scrape < 1000; scrape++) {
		snprintf(name, sizeof(name), "p%d", scrape);
		metrics_begin(metrics);
		add_binds(metrics, name, 1);
		metrics_end(metrics);
		assert_int_equal(metrics_series_count(metrics), 1);
		assert_null(FIND(metrics, FAMILY_BINDS, OTHER));
	}
	assert_int_equal(metrics_dropped(metrics), 0);
	metrics_free(metrics);
}

/* `other` takes nobody's place, and its own goes when it is not told any more. */
static void other_does_not_count(void **state)
{
	struct metrics *metrics = make(1, METRICS_LABELS_ALL);

	metrics_begin(metrics);
	metrics_add_other(metrics, FAMILY_BINDS, 3);
	add_binds(metrics, "a", 1);
	metrics_end(metrics);
	assert_int_equal(metrics_series_count(metrics), 2);
	metrics_begin(metrics);
	add_binds(metrics, "a", 1);
	metrics_end(metrics);
	assert_int_equal(metrics_series_count(metrics), 1);
	assert_int_equal(metrics_dropped(metrics), 0);
	metrics_free(metrics);
}

static void a_family_does_not_take_anothers_room(void **state)
{
	struct metrics *metrics = make(1, METRICS_LABELS_ALL);
	struct metric_labels labels = {{NULL}};

	labels.value[LABEL_EXECUTABLE] = "a";
	metrics_begin(metrics);
	metrics_add(metrics, FAMILY_BINDS, &labels, 1);
	metrics_add(metrics, FAMILY_BIND_ERRORS, &labels, 1);
	metrics_end(metrics);
	assert_int_equal(metrics_dropped(metrics), 0);
	metrics_free(metrics);
}

static void labels_that_are_not_shown_add_up(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL & ~(1u << LABEL_EXECUTABLE));

	metrics_begin(metrics);
	add_binds(metrics, "a", 1);
	add_binds(metrics, "b", 2);
	metrics_end(metrics);
	assert_true(FIND(metrics, FAMILY_BINDS, "tcp\0")->value == 3);
	assert_int_equal(metrics_series_count(metrics), 1);
	metrics_free(metrics);
}

static void a_family_without_labels_has_room(void **state)
{
	struct metrics *metrics = make(1, 0);

	metrics_begin(metrics);
	add_binds(metrics, "a", 1);
	add_binds(metrics, "b", 2);
	metrics_end(metrics);
	assert_true(metrics_first(metrics, FAMILY_BINDS)->value == 3);
	assert_int_equal(metrics_dropped(metrics), 0);
	metrics_free(metrics);
}

static void long_values_are_cut(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL);
	char name[1000];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	metrics_begin(metrics);
	add_binds(metrics, name, 1);
	metrics_end(metrics);
	assert_int_equal(metrics_first(metrics, FAMILY_BINDS)->length,
			 sizeof("tcp") + METRICS_LABEL_VALUE_MAX + 1 + 1);
	metrics_free(metrics);
}

static void durations_add_up(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL);
	const struct span span = {.n = 3, .sum_ns = 1500000000, .buckets = {1, 0, 1, [SPAN_BOUNDS] = 1}};
	struct metric_labels labels = {{NULL}};
	const struct metric_series *series;

	labels.value[LABEL_SERVER_PORT] = "443";
	metrics_begin(metrics);
	metrics_add_span(metrics, FAMILY_CONNECT_DURATION, &labels, &span);
	metrics_add_span(metrics, FAMILY_CONNECT_DURATION, &labels, &span);
	metrics_end(metrics);
	series = FIND(metrics, FAMILY_CONNECT_DURATION, "443\0");
	assert_non_null(series);
	assert_int_equal(series->histogram->buckets[0], 2);
	assert_int_equal(series->histogram->buckets[SPAN_BOUNDS], 2);
	assert_true(series->histogram->sum_s == 3.0);
	metrics_free(metrics);
}

static void the_newest_exemplar_stays(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL);
	const struct metric_exemplar first = {.pid = 1, .wall_ns = 10}, second = {.pid = 2, .wall_ns = 20};
	const struct metric_labels labels = {{NULL}};

	metrics_begin(metrics);
	metrics_add_example(metrics, FAMILY_BIND_ERRORS, &labels, 1, &second);
	metrics_add_example(metrics, FAMILY_BIND_ERRORS, &labels, 1, &first);
	metrics_add_example(metrics, FAMILY_BIND_ERRORS, &labels, 1, NULL);
	metrics_end(metrics);
	assert_int_equal(metrics_first(metrics, FAMILY_BIND_ERRORS)->exemplar.pid, 2);
	metrics_free(metrics);
}

/* What the kernel side puts where. */
static void buckets(void **state)
{
	static const __u64 all[][SPAN_BOUNDS] = {SPAN_BOUNDS_CONNECT, SPAN_BOUNDS_ACCEPT, SPAN_BOUNDS_CLOSE};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(span_bucket(all[i], 0), 0);
		assert_int_equal(span_bucket(all[i], UINT64_MAX), SPAN_BOUNDS);
		for (unsigned j = 0; j < SPAN_BOUNDS; j++) {
			assert_int_equal(span_bucket(all[i], all[i][j] - 1), j);
			assert_int_equal(span_bucket(all[i], all[i][j]), j);
			assert_int_equal(span_bucket(all[i], all[i][j] + 1), j + 1);
		}
	}
}

static void lists_of_labels(void **state)
{
	const char *unknown;
	uint32_t labels = 0;
	int length;

	assert_int_equal(metric_labels_parse("netns", &labels, &unknown, &length), 0);
	assert_int_equal(labels, 1u << LABEL_NETNS);
	assert_int_equal(metric_labels_parse("netns,container_id", &labels, &unknown, &length), 0);
	assert_int_equal(labels, 1u << LABEL_NETNS | 1u << LABEL_CONTAINER);
	assert_int_equal(metric_labels_parse("netns,pid,x", &labels, &unknown, &length), -EINVAL);
	assert_int_equal(length, 3);
	assert_memory_equal(unknown, "pid", 3);
	assert_int_equal(metric_labels_parse("netns,", &labels, &unknown, &length), -EINVAL);
	assert_int_equal(length, 0);
}

/* The contract: what OpenMetrics demands of names, and what must never be a label. */
static void families_are_sound(void **state)
{
	for (int i = 0; i < FAMILY_COUNT; i++) {
		const struct metric_family_row *row = metric_family((enum metric_family)i);
		size_t length = strlen(row->name);

		assert_true(!strncmp(row->name, "portsnoop_", 10) || !strncmp(row->name, "process_", 8));
		assert_true(length < 6 || strcmp(row->name + length - 6, "_total"));
		assert_true(strlen(row->help) > 0 && !strpbrk(row->help, "\n\\\""));
		assert_int_equal(row->type == METRIC_HISTOGRAM, row->bounds != NULL);
		if (row->unit)
			assert_string_equal(row->name + length - strlen(row->unit), row->unit);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(row->name, metric_family((enum metric_family)j)->name);
		for (int j = 1; row->bounds && j < SPAN_BOUNDS; j++)
			assert_true(row->bounds[j] > row->bounds[j - 1]);
		if (row->labels >> LABEL_LOCAL_PORT & 1)
			assert_true(row->labels >> LABEL_NETNS & 1);
	}
}

/* docs/metrics.md names every family. Tests run in the tree's root. */
static void families_are_documented(void **state)
{
	static char text[65536];
	FILE *file = fopen("docs/metrics.md", "re");
	char wanted[128];

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (int i = 0; i < FAMILY_COUNT; i++) {
		const struct metric_family_row *row = metric_family((enum metric_family)i);

		snprintf(wanted, sizeof(wanted), "`%s%s`", row->name,
			 row->type == METRIC_COUNTER ? "_total"
			 : row->type == METRIC_INFO  ? "_info"
						     : "");
		if (!strstr(text, wanted))
			fail_msg("%s is not in docs/metrics.md", wanted);
		for (int label = 0; label < LABEL_COUNT; label++) {
			snprintf(wanted, sizeof(wanted), "`%s`", metric_label_name((enum metric_label)label));
			if (row->labels >> label & 1 && !strstr(text, wanted))
				fail_msg("%s is not in docs/metrics.md", wanted);
		}
	}
}

static void without_memory_it_is_other(void **state)
{
	struct metrics *metrics = make(0, METRICS_LABELS_ALL);
	struct metric_labels labels = {{NULL}};

	metrics_begin(metrics);
	add_binds(metrics, "early", 1);
	metrics_set_room(metrics, 1000);
	add_binds(metrics, "one", 2);
	assert_false(metrics_lacks_room(metrics));
	add_binds(metrics, "two", 4);
	add_binds(metrics, "three", 8);
	assert_true(metrics_lacks_room(metrics));
	/* A place is kept, and what is about portsnoop itself has one. */
	add_binds(metrics, "early", 16);
	labels.value[LABEL_STAGE] = "ring";
	metrics_add(metrics, FAMILY_LOST, &labels, 32);
	metrics_end(metrics);
	assert_true(FIND(metrics, FAMILY_BINDS, "tcp\0early\0")->value == 17);
	assert_true(FIND(metrics, FAMILY_BINDS, "tcp\0one\0")->value == 2);
	assert_true(FIND(metrics, FAMILY_BINDS, OTHER)->value == 12);
	assert_true(FIND(metrics, FAMILY_LOST, "ring")->value == 32);
	assert_int_equal(metrics_dropped(metrics), 2);
	metrics_set_room(metrics, 100000);
	assert_false(metrics_lacks_room(metrics));
	metrics_begin(metrics);
	add_binds(metrics, "two", 4);
	metrics_end(metrics);
	assert_true(FIND(metrics, FAMILY_BINDS, "tcp\0two\0")->value == 4);
	metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_labels_add_up),
		cmocka_unit_test(a_scrape_tells_anew),
		cmocka_unit_test(what_is_counted_here_stays),
		cmocka_unit_test(beyond_the_cap_is_other),
		cmocka_unit_test(a_place_is_kept),
		cmocka_unit_test(a_place_that_is_free_is_given),
		cmocka_unit_test(other_does_not_count),
		cmocka_unit_test(without_memory_it_is_other),
		cmocka_unit_test(a_family_does_not_take_anothers_room),
		cmocka_unit_test(labels_that_are_not_shown_add_up),
		cmocka_unit_test(a_family_without_labels_has_room),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(durations_add_up),
		cmocka_unit_test(the_newest_exemplar_stays),
		cmocka_unit_test(buckets),
		cmocka_unit_test(lists_of_labels),
		cmocka_unit_test(families_are_sound),
		cmocka_unit_test(families_are_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
