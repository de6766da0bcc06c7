/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of sockets, each kind of it, as the model's one way in has them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_fixture.h"

#define NOT_THERE(f, of_cookie)                                                                              \
	do {                                                                                                 \
		assert_null(row(f, of_cookie));                                                              \
		assert_null((f)->change.socket);                                                             \
		assert_false((f)->change.released);                                                          \
	} while (0)

static void apply_fact(struct fixture *f, enum rec_kind kind, uint32_t pid, uint64_t cookie, uint16_t port)
{
	make_fact(&f->record, kind, pid, cookie, port);
	apply(f);
}

static void apply_state(struct fixture *f, enum rec_kind kind, uint32_t pid, uint64_t cookie, uint16_t port,
			uint8_t tcp_state)
{
	make_fact(&f->record, kind, pid, cookie, port);
	f->record.fact.socket.state = tcp_state;
	f->record.fact.socket.peer_port = 50000;
	f->record.fact.socket.peer_addr[0] = 10;
	apply(f);
}

static void apply_close(struct fixture *f, uint64_t cookie, uint16_t flags)
{
	make_fact(&f->record, REC_CLOSE, 1, cookie, 0);
	f->record.header.flags |= flags;
	apply(f);
}

static void apply_error(struct fixture *f, enum rec_kind kind, uint64_t cookie, int error)
{
	make_fact(&f->record, kind, 9, cookie, 99);
	if (kind == REC_BIND)
		f->record.bind.error = error;
	else if (kind == REC_LISTEN)
		f->record.listen.error = error;
	else
		f->record.connect.error = error;
	apply(f);
}

static void assert_holder(const struct socket_row *of, uint32_t index, uint32_t pid, enum holder_cause cause)
{
	assert_true(index < of->n_holders);
	assert_int_equal(holder_at(of, index)->process->pid, pid);
	assert_int_equal(holder_at(of, index)->process->start_ns, START_OF(pid));
	assert_int_equal(holder_at(of, index)->cause, cause);
}

/* --- servers ----------------------------------------------------------------------------------------------
 */

static void bind_makes_a_row(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_BIND, 7, 11, 80);
	assert_non_null(row(f, 11));
	assert_ptr_equal(f->change.socket, row(f, 11));
	assert_ptr_equal(f->change.process, process(f, 7));
	assert_false(f->change.released);
	assert_int_equal(row(f, 11)->socket.local_port, 80);
	assert_int_equal(row(f, 11)->since_ns, 1000000);
	assert_true(row(f, 11)->seen_from_start);
	assert_int_equal(row(f, 11)->direction, DIRECTION_UNKNOWN);
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_holder(row(f, 11), 0, 7, HOLDER_OBSERVED);
	assert_int_equal(holder_at(row(f, 11), 0)->fd, -1);
	assert_int_equal(model_socket_count(f->model), 1);
	assert_null(model_socket(f->model, 11, IPPROTO_UDP));
}

/* IP_BIND_ADDRESS_NO_PORT: nothing is taken yet. */
static void bind_without_a_port(void **state)
{
	apply_fact(*state, REC_BIND, 7, 11, 0);
	NOT_THERE((struct fixture *)*state, 11);
}

static void failures_change_nothing(void **state)
{
	static const enum rec_kind kinds[] = {REC_BIND, REC_LISTEN, REC_CONNECT};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		apply_error(f, kinds[i], 50, EACCES);
		NOT_THERE(f, 50);
	}
	apply_error(f, REC_CONNECT, 50, CONNECT_ABORTED);
	NOT_THERE(f, 50);
	apply_fact(f, REC_BIND, 7, 11, 80);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		apply_error(f, kinds[i], 11, EINVAL);
		assert_ptr_equal(f->change.socket, row(f, 11));
		assert_int_equal(row(f, 11)->socket.local_port, 80);
		assert_int_equal(row(f, 11)->n_holders, 1);
		assert_int_equal(row(f, 11)->direction, DIRECTION_UNKNOWN);
	}
}

