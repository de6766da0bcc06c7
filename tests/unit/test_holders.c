/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds a socket: how it came to be known, each process once, up to the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_fixture.h"

#define HOLDERS_MAX 4096 /* of one socket: core/sockets.c */

static void apply_fact(struct fixture *f, enum rec_kind kind, uint32_t pid, uint32_t creator)
{
	make_fact(&f->record, kind, pid, 11, 80);
	f->record.fact.socket.creator_pid = creator;
	f->record.fact.socket.creator_start_ns = creator ? START_OF(creator) : 0;
	apply(f);
}

static void apply_holder(struct fixture *f, uint32_t pid, int32_t fd)
{
	make_holder(&f->record, pid, 11, fd);
	apply(f);
}

static void assert_holder(const struct fixture *f, uint32_t index, uint32_t pid, int32_t fd,
			  enum holder_cause cause)
{
	const struct socket_row *of = row(f, 11);

	assert_non_null(of);
	assert_true(index < of->n_holders);
	assert_int_equal(holder_at(of, index)->process->pid, pid);
	assert_int_equal(holder_at(of, index)->process->start_ns, START_OF(pid));
	assert_int_equal(holder_at(of, index)->fd, fd);
	assert_int_equal(holder_at(of, index)->cause, cause);
}

/* --- causes -----------------------------------------------------------------------------------------------
 */

static void made(void **state)
{
	apply_fact(*state, REC_BIND, 7, 7);
	assert_holder(*state, 0, 7, -1, HOLDER_MADE);
	apply_fact(*state, REC_CONNECT, 7, 7); /* what was known first stays */
	assert_int_equal(row(*state, 11)->n_holders, 1);
	assert_holder(*state, 0, 7, -1, HOLDER_MADE);
}

static void by_deed(void **state)
{
	apply_fact(*state, REC_CONNECT, 1, 99);
	apply_fact(*state, REC_ACCEPT, 2, 99);
	apply_fact(*state, REC_BIND, 3, 99);
	apply_fact(*state, REC_LISTEN, 4, 99);
	apply_fact(*state, REC_AUTOBIND, 5, 99);
	assert_holder(*state, 0, 1, -1, HOLDER_CONNECTED);
	assert_holder(*state, 1, 2, -1, HOLDER_ACCEPTED);
	assert_holder(*state, 2, 3, -1, HOLDER_OBSERVED);
	assert_holder(*state, 3, 4, -1, HOLDER_OBSERVED);
	assert_holder(*state, 4, 5, -1, HOLDER_OBSERVED);
}

/* The pid was given out again: who acts is not who made it. */
static void another_generation_made_it(void **state)
{
	struct fixture *f = *state;

	make_fact(&f->record, REC_BIND, 7, 11, 80);
	f->record.fact.socket.creator_pid = 7;
	f->record.fact.socket.creator_start_ns = START_OF(7) - 1;
	apply(f);
	assert_holder(f, 0, 7, -1, HOLDER_OBSERVED);
}

static void nobody_acted(void **state)
{
	apply_fact(*state, REC_BIND, 0, 7);
	assert_int_equal(row(*state, 11)->n_holders, 0);
	assert_null(row(*state, 11)->holders);
}

/* --- descriptors ------------------------------------------------------------------------------------------
 */

static void observed(void **state)
{
	struct fixture *f = *state;

	apply_holder(f, 7, 3); /* a socket that is not in the tables */
	assert_int_equal(model_socket_count(f->model), 0);
	apply_fact(f, REC_SOCKET, 0, 0);
	apply_holder(f, 7, 3);
	assert_null(f->change.socket);
	assert_ptr_equal(f->change.process, process(f, 7));
	assert_holder(f, 0, 7, 3, HOLDER_OBSERVED);
	apply_holder(f, 7, 4); /* a second descriptor of the same process */
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_holder(f, 0, 7, 3, HOLDER_OBSERVED);
	apply_holder(f, 8, 0);
	assert_holder(f, 1, 8, 0, HOLDER_OBSERVED);
	make_holder(&f->record, 9, 11, 1);
	f->record.holder.protocol = IPPROTO_UDP;
	apply(f);
	assert_int_equal(row(f, 11)->n_holders, 2);
}

