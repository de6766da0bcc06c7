/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks over the kernel's sockets: what they add, what they take away, and what events between know better.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/tcp.h>

#include "model_fixture.h"

static void part(struct fixture *f, enum walk_part what, enum rec_source source, uint32_t netns)
{
	make_record(&f->record, REC_WALK);
	f->record.header.source = source;
	f->record.walk.part = what;
	f->record.walk.netns = netns;
	f->record.walk.begin_ns = f->now_ns;
	apply(f);
	f->now_ns += 10;
}

static void found_at(struct fixture *f, uint64_t cookie, uint8_t state, uint64_t time_ns)
{
	uint64_t now_ns = f->now_ns;

	make_fact(&f->record, REC_SOCKET, 0, cookie, (uint16_t)(1000 + cookie));
	f->record.header.source = SOURCE_RESYNC;
	f->record.fact.socket.state = state;
	if (state == TCP_TIME_WAIT)
		f->record.header.flags |= SOCKET_F_ORPHAN | SOCKET_F_REMAINS;
	f->now_ns = time_ns;
	apply(f);
	f->now_ns = now_ns;
}

static void found(struct fixture *f, uint64_t cookie, uint8_t state)
{
	found_at(f, cookie, state, f->now_ns);
}

static void held(struct fixture *f, uint64_t cookie, uint32_t pid)
{
	make_holder(&f->record, pid, cookie, 3);
	f->record.header.source = SOURCE_RESYNC;
	apply(f);
}

static void begin(struct fixture *f)
{
	f->now_ns += 1000;
	part(f, WALK_BEGIN, SOURCE_RESYNC, 0);
}

static void end(struct fixture *f)
{
	part(f, WALK_COVERED, SOURCE_RESYNC, TEST_NETNS);
	part(f, WALK_HOLDERS, SOURCE_RESYNC, 0);
	part(f, WALK_END, SOURCE_RESYNC, 0);
}

static void event(struct fixture *f, enum rec_kind kind, uint32_t pid, uint64_t cookie)
{
	make_fact(&f->record, kind, pid, cookie, (uint16_t)(1000 + cookie));
	f->record.fact.socket.state = TCP_ESTABLISHED;
	apply(f);
}

static const struct repairs *repairs(const struct fixture *f)
{
	return model_repairs(f->model);
}

static void adds_what_was_lost(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_true(model_walking(f->model));
	found(f, 11, TCP_LISTEN);
	held(f, 11, 7);
	end(f);
	assert_false(model_walking(f->model));
	assert_int_equal(row(f, 11)->socket.state, TCP_LISTEN);
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_int_equal(repairs(f)->added, 1);
	assert_int_equal(repairs(f)->owner_changed, 0);
}

/* Nothing was known before: nothing was repaired. */
static void the_first_walk_repairs_nothing(void **state)
{
	struct fixture *f = *state;

	part(f, WALK_BEGIN, SOURCE_SNAPSHOT, 0);
	found(f, 11, TCP_LISTEN);
	held(f, 11, 7);
	end(f);
	assert_int_equal(repairs(f)->added, 0);
	assert_int_equal(row(f, 11)->n_holders, 1);
}

static void held_by(struct fixture *f, uint64_t cookie, uint32_t pid, int fd)
{
	make_holder(&f->record, pid, cookie, fd);
	apply(f);
}

/* The first of several; what was closed since the last walk is not named any more. */
static void names_a_descriptor_that_is_open(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	assert_int_equal(holder_at(row(f, 11), 0)->fd, -1);
	begin(f);
	found(f, 11, TCP_ESTABLISHED);
	held_by(f, 11, 7, 5);
	held_by(f, 11, 7, 9);
	end(f);
	assert_int_equal(holder_at(row(f, 11), 0)->fd, 5);
	begin(f);
	found(f, 11, TCP_ESTABLISHED);
	held_by(f, 11, 7, 9);
	end(f);
	assert_int_equal(holder_at(row(f, 11), 0)->fd, 9);
}

