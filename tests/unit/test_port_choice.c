/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/port_choice.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct example {
	unsigned kind;
	uint16_t flags;
	uint8_t protocol;
	int error;
	uint16_t requested, port;
	const char *assigned_by;
	bool not_found;
};

static const struct example examples[] = {
	{REC_BIND, BIND_F_REQUESTED, IPPROTO_TCP, 0, 0, 40000, "bind", false},
	{REC_BIND, BIND_F_REQUESTED, IPPROTO_TCP, 0, 80, 80, NULL, false},
	{REC_BIND, 0, IPPROTO_TCP, 0, 0, 40000, NULL, false}, /* nobody knows what it asked for */
	{REC_BIND, BIND_F_REQUESTED | BIND_F_DEFERRED, IPPROTO_TCP, 0, 0, 0, NULL, false},
	{REC_BIND, BIND_F_REQUESTED, IPPROTO_TCP, EADDRINUSE, 0, 0, NULL, true},
	{REC_BIND, BIND_F_REQUESTED, IPPROTO_UDP, EADDRINUSE, 0, 0, NULL, true},
	{REC_BIND, BIND_F_REQUESTED, IPPROTO_TCP, EADDRINUSE, 80, 80, NULL, false},
	{REC_BIND, BIND_F_REQUESTED, IPPROTO_TCP, EADDRNOTAVAIL, 0, 0, NULL, false}, /* no such address */
	{REC_BIND, 0, IPPROTO_TCP, EADDRINUSE, 0, 0, NULL, false},
	{REC_LISTEN, LISTEN_F_AUTOBOUND, IPPROTO_TCP, 0, 0, 40000, "listen", false},
	{REC_LISTEN, 0, IPPROTO_TCP, 0, 0, 80, NULL, false},
	{REC_CONNECT, CONNECT_F_AUTOBOUND, IPPROTO_TCP, 0, 0, 40000, "connect", false},
	{REC_CONNECT, CONNECT_F_AUTOBOUND, IPPROTO_TCP, ECONNREFUSED, 0, 40000, "connect", false},
	{REC_CONNECT, CONNECT_F_AUTOBOUND, IPPROTO_TCP, EADDRNOTAVAIL, 0, 0, NULL, true},
	{REC_CONNECT, 0, IPPROTO_TCP, EADDRNOTAVAIL, 0, 1023, NULL, false}, /* the pair is in use */
	{REC_CONNECT, 0, IPPROTO_UDP, EAGAIN, 0, 0, NULL, true},
	{REC_CONNECT, 0, IPPROTO_TCP, EAGAIN, 0, 0, NULL, false},
	{REC_AUTOBIND, 0, IPPROTO_UDP, 0, 0, 40000, "send", false},
	{REC_AUTOBIND, AUTOBIND_F_CONNECT, IPPROTO_UDP, 0, 0, 40000, "connect", false},
	{REC_CLOSE, 0, IPPROTO_TCP, 0, 0, 40000, NULL, false},
};

static void make(struct fixture *f, const struct example *example)
{
	make_fact(&f->record, example->kind, 7, 1, example->port);
	f->record.fact.header.flags |= example->flags;
	f->record.fact.socket.protocol = example->protocol;
	if (example->kind == REC_BIND) {
		f->record.bind.error = example->error;
		f->record.bind.requested_port = example->requested;
	} else if (example->kind == REC_CONNECT) {
		f->record.connect.error = example->error;
	}
}

static void chosen_or_not_found(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(examples); i++) {
		struct record record;
		const char *by;

		make(f, &examples[i]);
		assert_int_equal(record_decode(&f->record, f->record.header.size, &record), 0);
		by = port_assigned_by(&record, examples[i].port);
		if (!by != !examples[i].assigned_by || (by && strcmp(by, examples[i].assigned_by)))
			fail_msg("example %zu: assigned by %s", i, by ? by : "nobody");
		if (port_not_found(&record) != examples[i].not_found)
			fail_msg("example %zu: not found %d", i, !examples[i].not_found);
	}
}

static bool taken_back(struct fixture *f, uint16_t requested, uint16_t flags)
{
	make_fact(&f->record, REC_BIND, 7, 1, requested ? requested : 40000);
	f->record.fact.header.flags |= BIND_F_REQUESTED;
	f->record.bind.requested_port = requested;
	apply(f);
	assert_false(port_taken_back(&f->change));
	make_fact(&f->record, REC_CLOSE, 7, 1, requested ? requested : 40000);
	f->record.fact.header.flags |= flags;
	apply(f);
	return port_taken_back(&f->change);
}

static void taken_back_if_nobody_asked_for_it(void **state)
{
	struct fixture *f = *state;

	assert_true(taken_back(f, 0, 0));
	assert_false(taken_back(f, 80, 0));
	assert_false(taken_back(f, 0, CLOSE_F_STILL_BOUND));
}

static void not_of_a_socket_that_nobody_knows(void **state)
{
	struct fixture *f = *state;

	make_fact(&f->record, REC_CLOSE, 7, 1, 40000);
	apply(f);
	assert_false(port_taken_back(&f->change));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chosen_or_not_found, setup, teardown),
		cmocka_unit_test_setup_teardown(taken_back_if_nobody_asked_for_it, setup, teardown),
		cmocka_unit_test_setup_teardown(not_of_a_socket_that_nobody_knows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