static void listen_after_bind(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_BIND, 7, 11, 80);
	f->now_ns += 500;
	make_fact(&f->record, REC_LISTEN, 7, 11, 80);
	f->record.fact.socket.state = TCP_LISTEN;
	f->record.listen.backlog = 128;
	apply(f);
	assert_int_equal(row(f, 11)->socket.state, TCP_LISTEN);
	assert_int_equal(row(f, 11)->queue_limit, 128);
	assert_int_equal(row(f, 11)->since_ns, 1000000); /* the port is held since then */
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_int_equal(model_socket_count(f->model), 1);
}

static void listen_alone(void **state)
{
	struct fixture *f = *state;

	apply_state(f, REC_LISTEN, 7, 11, 43210, TCP_LISTEN);
	assert_int_equal(row(f, 11)->since_ns, 1000000);
	assert_true(row(f, 11)->seen_from_start);
	f->now_ns += 500;
	apply_state(f, REC_LISTEN, 7, 11, 43210, TCP_LISTEN); /* another backlog */
	assert_int_equal(row(f, 11)->since_ns, 1000000);
}

static void apply_accept(struct fixture *f, uint64_t cookie, uint64_t listener, uint64_t queue_ns)
{
	make_fact(&f->record, REC_ACCEPT, 8, cookie, 80);
	f->record.fact.socket.state = TCP_ESTABLISHED;
	f->record.accept.listener = listener;
	f->record.accept.queue_ns = queue_ns;
	apply(f);
}

static void accept_in(void **state)
{
	struct fixture *f = *state;

	apply_state(f, REC_LISTEN, 7, 11, 80, TCP_LISTEN);
	f->now_ns += 5000;
	apply_accept(f, 12, 11, 2000);
	assert_int_equal(row(f, 11)->accepts, 1);
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_ptr_equal(f->change.socket, row(f, 12));
	assert_int_equal(row(f, 12)->direction, DIRECTION_IN);
	assert_int_equal(row(f, 12)->since_ns, 1003000); /* established before it was fetched */
	assert_holder(row(f, 12), 0, 8, HOLDER_ACCEPTED);
	apply_accept(f, 13, 11, 0);
	assert_int_equal(row(f, 11)->accepts, 2);
	apply_accept(f, 14, 999, 0); /* through nobody that is known */
	assert_int_equal(row(f, 11)->accepts, 2);
	assert_non_null(row(f, 14));
}

/* No damaged record makes a connection begin in the future. */
static void accept_waited_too_long(void **state)
{
	static const uint64_t waits[] = {1000000, 1000001, UINT64_MAX};
	struct fixture *f = *state;

	for (uint64_t i = 0; i < 3; i++) {
		apply_accept(f, 20 + i, 11, waits[i]);
		assert_int_equal(row(f, 20 + i)->since_ns, 0);
	}
	apply_accept(f, 12, 11, 999999);
	assert_int_equal(row(f, 12)->since_ns, 1);
}

/* Gone before anybody could look: the listener has accepted it all the same. */
static void accept_of_nothing(void **state)
{
	struct fixture *f = *state;

	apply_state(f, REC_LISTEN, 7, 11, 80, TCP_LISTEN);
	apply_accept(f, 0, 11, 0);
	assert_ptr_equal(f->change.socket, row(f, 11));
	assert_int_equal(row(f, 11)->accepts, 1);
	assert_int_equal(model_socket_count(f->model), 1);
	apply_accept(f, 0, 0, 0);
	assert_null(f->change.socket);
	assert_int_equal(model_socket_count(f->model), 1);
}

/* --- clients ----------------------------------------------------------------------------------------------
 */

