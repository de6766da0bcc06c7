/* SPDX-License-Identifier: GPL-2.0-only */
/* A model, and a scrape of it as text. Needs cmocka.h before it. */
#ifndef TESTS_UNIT_METRICS_FIXTURE_H
#define TESTS_UNIT_METRICS_FIXTURE_H

#include "core/filter.h"
#include "core/metrics_counts.h"
#include "model_fixture.h"
#include "view/metrics_text.h"

#include <stdlib.h>

struct metrics_fixture {
	struct fixture *f;
	struct metrics *metrics;
	struct metrics_counts *counts; /* NULL: nothing is counted */
	struct filter *filter;
	struct metrics_text text;
};

static inline int setup_metrics(void **state)
{
	static struct metrics_fixture fixture;
	const struct metrics_options options = {.labels = METRICS_LABELS_ALL};
	int error = setup(state);

	fixture = (struct metrics_fixture){.f = *state, .metrics = metrics_new(&options)};
	*state = &fixture;
	return error || !fixture.metrics ? -1 : 0;
}

static inline int teardown_metrics(void **state)
{
	struct metrics_fixture *m = *state;

	metrics_counts_free(m->counts);
	metrics_free(m->metrics);
	filter_free(m->filter);
	free(m->text.data);
	model_free(m->f->model);
	return 0;
}

static inline void set_filter(struct metrics_fixture *m, const char *words)
{
	char *word = (char *)words;

	assert_int_equal(filter_parse(&word, 1, NULL, &m->filter, NULL), 0);
}

static inline void end_scrape(struct metrics_fixture *m)
{
	metrics_end(m->metrics);
	free(m->text.data);
	assert_int_equal(metrics_render(m->metrics, EXPOSITION_TEXT, &m->text), 0);
}

#define EXPECT(m, line)	    assert_non_null(strstr((m)->text.data, "\n" line "\n"))
#define EXPECT_NO(m, text_) assert_null(strstr((m)->text.data, text_))

#endif
