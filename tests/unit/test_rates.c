/* SPDX-License-Identifier: GPL-2.0-only */
/* Rates of ports, processes and the machine: whose is what, what a tick folds, what is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "core/rates.h"
#include "model_fixture.h"

#define SECOND UINT64_C(1000000000)

static struct rates *rates;

static int begin(void **state)
{
	rates = rates_new(&(struct rates_limits){.ports = 3, .processes = 2});
	return setup(state) || !rates;
}

static int end(void **state)
{
	rates_free(rates);
	return teardown(state);
}

static void take(struct fixture *f)
{
	apply(f);
	rates_take(rates, f->model, &f->change);
}

static void listens(struct fixture *f, uint64_t cookie, uint16_t port, uint8_t last_byte)
{
	make_fact(&f->record, REC_LISTEN, 7, cookie, port);
	f->record.fact.socket.state = TCP_LISTEN;
	if (last_byte)
		memcpy(f->record.fact.socket.local_addr, (uint8_t[]){127, 0, 0, last_byte}, 4);
	take(f);
}

/* A connection on 127.0.0.1 that came through a listener. */
static void accepts(struct fixture *f, uint64_t cookie, uint64_t listener, uint16_t port)
{
	make_fact(&f->record, REC_ACCEPT, 7, cookie, port);
	f->record.fact.socket.state = TCP_ESTABLISHED;
	memcpy(f->record.fact.socket.local_addr, (uint8_t[]){127, 0, 0, 1}, 4);
	f->record.fact.socket.peer_port = 40000;
	f->record.accept.listener = listener;
	take(f);
}

static void closes(struct fixture *f, uint64_t cookie, uint16_t port, uint64_t sent, uint64_t received)
{
	make_fact(&f->record, REC_CLOSE, 7, cookie, port);
	f->record.header.flags |= CLOSE_F_COUNTERS | CLOSE_F_RELEASED;
	f->record.fact.socket.state = TCP_CLOSE_WAIT;
	f->record.close.bytes_sent = sent;
	f->record.close.bytes_received = received;
	f->record.close.direction = DIRECTION_IN;
	take(f);
}

static void seen_by_walk(struct fixture *f, uint64_t cookie, uint64_t sent)
{
	make_fact(&f->record, REC_SOCKET, 0, cookie, 80);
	f->record.header.flags |= SOCKET_F_COUNTERS;
	f->record.header.source = SOURCE_POLL;
	f->record.fact.socket.state = TCP_ESTABLISHED;
	memcpy(f->record.fact.socket.local_addr, (uint8_t[]){127, 0, 0, 1}, 4);
	f->record.fact.socket.peer_port = 40000;
	f->record.row.bytes_sent = sent;
	take(f);
}

static const struct rate_counts *port_of(uint16_t port, uint8_t last_byte)
{
	struct rec_socket place = {
		.netns = TEST_NETNS, .local_port = port, .protocol = IPPROTO_TCP, .family = AF_INET};

	if (last_byte)
		memcpy(place.local_addr, (uint8_t[]){127, 0, 0, last_byte}, 4);
	return rates_of_port(rates, &place);
}

static const struct rate_counts *process_of(uint32_t pid)
{
	return rates_of_process(rates, pid, START_OF(pid));
}

/* --- whose is what ----------------------------------------------------------------------------------------
 */

static void an_accept_is_its_listeners(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	listens(f, 2, 80, 1);
	accepts(f, 3, 1, 80); /* the connection has the other listener's address */
	accepts(f, 4, 2, 80);
	accepts(f, 5, 2, 80);
	assert_int_equal(port_of(80, 0)->total[RATE_ACCEPTS], 1);
	assert_int_equal(port_of(80, 1)->total[RATE_ACCEPTS], 2);
	assert_int_equal(process_of(7)->total[RATE_ACCEPTS], 3);
	assert_int_equal(rates_machine(rates)->counts.total[RATE_ACCEPTS], 3);
}

static void connects_that_fail_are_errors(void **state)
{
	struct fixture *f = *state;

	make_fact(&f->record, REC_CONNECT, 9, 1, 40000);
	take(f);
	make_fact(&f->record, REC_CONNECT, 9, 2, 40001);
	f->record.connect.error = ECONNREFUSED;
	take(f);
	assert_int_equal(process_of(9)->total[RATE_CONNECTS], 1);
	assert_int_equal(process_of(9)->total[RATE_ERRORS], 1);
	assert_null(port_of(40000, 0)); /* it serves nobody */
}

static void a_failed_bind_is_an_error_of_who_has_the_port(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	make_fact(&f->record, REC_BIND, 9, 2, 80);
	memcpy(f->record.fact.socket.local_addr, (uint8_t[]){127, 0, 0, 1}, 4);
	f->record.bind.error = EADDRINUSE;
	take(f);
	assert_int_equal(port_of(80, 0)->total[RATE_ERRORS], 1);
	assert_int_equal(process_of(9)->total[RATE_ERRORS], 1);
	assert_null(process_of(7)); /* it has done nothing wrong */
}

static void what_the_queue_dropped_counts_as_often(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	make_fact(&f->record, REC_OVERFLOW, 0, 1, 80);
	f->record.overflow.count = 40;
	take(f);
	assert_int_equal(port_of(80, 0)->total[RATE_ERRORS], 40);
}

/* --- bytes ------------------------------------------------------------------------------------------------
 */