static void two_walks_remove(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	begin(f);
	end(f);
	assert_non_null(row(f, 11));
	assert_int_equal(repairs(f)->in_doubt, 1);
	begin(f);
	end(f);
	assert_null(row(f, 11));
	assert_int_equal(repairs(f)->removed, 1);
	assert_int_equal(repairs(f)->in_doubt, 0);
	assert_int_equal(process(f, 7)->n_held, 0);
}

static void found_again_is_not_in_doubt(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	begin(f);
	end(f);
	begin(f);
	found(f, 11, TCP_ESTABLISHED);
	held(f, 11, 7);
	end(f);
	begin(f);
	end(f);
	assert_non_null(row(f, 11));
	assert_int_equal(repairs(f)->removed, 0);
}

static void only_what_was_covered_goes(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	for (int i = 0; i < 3; i++) {
		begin(f);
		part(f, WALK_COVERED, SOURCE_RESYNC, TEST_NETNS + 1);
		part(f, WALK_SKIPPED, SOURCE_RESYNC, TEST_NETNS);
		part(f, WALK_HOLDERS, SOURCE_RESYNC, 0);
		part(f, WALK_END, SOURCE_RESYNC, 0);
	}
	assert_non_null(row(f, 11));
	assert_int_equal(repairs(f)->netns_skipped, 1);
}

static void nothing_goes_without_a_look_at_descriptors(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	for (int i = 0; i < 3; i++) {
		begin(f);
		part(f, WALK_COVERED, SOURCE_RESYNC, TEST_NETNS);
		part(f, WALK_END, SOURCE_RESYNC, 0);
	}
	assert_non_null(row(f, 11));
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_true(repairs(f)->incomplete);
}

static void what_began_since_stays(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		begin(f);
		event(f, REC_CONNECT, 7, 11);
		end(f);
		assert_int_equal(repairs(f)->in_doubt, 0);
	}
	part(f, WALK_BEGIN, SOURCE_RESYNC, 0);
	part(f, WALK_HOLDERS, SOURCE_RESYNC, 0);
	event(f, REC_CONNECT, 7, 11);
	part(f, WALK_END, SOURCE_RESYNC, 0);
	assert_int_equal(row(f, 11)->n_holders, 1);
}

/* Read before it ended, and comes after it. */
static void the_dead_do_not_come_back(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	begin(f);
	make_fact(&f->record, REC_CLOSE, 7, 11, 1011);
	f->now_ns += 100;
	apply(f);
	found_at(f, 11, TCP_ESTABLISHED, f->now_ns - 50);
	assert_null(row(f, 11));
	found(f, 11, TCP_TIME_WAIT); /* what it left behind */
	assert_int_equal(row(f, 11)->socket.state, TCP_TIME_WAIT);
	end(f);
	begin(f);
	end(f);
	assert_null(row(f, 11)); /* at once: there is nothing to doubt */
	assert_int_equal(repairs(f)->removed, 0);
}

static void an_event_beats_an_older_row(void **state)
{
	struct fixture *f = *state;

	begin(f);
	f->now_ns += 100;
	event(f, REC_CONNECT, 7, 11);
	found_at(f, 11, TCP_SYN_SENT, f->now_ns - 50);
	assert_int_equal(row(f, 11)->socket.state, TCP_ESTABLISHED);
	found_at(f, 11, TCP_CLOSE_WAIT, f->now_ns + 50);
	assert_int_equal(row(f, 11)->socket.state, TCP_CLOSE_WAIT);
}

static void holders_that_were_not_seen(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	begin(f);
	found(f, 11, TCP_ESTABLISHED);
	held(f, 11, 8);
	end(f);
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_int_equal(holder_at(row(f, 11), 0)->process->pid, 8);
	assert_int_equal(repairs(f)->owner_changed, 2);
	assert_int_equal(repairs(f)->added, 0);
}