static void connect_out(void **state)
{
	struct fixture *f = *state;

	apply_state(f, REC_ATTEMPT, 7, 11, 40000, TCP_SYN_SENT);
	NOT_THERE(f, 11);
	f->now_ns += 10;
	apply_state(f, REC_CONNECT, 7, 11, 40000, TCP_ESTABLISHED);
	assert_int_equal(row(f, 11)->direction, DIRECTION_OUT);
	assert_int_equal(row(f, 11)->since_ns, 1000010);
	assert_int_equal(row(f, 11)->socket.peer_port, 50000);
	assert_true(row(f, 11)->seen_from_start);
	assert_holder(row(f, 11), 0, 7, HOLDER_CONNECTED);
}

/* A child that connects what its parent made and bound is one holder more. */
static void connect_by_another(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_BIND, 7, 11, 40000);
	f->now_ns += 10;
	apply_state(f, REC_CONNECT, 8, 11, 40000, TCP_ESTABLISHED);
	assert_int_equal(row(f, 11)->since_ns, 1000010);
	assert_int_equal(row(f, 11)->n_holders, 2);
	assert_holder(row(f, 11), 0, 7, HOLDER_OBSERVED);
	assert_holder(row(f, 11), 1, 8, HOLDER_CONNECTED);
}

static void udp_autobind(void **state)
{
	struct fixture *f = *state;

	make_fact(&f->record, REC_AUTOBIND, 7, 11, 33333);
	f->record.fact.socket.protocol = IPPROTO_UDP;
	apply(f);
	assert_null(row(f, 11));
	assert_non_null(f->change.socket);
	assert_ptr_equal(f->change.socket, model_socket(f->model, 11, IPPROTO_UDP));
	assert_int_equal(f->change.socket->since_ns, 1000000);
	assert_holder(f->change.socket, 0, 7, HOLDER_OBSERVED);
	apply_fact(f, REC_BIND, 7, 11, 80); /* the same cookie, but another protocol */
	assert_int_equal(model_socket_count(f->model), 2);
}

/* --- the end ----------------------------------------------------------------------------------------------
 */

static void close_ends_with_the_next_record(void **state)
{
	struct fixture *f = *state;
	const struct socket_row *ended;

	apply_fact(f, REC_BIND, 7, 11, 80);
	apply_fact(f, REC_BIND, 7, 12, 81);
	apply_close(f, 11, CLOSE_F_RELEASED);
	ended = f->change.socket;
	assert_true(f->change.released);
	assert_non_null(ended);
	assert_int_equal(ended->socket.local_port, 80); /* as it was: the record has none */
	assert_holder(ended, 0, 7, HOLDER_OBSERVED);
	assert_null(row(f, 11)); /* only the change still has it */
	assert_int_equal(model_socket_count(f->model), 1);
	apply_meta(f, META_HOST, 0, "h"); /* any record */
	NOT_THERE(f, 11);
	assert_int_equal(model_socket_count(f->model), 1);
	assert_non_null(row(f, 12));
}

static void closed_twice(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_BIND, 7, 11, 80);
	apply_close(f, 11, 0);
	assert_true(f->change.released);
	apply_close(f, 11, CLOSE_F_RELEASED);
	NOT_THERE(f, 11);
}

/* Ports and cookies come again at once. */
static void born_again(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_BIND, 7, 11, 80);
	apply_close(f, 11, CLOSE_F_RELEASED);
	apply_fact(f, REC_BIND, 8, 11, 81);
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_holder(row(f, 11), 0, 8, HOLDER_OBSERVED);
	assert_int_equal(row(f, 11)->socket.local_port, 81);
	apply_fact(f, REC_REFUSE, 0, 0, 9);
	assert_non_null(row(f, 11));
}

static void close_of_nobody(void **state)
{
	struct fixture *f = *state;

	apply_close(f, 11, CLOSE_F_RELEASED);
	NOT_THERE(f, 11);
	apply_close(f, 0, CLOSE_F_RELEASED);
	NOT_THERE(f, 0);
	apply_close(f, 11, CLOSE_F_STILL_BOUND);
	NOT_THERE(f, 11);
}

