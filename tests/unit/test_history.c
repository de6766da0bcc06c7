/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened lately to each port and by each process, however much happens beside it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/history.h"
#include "model_fixture.h"

#define LIMIT 4

static void take(struct fixture *f, struct history *history)
{
	f->now_ns++;
	apply(f);
	history_take(history, f->model, &f->change);
}

static void bind_port(struct fixture *f, struct history *history, uint64_t cookie, uint16_t port, int error)
{
	make_fact(&f->record, REC_BIND, 7, cookie, port);
	f->record.bind.requested_port = port;
	f->record.bind.error = error;
	take(f, history);
}

static void close_port(struct fixture *f, struct history *history, uint64_t cookie, uint16_t port)
{
	make_fact(&f->record, REC_CLOSE, 7, cookie, port);
	f->record.close.fact.socket.peer_port = 0;
	take(f, history);
}

static void accept_one(struct fixture *f, struct history *history, uint64_t cookie, uint16_t port)
{
	make_fact(&f->record, REC_ACCEPT, 7, cookie, port);
	f->record.accept.fact.socket.peer_port = 4000;
	take(f, history);
}

static size_t of_port(const struct history *history, enum history_of of, uint16_t port,
		      const struct history_event **ret_events)
{
	const struct rec_socket place = {
		.netns = TEST_NETNS, .protocol = IPPROTO_TCP, .local_port = port, .family = AF_INET};

	return history_of_port(history, of, &place, ret_events);
}

static unsigned kind_of(const struct history_event *event)
{
	return ((const struct rec_header *)event->bytes)->kind;
}

static void traffic_does_not_push_out_how_it_came(void **state)
{
	struct fixture *f = *state;
	struct history *history = history_new(LIMIT);
	const struct history_event *events[HISTORY_EVENTS];

	bind_port(f, history, 1, 80, 0);
	for (uint64_t cookie = 2; cookie < 2 + 3 * HISTORY_EVENTS; cookie++)
		accept_one(f, history, cookie, 80);
	close_port(f, history, 1, 80);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 80, events), 2);
	assert_int_equal(kind_of(events[0]), REC_BIND);
	assert_int_equal(kind_of(events[1]), REC_CLOSE);
	assert_int_equal(of_port(history, HISTORY_OF_TRAFFIC, 80, events), HISTORY_EVENTS);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 81, events), 0);
	history_free(history);
}

static void the_last_ones_of_a_process(void **state)
{
	struct fixture *f = *state;
	struct history *history = history_new(LIMIT);
	const struct history_event *events[HISTORY_EVENTS];

	for (uint16_t port = 1; port <= HISTORY_EVENTS + 2; port++)
		bind_port(f, history, port, port, 0);
	assert_int_equal(history_of_process(history, 7, START_OF(7), events), HISTORY_EVENTS);
	assert_int_equal(((const struct rec_fact *)events[0]->bytes)->socket.local_port, 3);
	assert_int_equal(((const struct rec_fact *)events[HISTORY_EVENTS - 1]->bytes)->socket.local_port,
			 HISTORY_EVENTS + 2);
	assert_int_equal(history_of_process(history, 7, START_OF(7) + 1, events), 0); /* another one's pid */
	history_free(history);
}

static void what_fails_over_and_over_is_counted(void **state)
{
	struct fixture *f = *state;
	struct history *history = history_new(LIMIT);
	const struct history_event *events[HISTORY_EVENTS];

	bind_port(f, history, 1, 80, 0);
	for (unsigned i = 0; i < 100; i++)
		bind_port(f, history, 2, 80, EADDRINUSE);
	bind_port(f, history, 2, 80, EACCES);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 80, events), 3);
	assert_int_equal(events[0]->times, 1);
	assert_int_equal(events[1]->times, 100);
	assert_int_equal(events[2]->times, 1);
	history_free(history);
}

/* The kernel's choice says nothing of the port, unless somebody listens there. */
static void ports_of_clients_leave_those_of_servers(void **state)
{
	struct fixture *f = *state;
	struct history *history = history_new(LIMIT);
	const struct history_event *events[HISTORY_EVENTS];

	bind_port(f, history, 1, 80, 0);
	for (uint16_t port = 50000; port < 50000 + 3 * LIMIT; port++) {
		make_fact(&f->record, REC_BIND, 7, port, port); /* any port was asked for */
		f->record.bind.requested_port = 0;
		take(f, history);
		close_port(f, history, port, port);
	}
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 80, events), 1);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 50001, events), 0);
	make_fact(&f->record, REC_LISTEN, 7, 50001, 50001);
	take(f, history);
	close_port(f, history, 50001, 50001);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 50001, events), 2);
	history_free(history);
}

static void what_was_used_longest_ago_goes_first(void **state)
{
	struct fixture *f = *state;
	struct history *history = history_new(LIMIT);
	const struct history_event *events[HISTORY_EVENTS];

	for (uint16_t port = 1; port <= LIMIT; port++)
		bind_port(f, history, port, port, 0);
	close_port(f, history, 1, 1);
	bind_port(f, history, 9, 9, 0);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 1, events), 2);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 2, events), 0);
	assert_int_equal(of_port(history, HISTORY_OF_PORT, 9, events), 1);
	history_free(history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(traffic_does_not_push_out_how_it_came, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_ones_of_a_process, setup, teardown),
		cmocka_unit_test_setup_teardown(what_fails_over_and_over_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(ports_of_clients_leave_those_of_servers, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_used_longest_ago_goes_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
