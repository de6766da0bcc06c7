/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/ancestry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model_fixture.h"

/* start_ns 0: the parent's is not known. */
static void add(struct fixture *f, uint32_t pid, uint64_t start_ns, uint32_t parent, uint64_t parent_start_ns)
{
	struct record record;

	make_process(&f->record, pid, "", "");
	f->record.process.task.start_ns = start_ns;
	f->record.process.parent_pid = parent;
	f->record.process.parent_start_ns = parent_start_ns;
	assert_int_equal(record_decode(&f->record, f->record.header.size, &record), 0);
	assert_int_equal(model_apply(f->model, &record, &f->change), 0);
}

static size_t chain_of(const struct fixture *f, uint32_t pid, uint64_t start_ns,
		       const struct process *chain[ANCESTRY_MAX])
{
	return ancestry_of(f->model, model_process(f->model, pid, start_ns), chain);
}

static void test_up_to_init(void **state)
{
	struct fixture *f = *state;
	const struct process *chain[ANCESTRY_MAX];

	add(f, 1, 10, 0, 0);
	add(f, 20, 200, 1, 10);
	add(f, 30, 300, 20, 0);
	assert_int_equal(chain_of(f, 30, 300, chain), 3);
	assert_int_equal(chain[0]->pid, 30);
	assert_int_equal(chain[1]->pid, 20);
	assert_int_equal(chain[2]->pid, 1);
	assert_int_equal(chain_of(f, 1, 10, chain), 1);
	assert_int_equal(chain_of(f, 99, 1, chain), 0);
}

/* A pid that was given away again: its process began after the child, or was gone before another had it. */
static void test_used_again(void **state)
{
	struct fixture *f = *state;
	const struct process *chain[ANCESTRY_MAX];

	add(f, 20, 100, 0, 0);
	add(f, 20, 200, 0, 0);
	add(f, 20, 400, 0, 0);
	add(f, 30, 300, 20, 0);
	assert_int_equal(chain_of(f, 30, 300, chain), 2);
	assert_int_equal(chain[1]->start_ns, 200);
	/* With its start known, it is that one or none. */
	add(f, 31, 300, 20, 100);
	assert_int_equal(chain_of(f, 31, 300, chain), 2);
	assert_int_equal(chain[1]->start_ns, 100);
	add(f, 32, 300, 20, 150);
	assert_int_equal(chain_of(f, 32, 300, chain), 1);
}

/* What cannot be, from a damaged recording, ends. */
static void test_circle(void **state)
{
	struct fixture *f = *state;
	const struct process *chain[ANCESTRY_MAX];

	add(f, 20, 200, 30, 0);
	add(f, 30, 200, 20, 0);
	assert_int_equal(chain_of(f, 30, 200, chain), ANCESTRY_MAX);
	add(f, 40, 200, 40, 200);
	assert_int_equal(chain_of(f, 40, 200, chain), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_up_to_init, setup, teardown),
		cmocka_unit_test_setup_teardown(test_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_circle, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
