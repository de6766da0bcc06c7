/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests and TIME_WAIT: they have the cookie of a socket, and are rows of their own as long as they are not
 * the same connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_fixture.h"

#define COOKIE	     11
#define NEW_SYN_RECV 12

static void put(struct fixture *f, enum rec_kind kind, uint32_t pid, uint16_t port, uint16_t peer_port,
		uint8_t state)
{
	make_fact(&f->record, kind, pid, COOKIE, port);
	f->record.fact.socket.peer_port = peer_port;
	f->record.fact.socket.state = state;
	f->now_ns += 10;
	apply(f);
}

static void walk(struct fixture *f, enum walk_part part)
{
	make_record(&f->record, REC_WALK);
	f->record.walk.part = part;
	f->record.walk.netns = part == WALK_COVERED ? TEST_NETNS : 0;
	f->record.walk.begin_ns = f->now_ns;
	f->now_ns += 10;
	apply(f);
}

static void find_remains(struct fixture *f, uint16_t port, uint16_t peer_port, uint8_t state,
			 uint64_t time_ns)
{
	uint64_t now_ns = f->now_ns;

	make_fact(&f->record, REC_SOCKET, 0, COOKIE, port);
	f->record.header.flags |= SOCKET_F_ORPHAN | SOCKET_F_REMAINS;
	f->record.fact.socket.peer_port = peer_port;
	f->record.fact.socket.state = state;
	f->now_ns = time_ns;
	apply(f);
	f->now_ns = now_ns;
}

static const struct socket_row *remains(const struct fixture *f, uint16_t port, uint16_t peer_port)
{
	union any_record record;

	make_fact(&record, REC_SOCKET, 0, COOKIE, port);
	record.fact.socket.peer_port = peer_port;
	return model_remains(f->model, &record.fact.socket);
}

/* A client that has ended its connection and listens with the same socket. */
static void reuse(struct fixture *f)
{
	put(f, REC_CONNECT, 7, 40000, 80, TCP_ESTABLISHED);
	put(f, REC_CLOSE, 7, 40000, 80, TCP_FIN_WAIT2);
	put(f, REC_LISTEN, 8, 41000, 0, TCP_LISTEN);
}

static void assert_both(const struct fixture *f)
{
	const struct socket_row *listener = row(f, COOKIE);

	assert_int_equal(model_socket_count(f->model), 2);
	assert_int_equal(listener->socket.state, TCP_LISTEN);
	assert_int_equal(listener->socket.local_port, 41000);
	assert_int_equal(holder_at(listener, 0)->process->pid, 8);
	assert_int_equal(remains(f, 40000, 80)->socket.state, TCP_TIME_WAIT);
	assert_int_equal(remains(f, 40000, 80)->n_holders, 0);
}

static void the_socket_goes_on(void **state)
{
	struct fixture *f = *state;

	reuse(f);
	walk(f, WALK_BEGIN);
	find_remains(f, 40000, 80, TCP_TIME_WAIT, f->now_ns);
	assert_both(f);
	assert_ptr_equal(model_socket(f->model, COOKIE, IPPROTO_TCP), row(f, COOKIE));
	model_forget_remains(f->model);
	assert_null(remains(f, 40000, 80));
	assert_int_equal(row(f, COOKIE)->socket.state, TCP_LISTEN);
}

/* It is read from the kernel's tables in any order. */
static void the_socket_is_found_later(void **state)
{
	struct fixture *f = *state;

	walk(f, WALK_BEGIN);
	find_remains(f, 40000, 80, TCP_TIME_WAIT, f->now_ns);
	assert_int_equal(model_socket(f->model, COOKIE, IPPROTO_TCP)->socket.state, TCP_TIME_WAIT);
	put(f, REC_SOCKET, 0, 41000, 0, TCP_LISTEN);
	make_holder(&f->record, 8, COOKIE, 3);
	apply(f);
	assert_both(f);
}

static void two_connections_of_one_socket(void **state)
{
	struct fixture *f = *state;

	walk(f, WALK_BEGIN);
	find_remains(f, 40000, 80, TCP_TIME_WAIT, f->now_ns);
	find_remains(f, 40000, 81, TCP_TIME_WAIT, f->now_ns);
	find_remains(f, 40000, 80, TCP_TIME_WAIT, f->now_ns);
	assert_int_equal(model_socket_count(f->model), 2);
	assert_non_null(remains(f, 40000, 80));
	assert_non_null(remains(f, 40000, 81));
}

static void a_request_becomes_the_connection(void **state)
{
	struct fixture *f = *state;

	walk(f, WALK_BEGIN);
	find_remains(f, 80, 40000, NEW_SYN_RECV, f->now_ns);
	put(f, REC_ACCEPT, 7, 80, 40000, TCP_ESTABLISHED);
	assert_int_equal(model_socket_count(f->model), 1);
	assert_int_equal(row(f, COOKIE)->socket.state, TCP_ESTABLISHED);
	assert_false(row(f, COOKIE)->remains);
}

/* The walk read it before, and tells it after. */
static void an_event_beats_an_older_request(void **state)
{
	struct fixture *f = *state;
	uint64_t before_ns = f->now_ns;

	walk(f, WALK_BEGIN);
	put(f, REC_ACCEPT, 7, 80, 40000, TCP_ESTABLISHED);
	find_remains(f, 80, 40000, NEW_SYN_RECV, before_ns);
	assert_int_equal(model_socket_count(f->model), 1);
	assert_int_equal(row(f, COOKIE)->socket.state, TCP_ESTABLISHED);
}

/* Its end was lost, or is still on its way. */
static void a_connection_is_found_as_its_remains(void **state)
{
	struct fixture *f = *state;
	const struct socket_row *left;

	put(f, REC_CONNECT, 7, 40000, 80, TCP_ESTABLISHED);
	walk(f, WALK_BEGIN);
	find_remains(f, 40000, 80, TCP_TIME_WAIT, f->now_ns);
	left = remains(f, 40000, 80);
	assert_int_equal(model_socket_count(f->model), 1);
	assert_int_equal(left->n_holders, 0);
	assert_int_equal(model_past_of_socket(f->model, &left->socket)->pid, 7);
}

/* Each of its connections had a last holder of its own. */
static void last_holders_of_two_connections(void **state)
{
	struct fixture *f = *state;

	put(f, REC_CONNECT, 7, 40000, 80, TCP_ESTABLISHED);
	put(f, REC_CLOSE, 7, 40000, 80, TCP_FIN_WAIT2);
	put(f, REC_CONNECT, 8, 41000, 81, TCP_ESTABLISHED);
	put(f, REC_CLOSE, 8, 41000, 81, TCP_FIN_WAIT2);
	walk(f, WALK_BEGIN);
	find_remains(f, 40000, 80, TCP_TIME_WAIT, f->now_ns);
	find_remains(f, 41000, 81, TCP_TIME_WAIT, f->now_ns);
	assert_int_equal(model_past_of_socket(f->model, &remains(f, 40000, 80)->socket)->pid, 7);
	assert_int_equal(model_past_of_socket(f->model, &remains(f, 41000, 81)->socket)->pid, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_socket_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(the_socket_is_found_later, setup, teardown),
		cmocka_unit_test_setup_teardown(two_connections_of_one_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_becomes_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(an_event_beats_an_older_request, setup, teardown),
		cmocka_unit_test_setup_teardown(a_connection_is_found_as_its_remains, setup, teardown),
		cmocka_unit_test_setup_teardown(last_holders_of_two_connections, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
