/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of a connection that stays on this host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/tcp.h>

#include "model_fixture.h"

static const uint8_t loopback[4] = {127, 0, 0, 1};

static void connection(struct fixture *f, enum rec_kind kind, uint32_t pid, uint64_t cookie, uint16_t local,
		       uint16_t peer)
{
	struct rec_socket *socket = &f->record.fact.socket;

	make_fact(&f->record, kind, pid, cookie, local);
	socket->peer_port = peer;
	socket->state = TCP_ESTABLISHED;
	memcpy(socket->local_addr, loopback, sizeof(loopback));
	memcpy(socket->peer_addr, loopback, sizeof(loopback));
}

static void ends_find_each_other(void **state)
{
	struct fixture *f = *state;

	connection(f, REC_CONNECT, 7, 11, 40000, 80);
	apply(f);
	assert_null(model_peer(f->model, row(f, 11)));
	assert_null(model_peer_process(f->model, row(f, 11)));
	connection(f, REC_ACCEPT, 8, 12, 80, 40000);
	apply(f);
	assert_ptr_equal(model_peer(f->model, row(f, 11)), row(f, 12));
	assert_ptr_equal(model_peer(f->model, row(f, 12)), row(f, 11));
	assert_ptr_equal(model_peer_process(f->model, row(f, 12)), process(f, 7));
	assert_null(model_peer_process(f->model, NULL));
	/* Two hold the other end: none of them is named. */
	apply_fork(f, 7, 9);
	assert_null(model_peer_process(f->model, row(f, 12)));
}

static void a_mapped_address_meets_ipv4(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
	struct fixture *f = *state;

	connection(f, REC_CONNECT, 7, 11, 40000, 80);
	apply(f);
	connection(f, REC_ACCEPT, 8, 12, 80, 40000);
	f->record.fact.socket.family = AF_INET6;
	memcpy(f->record.fact.socket.local_addr, mapped, sizeof(mapped));
	memcpy(f->record.fact.socket.peer_addr, mapped, sizeof(mapped));
	apply(f);
	assert_ptr_equal(model_peer(f->model, row(f, 12)), row(f, 11));
}

static void another_namespace_is_another_host(void **state)
{
	struct fixture *f = *state;

	connection(f, REC_CONNECT, 7, 11, 40000, 80);
	apply(f);
	connection(f, REC_ACCEPT, 8, 12, 80, 40000);
	f->record.fact.socket.netns++;
	apply(f);
	assert_null(model_peer(f->model, row(f, 12)));
}

static void what_ended_is_nobody(void **state)
{
	struct fixture *f = *state;

	for (uint64_t cookie = 20; cookie < 400; cookie++) { /* the index grows on the way */
		connection(f, REC_CONNECT, 7, cookie, (uint16_t)(1000 + cookie), 80);
		apply(f);
	}
	connection(f, REC_ACCEPT, 8, 12, 80, 1020);
	apply(f);
	assert_ptr_equal(model_peer(f->model, row(f, 12)), row(f, 20));
	connection(f, REC_CLOSE, 7, 20, 1020, 80);
	apply(f);
	apply_meta(f, META_HOST, 0, "x"); /* the row goes with the next record */
	assert_null(model_peer(f->model, row(f, 12)));
	connection(f, REC_CLOSE, 7, 21, 1021, 80);
	f->record.header.flags |= CLOSE_F_STILL_BOUND;
	apply(f);
	connection(f, REC_ACCEPT, 8, 13, 80, 1021);
	apply(f);
	assert_null(model_peer(f->model, row(f, 13)));
	for (uint64_t cookie = 22; cookie < 400; cookie++) {
		connection(f, REC_ACCEPT, 8, 1000 + cookie, 80, (uint16_t)(1000 + cookie));
		apply(f);
		assert_ptr_equal(model_peer(f->model, row(f, 1000 + cookie)), row(f, cookie));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ends_find_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mapped_address_meets_ipv4, setup, teardown),
		cmocka_unit_test_setup_teardown(another_namespace_is_another_host, setup, teardown),
		cmocka_unit_test_setup_teardown(what_ended_is_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
