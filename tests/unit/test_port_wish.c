/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_wish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model_fixture.h"

/* As a walk finds it. */
static void find(struct fixture *f, uint64_t cookie, uint16_t port, uint8_t state)
{
	make_fact(&f->record, REC_SOCKET, 0, cookie, port);
	f->record.fact.socket.state = state;
	if (state != TCP_LISTEN && state != TCP_CLOSE)
		f->record.fact.socket.peer_port = 40000;
	apply(f);
}

static void find_udp(struct fixture *f, uint64_t cookie, uint16_t port, uint16_t peer_port)
{
	make_fact(&f->record, REC_SOCKET, 0, cookie, port);
	f->record.fact.socket.protocol = IPPROTO_UDP;
	f->record.fact.socket.peer_port = peer_port;
	f->record.fact.socket.state = peer_port ? TCP_ESTABLISHED : TCP_CLOSE;
	apply(f);
}

/* The row itself goes with the next record. */
static void end(struct fixture *f, struct port_wish *wish, uint64_t cookie, uint16_t port)
{
	make_fact(&f->record, REC_CLOSE, 0, cookie, port);
	apply(f);
	port_wish_note(wish, &f->record.header);
}

static struct port_wish wish_for(bool listening)
{
	return (struct port_wish){.spec.port = 80, .netns = TEST_NETNS, .listening = listening};
}

static void test_listening(void **state)
{
	struct fixture *f = *state;
	struct port_wish wish = wish_for(true);

	assert_false(port_wish_is_fulfilled(&wish, f->model));
	find(f, 1, 81, TCP_LISTEN);
	find(f, 2, 80, TCP_CLOSE);
	find(f, 3, 80, TCP_ESTABLISHED);
	find_udp(f, 4, 80, 53);
	assert_false(port_wish_is_fulfilled(&wish, f->model));
	find(f, 5, 80, TCP_LISTEN);
	assert_true(port_wish_is_fulfilled(&wish, f->model));
	wish.spec.protocol = IPPROTO_UDP;
	assert_false(port_wish_is_fulfilled(&wish, f->model));
	find_udp(f, 6, 80, 0);
	assert_true(port_wish_is_fulfilled(&wish, f->model));
	wish.netns++;
	assert_false(port_wish_is_fulfilled(&wish, f->model));
}

static void test_free_port(void **state)
{
	struct fixture *f = *state;
	struct port_wish wish = wish_for(false);

	assert_true(port_wish_is_fulfilled(&wish, f->model));
	find(f, 1, 81, TCP_LISTEN);
	assert_null(port_wish_obstacle(&wish, f->model));
	find(f, 2, 80, TCP_LISTEN);
	find(f, 3, 80, TCP_TIME_WAIT);
	assert_false(port_wish_is_fulfilled(&wish, f->model));
	/* One goes, another one is in the way; the last one goes. */
	end(f, &wish, wish.witness.cookie, 80);
	assert_non_null(port_wish_obstacle(&wish, f->model));
	assert_int_equal(port_wish_obstacle(&wish, f->model)->socket.cookie, wish.witness.cookie);
	end(f, &wish, wish.witness.cookie, 80);
	assert_true(port_wish_is_fulfilled(&wish, f->model));
}

/* A close that ends the connection only; and a listener that ended before it was asked for. */
static void test_ended(void **state)
{
	struct fixture *f = *state;
	struct port_wish wish = wish_for(false), listening = wish_for(true);

	find(f, 1, 80, TCP_ESTABLISHED);
	make_fact(&f->record, REC_CLOSE, 0, 1, 80);
	f->record.header.flags |= CLOSE_F_STILL_BOUND;
	apply(f);
	port_wish_note(&wish, &f->record.header);
	assert_false(port_wish_is_fulfilled(&wish, f->model));
	end(f, &wish, 1, 80);
	assert_true(port_wish_is_fulfilled(&wish, f->model));
	find(f, 2, 80, TCP_LISTEN);
	end(f, &listening, 2, 80);
	assert_false(port_wish_is_fulfilled(&listening, f->model));
	/* Its cookie again, in another protocol or later, is another socket. */
	find_udp(f, 2, 80, 0);
	assert_true(port_wish_is_fulfilled(&listening, f->model));
}

/* The witness is still there, but has the port no longer. */
static void test_moved(void **state)
{
	struct fixture *f = *state;
	struct port_wish wish = wish_for(false);

	find(f, 1, 80, TCP_CLOSE);
	assert_false(port_wish_is_fulfilled(&wish, f->model));
	find(f, 1, 90, TCP_CLOSE);
	assert_true(port_wish_is_fulfilled(&wish, f->model));
}

static void test_concerns(void **state)
{
	struct fixture *f = *state;
	struct port_wish wish = wish_for(true);

	find(f, 1, 80, TCP_CLOSE);
	assert_true(port_wish_concerns(&wish, &f->record.fact.socket));
	assert_false(port_wish_fulfils(&wish, &f->record.fact.socket));
	assert_true(port_wish_prevents(&wish, &f->record.fact.socket));
	f->record.fact.socket.netns++;
	assert_false(port_wish_concerns(&wish, &f->record.fact.socket));
	assert_false(port_wish_prevents(&wish, &f->record.fact.socket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listening, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_concerns, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