static void bytes_are_counted_once(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	accepts(f, 2, 1, 80);
	f->now_ns += 1000;
	seen_by_walk(f, 2, 1000);
	seen_by_walk(f, 2, 1500);
	assert_int_equal(port_of(80, 0)->total[RATE_BYTES], 1500);
	closes(f, 2, 80, 2000, 300);
	assert_int_equal(port_of(80, 0)->total[RATE_BYTES], 2300);
	assert_int_equal(process_of(7)->total[RATE_BYTES], 2300);
	assert_int_equal(rates_machine(rates)->counts.total[RATE_BYTES], 2300);
}

static void what_was_sent_before_we_looked_is_nobodys_rate(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	seen_by_walk(f, 2, 1000000);
	assert_int_equal(port_of(80, 0)->total[RATE_BYTES], 0);
	seen_by_walk(f, 2, 1000010);
	assert_int_equal(port_of(80, 0)->total[RATE_BYTES], 10);
}

/* --- ticks ------------------------------------------------------------------------------------------------
 */

static void nothing_is_known_before_two_ticks(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	accepts(f, 2, 1, 80);
	assert_false(rates_machine(rates)->known);
	rates_tick(rates, 10 * SECOND);
	assert_false(rates_machine(rates)->known);
	assert_true(port_of(80, 0)->per_second[RATE_ACCEPTS] < 1e-9);
	rates_tick(rates, 11 * SECOND);
	assert_true(rates_machine(rates)->known);
}

static void a_tick_folds_all_since_the_last_one(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	rates_tick(rates, 10 * SECOND);
	for (unsigned i = 0; i < 30; i++)
		accepts(f, 100 + i, 1, 80);
	rates_tick(rates, 20 * SECOND);
	assert_float_equal(port_of(80, 0)->per_second[RATE_ACCEPTS], 3.0, 1e-9);
	assert_float_equal(process_of(7)->per_second[RATE_ACCEPTS], 3.0, 1e-9);
	assert_float_equal(rates_machine(rates)->events_per_second, 3.0, 1e-9);
	rates_tick(rates, 20 * SECOND); /* no time has passed */
	assert_float_equal(port_of(80, 0)->per_second[RATE_ACCEPTS], 3.0, 1e-9);
	rates_tick(rates, 21 * SECOND);
	assert_float_equal(port_of(80, 0)->per_second[RATE_ACCEPTS], 0.0, 1e-9);
}

static void the_past_is_second_by_second(void **state)
{
	struct fixture *f = *state;
	uint32_t events[4];

	f->now_ns = 100 * SECOND;
	listens(f, 1, 80, 0);
	f->now_ns = 102 * SECOND + 5;
	listens(f, 2, 81, 0);
	accepts(f, 3, 1, 80);
	rates_past(rates, 103 * SECOND, events, 4);
	assert_memory_equal(events, ((uint32_t[]){0, 1, 0, 2}), sizeof(events));
	rates_past(rates, 105 * SECOND, events, 4);
	assert_memory_equal(events, ((uint32_t[]){0, 2, 0, 0}), sizeof(events));
	f->now_ns = 500 * SECOND;
	listens(f, 4, 82, 0);
	rates_past(rates, 501 * SECOND, events, 4);
	assert_memory_equal(events, ((uint32_t[]){0, 0, 0, 1}), sizeof(events));
}

/* --- bounds and losses ------------------------------------------------------------------------------------
 */

static void what_was_used_longest_ago_makes_room(void **state)
{
	struct fixture *f = *state;

	listens(f, 1, 80, 0);
	listens(f, 2, 81, 0);
	listens(f, 3, 82, 0);
	accepts(f, 4, 1, 80);
	listens(f, 5, 83, 0);
	assert_non_null(port_of(80, 0));
	assert_null(port_of(81, 0));
	assert_int_equal(port_of(80, 0)->total[RATE_ACCEPTS], 1);
}

static void losses_are_kept(void **state)
{
	struct fixture *f = *state;

	f->now_ns = 5 * SECOND;
	make_record(&f->record, REC_LOST);
	f->record.lost.count = 12;
	take(f);
	assert_int_equal(rates_machine(rates)->lost, 12);
	assert_int_equal(rates_machine(rates)->lost_ns, 5 * SECOND);
	assert_int_equal(rates_machine(rates)->events, 0);
	f->now_ns = 6 * SECOND;
	make_record(&f->record, REC_RESYNC);
	take(f);
	assert_int_equal(rates_machine(rates)->resync_ns, 6 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_accept_is_its_listeners, begin, end),
		cmocka_unit_test_setup_teardown(connects_that_fail_are_errors, begin, end),
		cmocka_unit_test_setup_teardown(a_failed_bind_is_an_error_of_who_has_the_port, begin, end),
		cmocka_unit_test_setup_teardown(what_the_queue_dropped_counts_as_often, begin, end),
		cmocka_unit_test_setup_teardown(bytes_are_counted_once, begin, end),
		cmocka_unit_test_setup_teardown(what_was_sent_before_we_looked_is_nobodys_rate, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_known_before_two_ticks, begin, end),
		cmocka_unit_test_setup_teardown(a_tick_folds_all_since_the_last_one, begin, end),
		cmocka_unit_test_setup_teardown(the_past_is_second_by_second, begin, end),
		cmocka_unit_test_setup_teardown(what_was_used_longest_ago_makes_room, begin, end),
		cmocka_unit_test_setup_teardown(losses_are_kept, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