/* The connection is over, the port stays; a second connection may follow. */
static void still_bound(void **state)
{
	static const uint8_t nowhere[16];
	struct fixture *f = *state;

	apply_state(f, REC_CONNECT, 7, 11, 40000, TCP_ESTABLISHED);
	apply_close(f, 11, CLOSE_F_STILL_BOUND);
	assert_ptr_equal(f->change.socket, row(f, 11));
	assert_false(f->change.released);
	apply_meta(f, META_HOST, 0, "h");
	assert_int_equal(row(f, 11)->socket.state, TCP_CLOSE);
	assert_int_equal(row(f, 11)->socket.local_port, 40000);
	assert_int_equal(row(f, 11)->socket.peer_port, 0);
	assert_memory_equal(row(f, 11)->socket.peer_addr, nowhere, 16);
	assert_int_equal(row(f, 11)->direction, DIRECTION_UNKNOWN);
	assert_holder(row(f, 11), 0, 7, HOLDER_CONNECTED);
	apply_close(f, 11, CLOSE_F_RELEASED);
	assert_true(f->change.released);
}

/* --- found by an iterator ---------------------------------------------------------------------------------
 */

static void apply_row(struct fixture *f, uint64_t cookie, uint16_t flags)
{
	make_fact(&f->record, REC_SOCKET, 0, cookie, 80);
	f->record.header.source = SOURCE_SNAPSHOT;
	f->record.header.flags |= flags;
	f->record.fact.socket.state = TCP_LISTEN;
	f->record.row.bytes_sent = 1;
	f->record.row.bytes_received = 2;
	f->record.row.retransmits = 3;
	f->record.row.rtt_us = 4;
	f->record.row.queue_length = 5;
	f->record.row.queue_limit = 6;
	apply(f);
}

static void snapshot_row(void **state)
{
	struct fixture *f = *state;
	const struct socket_row *found;

	apply_row(f, 11, 0);
	found = row(f, 11);
	assert_ptr_equal(f->change.socket, found);
	assert_null(f->change.process);
	assert_int_equal(found->since_ns, 0); /* before we looked */
	assert_false(found->seen_from_start || found->orphan);
	assert_int_equal(found->n_holders, 0);
	assert_int_equal(found->bytes_sent, 1);
	assert_int_equal(found->bytes_received, 2);
	assert_int_equal(found->retransmits, 3);
	assert_int_equal(found->rtt_us, 4);
	assert_int_equal(found->queue_length, 5);
	assert_int_equal(found->queue_limit, 6);
	apply_accept(f, 12, 11, 0);
	assert_int_equal(found->accepts, 1);
	apply_close(f, 11, 0);
	assert_true(f->change.released);
}

static void events_after_the_snapshot(void **state)
{
	struct fixture *f = *state;

	apply_row(f, 11, SOCKET_F_ORPHAN);
	assert_true(row(f, 11)->orphan);
	apply_accept(f, 11, 5, 0); /* out of the queue: somebody has it now */
	assert_false(row(f, 11)->orphan);
	assert_int_equal(row(f, 11)->socket.state, TCP_ESTABLISHED);
	assert_int_equal(row(f, 11)->direction, DIRECTION_IN);
	assert_int_equal(row(f, 11)->bytes_sent, 1);
	assert_holder(row(f, 11), 0, 8, HOLDER_ACCEPTED);
	assert_int_equal(model_socket_count(f->model), 1);
}

/* What the events told stays when an iterator looks again. */
static void snapshot_after_events(void **state)
{
	struct fixture *f = *state;

	apply_state(f, REC_CONNECT, 7, 11, 80, TCP_ESTABLISHED);
	apply_row(f, 11, 0);
	assert_int_equal(row(f, 11)->since_ns, 1000000);
	assert_int_equal(row(f, 11)->direction, DIRECTION_OUT);
	assert_true(row(f, 11)->seen_from_start);
	assert_holder(row(f, 11), 0, 7, HOLDER_CONNECTED);
	assert_int_equal(row(f, 11)->bytes_received, 2);
}