/* A socket without a file has no descriptor either. */
static void orphans_have_no_holders(void **state)
{
	struct fixture *f = *state;

	event(f, REC_CONNECT, 7, 11);
	begin(f);
	make_fact(&f->record, REC_SOCKET, 0, 11, 1011);
	f->record.header.flags |= SOCKET_F_ORPHAN;
	f->record.fact.socket.state = TCP_FIN_WAIT2;
	apply(f);
	assert_int_equal(row(f, 11)->n_holders, 0);
	assert_int_equal(model_past_of_socket(f->model, &row(f, 11)->socket)->pid, 7);
}

static void in_flight_as_long_as_it_is_seen(void **state)
{
	struct fixture *f = *state;

	event(f, REC_BIND, 7, 11);
	begin(f);
	make_fact(&f->record, REC_SOCKET, 0, 11, 1011);
	f->record.header.flags |= SOCKET_F_IN_FLIGHT;
	apply(f);
	found(f, 11, TCP_CLOSE); /* as another iterator lists it */
	end(f);
	assert_true(row(f, 11)->in_flight);
	assert_int_equal(row(f, 11)->n_holders, 0);
	begin(f);
	found(f, 11, TCP_CLOSE);
	held(f, 11, 8);
	end(f);
	assert_false(row(f, 11)->in_flight);
}

/* A second look at descriptors alone does not look at messages. */
static void in_flight_after_a_look_at_descriptors(void **state)
{
	struct fixture *f = *state;

	event(f, REC_BIND, 7, 11);
	begin(f);
	make_fact(&f->record, REC_SOCKET, 0, 11, 1011);
	f->record.header.flags |= SOCKET_F_IN_FLIGHT;
	apply(f);
	end(f);
	part(f, WALK_BEGIN, SOURCE_RESYNC, 0);
	part(f, WALK_HOLDERS, SOURCE_RESYNC, 0);
	part(f, WALK_END, SOURCE_RESYNC, 0);
	assert_true(row(f, 11)->in_flight);
}

/* More ended than can be remembered: nothing is added, and it is said. */
static void too_many_ended(void **state)
{
	struct fixture *f = *state;

	begin(f);
	for (uint32_t i = 0; i < 70000; i++) {
		make_fact(&f->record, REC_CLOSE, 0, 100 + i, 80);
		apply(f);
	}
	found(f, 11, TCP_LISTEN);
	assert_null(row(f, 11));
	end(f);
	assert_true(repairs(f)->incomplete);
	begin(f);
	found(f, 11, TCP_LISTEN);
	end(f);
	assert_non_null(row(f, 11));
	assert_false(repairs(f)->incomplete);
}

/* What ends without an event stays between two looks for whoever shows it, until a look does not find it. */
static void old_remains_go(void **state)
{
	struct fixture *f = *state;

	begin(f);
	found(f, 11, TCP_TIME_WAIT);
	found(f, 12, TCP_TIME_WAIT);
	found(f, 13, TCP_TIME_WAIT);
	found(f, 14, TCP_ESTABLISHED);
	end(f);
	model_forget_old_remains(f->model, 0);
	assert_int_equal(model_socket_count(f->model), 4);
	f->now_ns += 1000;
	part(f, WALK_BEGIN, SOURCE_POLL, 0);
	found(f, 12, TCP_TIME_WAIT);
	model_forget_old_remains(f->model, 1011); /* only this port was looked at */
	assert_null(row(f, 11));
	assert_non_null(row(f, 12));
	assert_non_null(row(f, 13));
	model_forget_old_remains(f->model, 0);
	assert_non_null(row(f, 12));
	assert_null(row(f, 13));
	assert_non_null(row(f, 14));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adds_what_was_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_walk_repairs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(names_a_descriptor_that_is_open, setup, teardown),
		cmocka_unit_test_setup_teardown(two_walks_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(found_again_is_not_in_doubt, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_was_covered_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_goes_without_a_look_at_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(what_began_since_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(the_dead_do_not_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(an_event_beats_an_older_row, setup, teardown),
		cmocka_unit_test_setup_teardown(holders_that_were_not_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(orphans_have_no_holders, setup, teardown),
		cmocka_unit_test_setup_teardown(in_flight_as_long_as_it_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(in_flight_after_a_look_at_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(old_remains_go, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
