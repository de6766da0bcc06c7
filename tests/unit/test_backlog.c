/* SPDX-License-Identifier: GPL-2.0-only */
/* The last events, and what ended a moment ago: rings that forget the oldest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/backlog.h"
#include "core/departed.h"
#include "model_fixture.h"

static void put_bind(struct fixture *f, struct backlog *backlog, uint16_t port)
{
	make_fact(&f->record, REC_BIND, 7, port, port);
	apply(f);
	backlog_put(backlog, &f->record.header);
}

static uint16_t port_at(const struct fixture *f, const struct backlog *backlog, uint64_t number)
{
	struct change change;

	assert_true(backlog_change(backlog, number, f->model, &change));
	return change.record.socket->local_port;
}

static void numbers_stay(void **state)
{
	struct fixture *f = *state;
	struct backlog *backlog = backlog_new(4), *copy;

	for (uint16_t port = 1; port <= 6; port++)
		put_bind(f, backlog, port);
	assert_int_equal(backlog_first(backlog), 2);
	assert_int_equal(backlog_end(backlog), 6);
	assert_int_equal(port_at(f, backlog, 2), 3);
	assert_int_equal(port_at(f, backlog, 5), 6);
	copy = backlog_copy(backlog);
	put_bind(f, backlog, 7);
	assert_int_equal(backlog_first(copy), 2);
	assert_int_equal(port_at(f, copy, 2), 3);
	assert_int_equal(port_at(f, backlog, 6), 7);
	backlog_free(copy);
	backlog_free(backlog);
}

static void what_it_meant_is_found_again(void **state)
{
	struct fixture *f = *state;
	struct backlog *backlog = backlog_new(4);
	struct change change;

	put_bind(f, backlog, 80);
	assert_true(backlog_change(backlog, 0, f->model, &change));
	assert_ptr_equal(change.process, process(f, 7));
	assert_ptr_equal(change.socket, row(f, 80));
	make_fact(&f->record, REC_CLOSE, 7, 80, 80);
	apply(f);
	assert_true(backlog_change(backlog, 0, f->model, &change));
	assert_null(change.socket); /* it is over, the event was */
	assert_int_equal(change.record.task->pid, 7);
	backlog_free(backlog);
}

static void long_records_are_not_kept(void **state)
{
	struct fixture *f = *state;
	struct backlog *backlog = backlog_new(4);

	make_record(&f->record, REC_SUMMARY);
	backlog_put(backlog, &f->record.header);
	assert_int_equal(backlog_end(backlog), 0);
	backlog_free(backlog);
}

/* --- departed ---------------------------------------------------------------------------------------------
 */

struct seen {
	unsigned n;
	uint64_t cookie[8];
	uint32_t pid;
};

static void see(void *context, const struct departed_row *row)
{
	struct seen *seen = context;

	assert_null(row->row.holders);
	seen->cookie[seen->n++] = row->row.socket.cookie;
	seen->pid = row->task.pid;
}

static struct seen seen_at(const struct departed *departed, uint64_t now_ns)
{
	struct seen seen = {0};

	departed_each(departed, now_ns, see, &seen);
	return seen;
}

static void opened_and_closed(struct fixture *f, struct departed *departed, uint64_t cookie)
{
	make_fact(&f->record, REC_BIND, 7, cookie, 80);
	apply(f);
	departed_take(departed, &f->change);
	make_fact(&f->record, REC_CLOSE, 0, cookie, 80);
	apply(f);
	departed_take(departed, &f->change);
}

static void they_are_shown_for_a_while(void **state)
{
	struct fixture *f = *state;
	struct departed *departed = departed_new(4);
	struct seen seen;

	f->now_ns = DEPARTED_KEPT_NS;
	opened_and_closed(f, departed, 5);
	seen = seen_at(departed, f->now_ns + DEPARTED_KEPT_NS - 1);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.cookie[0], 5);
	assert_int_equal(seen.pid, 7); /* who held it, since nobody is said to have let go */
	assert_int_equal(seen_at(departed, f->now_ns + DEPARTED_KEPT_NS).n, 0);
	departed_free(departed);
}

static void the_last_ones_are_kept(void **state)
{
	struct fixture *f = *state;
	struct departed *departed = departed_new(2);
	struct seen seen;

	for (uint64_t cookie = 1; cookie <= 3; cookie++)
		opened_and_closed(f, departed, cookie);
	seen = seen_at(departed, f->now_ns);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.cookie[0], 2);
	assert_int_equal(seen.cookie[1], 3);
	departed_free(departed);
}

static void see_process(void *context, const struct departed_process *process)
{
	struct seen *seen = context;

	seen->n++;
	seen->pid = process->task.pid;
}

static void exits(struct fixture *f, struct departed *departed, uint32_t pid)
{
	make_record(&f->record, REC_EXIT);
	set_task(&f->record, pid);
	apply(f);
	departed_take(departed, &f->change);
}

/* Who never had a socket was not in the table, either. */
static void processes_that_had_a_socket_are_shown_too(void **state)
{
	struct fixture *f = *state;
	struct departed *departed = departed_new(4);
	struct seen seen = {0};

	f->now_ns = DEPARTED_KEPT_NS;
	opened_and_closed(f, departed, 5);
	apply_fork(f, 7, 8);
	exits(f, departed, 8);
	departed_each_process(departed, f->now_ns, see_process, &seen);
	assert_int_equal(seen.n, 0);
	exits(f, departed, 7);
	departed_each_process(departed, f->now_ns + DEPARTED_KEPT_NS - 1, see_process, &seen);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.pid, 7);
	departed_each_process(departed, f->now_ns + DEPARTED_KEPT_NS, see_process, &seen);
	assert_int_equal(seen.n, 1);
	departed_free(departed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_meant_is_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(long_records_are_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(they_are_shown_for_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_ones_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(processes_that_had_a_socket_are_shown_too, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