/* --- what a record does not say ---------------------------------------------------------------------------
 */

static void creator_and_options_stay(void **state)
{
	struct fixture *f = *state;

	make_fact(&f->record, REC_BIND, 7, 11, 80);
	f->record.fact.socket.creator_pid = 3;
	f->record.fact.socket.creator_start_ns = START_OF(3);
	f->record.fact.socket.options = SOCKOPT_REUSEPORT;
	apply(f);
	apply_row(f, 11, 0);
	assert_int_equal(row(f, 11)->socket.creator_pid, 3);
	assert_int_equal(row(f, 11)->socket.creator_start_ns, START_OF(3));
	assert_int_equal(row(f, 11)->socket.options, SOCKOPT_REUSEPORT);
	apply_state(f, REC_CONNECT, 3, 11, 80, TCP_ESTABLISHED);
	assert_holder(row(f, 11), 1, 3, HOLDER_MADE); /* though this record does not say who made it */
}

static void facts_without_a_socket(void **state)
{
	struct fixture *f = *state;

	for (unsigned kind = REC_BIND; kind <= REC_SOCKET; kind++) {
		make_record(&f->record, kind);
		set_task(&f->record, 7);
		apply(f);
		assert_null(f->change.socket);
		apply_fact(f, kind, 7, 0, 80);
		assert_null(f->change.socket);
	}
	assert_int_equal(model_socket_count(f->model), 0);
}

/* --- bounds -----------------------------------------------------------------------------------------------
 */

static int setup_two(void **state)
{
	return setup_limited(state, (struct model_limits){.sockets = 2});
}

/* A listener is never given up for a newcomer: who finds no room is counted. */
static void full_table(void **state)
{
	struct fixture *f = *state;

	apply_fact(f, REC_BIND, 7, 11, 80);
	apply_fact(f, REC_BIND, 7, 12, 81);
	assert_int_equal(model_rows_left_out(f->model), 0);
	apply_fact(f, REC_BIND, 7, 13, 82);
	NOT_THERE(f, 13);
	apply_state(f, REC_LISTEN, 7, 14, 83, TCP_LISTEN);
	apply_state(f, REC_CONNECT, 7, 15, 84, TCP_ESTABLISHED);
	apply_accept(f, 16, 11, 0);
	apply_fact(f, REC_AUTOBIND, 7, 17, 85);
	apply_row(f, 18, 0);
	NOT_THERE(f, 18);
	assert_int_equal(model_rows_left_out(f->model), 6);
	assert_int_equal(model_socket_count(f->model), 2);
	assert_int_equal(row(f, 11)->accepts, 1);
	apply_fact(f, REC_BIND, 8, 11, 80); /* known: needs no room */
	apply_close(f, 12, 0);
	apply_fact(f, REC_BIND, 7, 19, 86);
	assert_non_null(row(f, 19));
	assert_int_equal(model_rows_left_out(f->model), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bind_makes_a_row, setup, teardown),
		cmocka_unit_test_setup_teardown(bind_without_a_port, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(listen_after_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(listen_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(accept_in, setup, teardown),
		cmocka_unit_test_setup_teardown(accept_of_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(accept_waited_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(connect_out, setup, teardown),
		cmocka_unit_test_setup_teardown(connect_by_another, setup, teardown),
		cmocka_unit_test_setup_teardown(udp_autobind, setup, teardown),
		cmocka_unit_test_setup_teardown(close_ends_with_the_next_record, setup, teardown),
		cmocka_unit_test_setup_teardown(closed_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(born_again, setup, teardown),
		cmocka_unit_test_setup_teardown(close_of_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(still_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(snapshot_row, setup, teardown),
		cmocka_unit_test_setup_teardown(events_after_the_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(snapshot_after_events, setup, teardown),
		cmocka_unit_test_setup_teardown(creator_and_options_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(facts_without_a_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(full_table, setup_two, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
