/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core when memory runs out: the same story again and again, and each time a later allocation fails, for
 * once or from then on. Nothing may crash or leak, every failure is -ENOMEM or a loss that is counted, and
 * the model goes on working. The linker leads all allocations here (-Wl,--wrap, see the Makefile).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/metrics.h"
#include "core/model.h"
#include "records.h"
#include "view/metrics_text.h"
#include "view/top.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

/* Which allocation fails, counted from 1; 0: none. */
static unsigned failing, allocations;
static bool all_later_ones;

static bool fails(void)
{
	allocations++;
	return failing && (allocations == failing || (all_later_ones && allocations > failing));
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
	return fails() ? NULL : __real_strndup(text, size);
}

/* --- the story --------------------------------------------------------------------------------------------
 */

struct story {
	struct model *model;
	unsigned errors;
};

static void tell(struct story *story, const union any_record *record)
{
	struct record decoded;
	struct change change;
	int error;

	assert_int_equal(record_decode(record, record->header.size, &decoded), 0);
	error = model_apply(story->model, &decoded, &change);
	assert_true(error == 0 || error == -ENOMEM);
	story->errors += error != 0;
}

static void tell_of_processes(struct story *story)
{
	union any_record record;

	for (uint32_t pid = 1; pid <= 300; pid++) { /* more than a chunk of rows */
		make_process(&record, pid, "sh\0bin\0usr", "sh\0-c");
		if (pid % 2)
			record.header.flags |= PROCESS_F_TEXT_PATH;
		tell(story, &record);
	}
	make_fork(&record, 1, 1000);
	tell(story, &record);
	make_meta(&record, META_USER, 0, "root");
	tell(story, &record);
	make_meta(&record, META_USER, 0, "toor");
	tell(story, &record);
}

static void tell_of_sockets(struct story *story)
{
	union any_record record;

	for (uint64_t cookie = 1; cookie <= 300; cookie++) {
		make_fact(&record, REC_BIND, 1, cookie, 80);
		tell(story, &record);
	}
	for (uint32_t pid = 1; pid <= 20; pid++) {
		make_holder(&record, pid, 5, 3);
		tell(story, &record);
	}
	make_fact(&record, REC_CLOSE, 1, 6, 80);
	tell(story, &record);
}

/* What was there must have been told, or counted as missing. */
static void check_rows(const struct story *story)
{
	const struct socket_row *row = model_socket(story->model, 5, IPPROTO_TCP);
	size_t missing = 299 - model_socket_count(story->model);

	if (row)
		missing += 20 - row->n_holders;
	assert_true(missing <= model_rows_left_out(story->model));
}

static unsigned tell_all(unsigned which, bool later_ones_too)
{
	struct story story = {.errors = 0};

	allocations = 0;
	all_later_ones = later_ones_too;
	failing = which;
	story.model = model_new(NULL);
	if (story.model) {
		tell_of_processes(&story);
		tell_of_sockets(&story);
		check_rows(&story);
	} else {
		story.errors++;
	}
	failing = 0;
	if (story.model) {
		tell_of_sockets(&story); /* there is memory again */
		assert_int_equal(model_socket_count(story.model), 299);
	}
	model_free(story.model);
	return story.errors;
}

static void each_allocation_fails(void **state)
{
	unsigned total, told = 0;

	assert_int_equal(tell_all(0, false), 0);
	total = allocations;
	assert_true(total > 600);
	for (unsigned which = 1; which <= total; which++)
		told += tell_all(which, false) > 0;
	assert_true(told > 600); /* most are told; the rest make chains longer or are counted */
	for (unsigned which = 1; which <= total; which += 7)
		assert_true(tell_all(which, true) > 0 || which > 600);
}

/* --- metrics ----------------------------------------------------------------------------------------------
 */

#define SERIES 300

/* Returns what of SERIES is told, under its own name or as `other`. */
static double scrape(struct metrics *metrics)
{
	const struct span span = {.n = 1, .buckets = {1}};
	struct metric_labels labels = {{NULL}};
	char port[8];
	double sum = 0;

	labels.value[LABEL_SERVER_PORT] = port;
	metrics_begin(metrics);
	for (unsigned i = 0; i < SERIES; i++) {
		snprintf(port, sizeof(port), "%u", i + 1);
		metrics_add(metrics, FAMILY_CONNECTS, &labels, 1);
		metrics_add_span(metrics, FAMILY_CONNECT_DURATION, &labels, &span);
	}
	metrics_end(metrics);
	for (const struct metric_series *s = metrics_first(metrics, FAMILY_CONNECTS); s; s = s->next)
		sum += s->value;
	return sum;
}

static unsigned scrape_all(unsigned which, bool later_ones_too)
{
	const struct metrics_options options = {.labels = METRICS_LABELS_ALL};
	struct metrics_text text = {.data = NULL};
	struct metrics *metrics;
	unsigned errors = 0;

	allocations = 0;
	all_later_ones = later_ones_too;
	failing = which;
	metrics = metrics_new(&options);
	if (metrics) {
		double told = scrape(metrics);

		assert_true(told == SERIES || metrics_dropped(metrics) > 0);
		errors += metrics_dropped(metrics) > 0;
		errors += metrics_render(metrics, EXPOSITION_TEXT, &text) != 0;
	}
	errors += !metrics;
	failing = 0;
	if (metrics)
		assert_true(scrape(metrics) == SERIES); /* there is memory again */
	free(text.data);
	metrics_free(metrics);
	return errors;
}

static void each_allocation_of_metrics_fails(void **state)
{
	unsigned total;

	assert_int_equal(scrape_all(0, false), 0);
	total = allocations;
	assert_true(total > 3 * SERIES);
	for (unsigned which = 1; which <= total; which++)
		scrape_all(which, false);
	for (unsigned which = 1; which <= total; which += 7)
		assert_true(scrape_all(which, true) > 0);
}

/* --- views of top -----------------------------------------------------------------------------------------
 */

static unsigned read_all(const struct story *story, unsigned which)
{
	struct top_table table = {0};
	struct top_source source = {.model = story->model, .tree = true, .closed = true};
	unsigned errors = 0;

	allocations = 0;
	all_later_ones = false;
	failing = which;
	source.rates = rates_new(NULL);
	source.departed = departed_new(4);
	source.backlog = backlog_new(4);
	for (unsigned view = 0; view < TOP_VIEWS && source.rates && source.departed && source.backlog;
	     view++) {
		int error = top_table_read(&table, (enum top_view)view, &source);

		assert_true(error == 0 || error == -ENOMEM);
		errors += error != 0;
	}
	errors += !source.rates || !source.departed || !source.backlog;
	failing = 0;
	rates_free((struct rates *)source.rates);
	departed_free((struct departed *)source.departed);
	backlog_free((struct backlog *)source.backlog);
	top_table_free(&table);
	return errors;
}

static void each_allocation_of_a_view_fails(void **state)
{
	struct story story = {.model = model_new(NULL)};
	unsigned total;

	assert_non_null(story.model);
	tell_of_processes(&story);
	tell_of_sockets(&story);
	assert_int_equal(read_all(&story, 0), 0);
	total = allocations;
	assert_true(total > 20);
	for (unsigned which = 1; which <= total; which++)
		assert_int_equal(read_all(&story, which), 1);
	model_free(story.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_fails),
		cmocka_unit_test(each_allocation_of_metrics_fails),
		cmocka_unit_test(each_allocation_of_a_view_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
