/* SPDX-License-Identifier: GPL-2.0-only */
/* A model that is fed one record after the other, at a time that the test sets. Needs cmocka.h before it. */
#ifndef TESTS_UNIT_MODEL_FIXTURE_H
#define TESTS_UNIT_MODEL_FIXTURE_H

#include "core/model.h"
#include "records.h"

struct fixture {
	struct model *model;
	uint64_t now_ns;
	struct change change;	 /* what the last record meant */
	union any_record record; /* what apply() takes next; last, since a meta record has no end */
};

static inline int setup_limited(void **state, struct model_limits limits)
{
	static struct fixture fixture;

	fixture = (struct fixture){.model = model_new(&limits), .now_ns = 1000000};
	*state = &fixture;
	return fixture.model ? 0 : -1;
}

static inline int setup(void **state)
{
	return setup_limited(state, (struct model_limits){0});
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	return 0;
}

static inline void apply(struct fixture *f)
{
	struct record record;

	f->record.header.time_ns = f->now_ns;
	assert_int_equal(record_decode(&f->record, f->record.header.size, &record), 0);
	assert_int_equal(model_apply(f->model, &record, &f->change), 0);
	assert_ptr_equal(f->change.record.header, &f->record.header);
}

static inline void apply_meta(struct fixture *f, enum meta_type type, uint64_t key, const char *text)
{
	make_meta(&f->record, type, key, text);
	apply(f);
}

static inline void apply_fork(struct fixture *f, uint32_t parent, uint32_t child)
{
	make_fork(&f->record, parent, child);
	apply(f);
}

static inline const struct process *process(const struct fixture *f, uint32_t pid)
{
	return model_process(f->model, pid, START_OF(pid));
}

/* Of a TCP socket. */
static inline const struct socket_row *row(const struct fixture *f, uint64_t cookie)
{
	return model_socket(f->model, cookie, IPPROTO_TCP);
}

static inline const struct holder *holder_at(const struct socket_row *of, uint32_t index)
{
	const struct holder *holder = of->holders;

	while (holder && index--)
		holder = holder->next;
	assert_non_null(holder);
	return holder;
}

#endif