static void descriptor_comes_later(void **state)
{
	apply_fact(*state, REC_CONNECT, 7, 0);
	apply_holder(*state, 7, 5);
	assert_int_equal(row(*state, 11)->n_holders, 1);
	assert_holder(*state, 0, 7, 5, HOLDER_CONNECTED);
}

/* Started in the same instant, made by the first. */
static void twins_are_two_holders(void **state)
{
	struct fixture *f = *state;

	for (uint32_t pid = 7; pid <= 8; pid++) {
		make_fact(&f->record, REC_BIND, pid, 11, 80);
		f->record.fact.task.start_ns = START_OF(7);
		f->record.fact.socket.creator_pid = 7;
		f->record.fact.socket.creator_start_ns = START_OF(7);
		apply(f);
	}
	assert_int_equal(row(f, 11)->n_holders, 2);
	assert_holder(f, 0, 7, -1, HOLDER_MADE);
	assert_int_equal(holder_at(row(f, 11), 1)->process->pid, 8);
	assert_int_equal(holder_at(row(f, 11), 1)->cause, HOLDER_OBSERVED);
}

static void generations_are_two_holders(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_CONNECT, 7, 0);
	make_holder(&f->record, 7, 11, 5);
	f->record.holder.task.start_ns++;
	apply(f);
	assert_int_equal(row(f, 11)->n_holders, 2);
	assert_int_equal(holder_at(row(f, 11), 0)->fd, -1);
	assert_int_equal(holder_at(row(f, 11), 1)->fd, 5);
}

/* --- bounds -----------------------------------------------------------------------------------------------
 */

/* Nothing is lost on the way. */
static void growth(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_SOCKET, 0, 0);
	for (uint32_t n = 1; n <= 70; n++) {
		apply_holder(f, n, (int32_t)n);
		assert_int_equal(row(f, 11)->n_holders, n);
		for (uint32_t i = 0; i < n; i++)
			assert_holder(f, i, i + 1, (int32_t)i + 1, HOLDER_OBSERVED);
	}
	make_fact(&f->record, REC_CLOSE, 0, 11, 0);
	apply(f);
	assert_int_equal(f->change.socket->n_holders, 70);
	apply_fact(f, REC_SOCKET, 0, 0);
	assert_int_equal(row(f, 11)->n_holders, 0);
	apply_holder(f, 5, 1);
	assert_holder(f, 0, 5, 1, HOLDER_OBSERVED);
}

static void no_more_than_the_bound(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_SOCKET, 0, 0);
	for (uint32_t n = 1; n <= HOLDERS_MAX; n++)
		apply_holder(f, n, 3);
	assert_int_equal(row(f, 11)->n_holders, HOLDERS_MAX);
	assert_int_equal(model_rows_left_out(f->model), 0);
	apply_holder(f, HOLDERS_MAX + 1, 3);
	apply_fact(f, REC_CONNECT, HOLDERS_MAX + 2, 0);
	assert_int_equal(row(f, 11)->n_holders, HOLDERS_MAX);
	assert_int_equal(model_rows_left_out(f->model), 2);
	apply_holder(f, HOLDERS_MAX, 3); /* known: needs no room */
	assert_int_equal(model_rows_left_out(f->model), 2);
	assert_holder(f, HOLDERS_MAX - 1, HOLDERS_MAX, 3, HOLDER_OBSERVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made, setup, teardown),
		cmocka_unit_test_setup_teardown(by_deed, setup, teardown),
		cmocka_unit_test_setup_teardown(another_generation_made_it, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_acted, setup, teardown),
		cmocka_unit_test_setup_teardown(observed, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptor_comes_later, setup, teardown),
		cmocka_unit_test_setup_teardown(twins_are_two_holders, setup, teardown),
		cmocka_unit_test_setup_teardown(generations_are_two_holders, setup, teardown),
		cmocka_unit_test_setup_teardown(growth, setup, teardown),
		cmocka_unit_test_setup_teardown(no_more_than_the_bound, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
