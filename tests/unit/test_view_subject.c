/* SPDX-License-Identifier: GPL-2.0-only */
/* What filters are told of changes and rows. That `has` agrees with JSON is checked by the golden cases. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../golden/text_record.h"
#include "core/model.h"
#include "core/subject.h"
#include "core/subject_field.h"

struct fixture {
	struct model *model;
	struct change change;
	struct subject_storage storage;
	struct filter_process room[8];
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.model = model_new(NULL)};
	*state = &fixture;
	return fixture.model ? 0 : -1;
}

static int teardown(void **state)
{
	model_free(((struct fixture *)*state)->model);
	return 0;
}

static const struct filter_subject *apply(struct fixture *f, const char *line)
{
	static union any_record data;
	struct record record;
	struct words words;
	char copy[1024];

	snprintf(copy, sizeof(copy), "%s", line);
	split_words(copy, &words);
	read_record(&data, &words, 1000000000);
	assert_int_equal(record_decode(&data, data.header.size, &record), 0);
	assert_int_equal(model_apply(f->model, &record, &f->change), 0);
	return subject_of_change(f->model, &f->change, &f->storage);
}

static const struct filter_subject *row(struct fixture *f, uint64_t cookie, int only)
{
	const struct socket_row *socket = model_socket(f->model, cookie, IPPROTO_TCP);
	const struct holder *holder;

	assert_non_null(socket);
	holder = only < 0 ? NULL : socket->holders;
	while (only-- > 0)
		holder = holder->next;
	return subject_of_row(f->model, socket, holder, f->room, 8, &f->storage);
}

static bool has(const struct filter_subject *subject, const char *field)
{
	return subject->has_field(subject->has_field_context, field);
}

static void event_has_its_actor(void **state)
{
	const struct filter_subject *subject;

	apply(*state, "meta cgroup 5 /system.slice/x");
	subject = apply(*state,
			"bind pid=7 uid=33 comm=nginx cgroup=5 cookie=1 local=127.0.0.1:80 error=EACCES "
			"requested=80");
	assert_string_equal(subject->event, "bind");
	assert_int_equal(subject->n_processes, 1);
	assert_int_equal(subject->processes[0].pid, 7);
	assert_int_equal(subject->processes[0].uid, 33);
	assert_string_equal(subject->processes[0].comm, "nginx");
	assert_string_equal(subject->processes[0].cgroup, "/system.slice/x");
	assert_int_equal(subject->local_port, 80);
	assert_int_equal(subject->error, EACCES);
	assert_int_equal(subject->protocol, IPPROTO_TCP);
	assert_int_equal(subject->netns, NETNS_DEFAULT);
	assert_string_equal(subject->port_class, "well-known");
	assert_int_equal(subject->present, FILTER_HAS_LOCAL | FILTER_HAS_NETNS);
}

static void unknown_is_absent(void **state)
{
	const struct filter_subject *subject = apply(*state, "bind pid=7 comm=x");

	assert_int_equal(subject->present, 0);
	assert_int_equal(subject->family, 0);
	assert_null(subject->port_class);
	assert_null(subject->state);
	assert_false(has(subject, "network"));
	subject = apply(*state, "connect local=0.0.0.0:0 peer=192.0.2.1:80 error=EADDRNOTAVAIL");
	assert_int_equal(subject->n_processes, 0);
	assert_int_equal(subject->present & (FILTER_HAS_LOCAL | FILTER_HAS_PEER), FILTER_HAS_PEER);
	assert_int_equal(subject->direction, DIRECTION_OUT);
}

static void mapped_address_is_ipv4(void **state)
{
	const struct filter_subject *subject =
		apply(*state, "accept pid=7 cookie=1 local=[::ffff:10.0.0.1]:80 peer=[::ffff:10.0.0.2]:4000 "
			      "state=established");
	static const uint8_t local[16] = {10, 0, 0, 1}, peer[16] = {10, 0, 0, 2};

	assert_int_equal(subject->family, AF_INET);
	assert_false(subject->dual_stack);
	assert_memory_equal(subject->local_addr, local, 16);
	assert_memory_equal(subject->peer_addr, peer, 16);
	assert_int_equal(subject->direction, DIRECTION_IN);
	assert_string_equal(subject->state, "established");
	subject = apply(*state, "listen pid=7 cookie=2 local=[::]:80 state=listen");
	assert_int_equal(subject->family, AF_INET6);
	assert_true(subject->dual_stack);
	subject = apply(*state, "listen pid=7 cookie=3 local=[::]:80 state=listen options=v6only");
	assert_false(subject->dual_stack);
}

/* Whom a reset concerns can be asked for, though nobody on this host acted. */
static void close_without_actor_has_holders(void **state)
{
	const struct filter_subject *subject;

	apply(*state, "socket cookie=1 local=10.0.0.1:80 peer=10.0.0.2:4000 state=established");
	apply(*state, "holder pid=7 comm=a cookie=1 fd=3");
	apply(*state, "holder pid=8 comm=b cookie=1 fd=3");
	subject = apply(*state,
			"close cookie=1 local=10.0.0.1:0 peer=10.0.0.2:4000 state=established reason=reset");
	assert_int_equal(subject->n_processes, 2);
	assert_string_equal(subject->processes[1].comm, "b");
	assert_int_equal(subject->local_port, 80);
	assert_true(has(subject, "holders"));
	assert_false(has(subject, "process"));
	apply(*state, "socket cookie=2 local=10.0.0.1:81 peer=10.0.0.2:4000 state=established");
	apply(*state, "holder pid=7 comm=a cookie=2 fd=3");
	subject = apply(*state,
			"close pid=9 comm=c cookie=2 local=10.0.0.1:81 peer=10.0.0.2:4000 state=fin_wait2");
	assert_int_equal(subject->n_processes, 1);
	assert_int_equal(subject->processes[0].pid, 9);
	assert_false(has(subject, "holders"));
}

static void row_has_its_holders(void **state)
{
	const struct filter_subject *subject;

	apply(*state, "socket cookie=1 local=0.0.0.0:80 state=listen limit=5");
	apply(*state, "holder pid=7 comm=a cookie=1 fd=3");
	apply(*state, "holder pid=8 comm=b cookie=1 fd=3");
	subject = row(*state, 1, -1);
	assert_null(subject->event);
	assert_int_equal(subject->n_processes, 2);
	assert_string_equal(subject->state, "listen");
	subject = row(*state, 1, 1);
	assert_int_equal(subject->n_processes, 1);
	assert_int_equal(subject->processes[0].pid, 8);
}

static void states_of_what_the_kernel_calls_close(void **state)
{
	const struct filter_subject *subject;

	subject = apply(*state, "bind pid=7 cookie=1 local=0.0.0.0:80 requested=80 state=close");
	assert_string_equal(subject->state, "bound");
	subject = apply(*state, "bind pid=7 cookie=2 local=10.0.0.1:0 requested=0 state=close deferred");
	assert_null(subject->state);
	subject = apply(*state, "bind pid=7 proto=udp cookie=3 local=0.0.0.0:53 requested=53 state=close");
	assert_string_equal(subject->state, "unconnected");
	subject = apply(*state,
			"socket cookie=4 local=10.0.0.1:80 peer=10.0.0.2:4000 state=new_syn_recv orphan");
	assert_string_equal(row(*state, 4, -1)->state, "syn_recv");
}

static void has_knows_names_and_their_parts(void **state)
{
	const struct filter_subject *subject =
		apply(*state, "bind pid=7 comm=x cookie=1 local=127.0.0.1:40000 requested=0 state=close");

	assert_true(has(subject, "network"));
	assert_true(has(subject, "network.local"));
	assert_true(has(subject, "network.local.port"));
	assert_false(has(subject, "network.peer"));
	assert_true(has(subject, "portsnoop.port.assigned_by"));
	assert_true(has(subject, "port.assigned_by"));
	assert_true(has(subject, "port"));
	assert_false(has(subject, "error"));
	assert_false(has(subject, "network.loc"));
	assert_false(has(subject, "portsnoop.network"));
	assert_true(subject_field_exists("error.type"));
	assert_true(subject_field_exists("error"));
	assert_false(subject_field_exists("errors"));
	assert_false(subject_field_exists("error.typ"));
	assert_false(subject_field_exists("error.type.more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(event_has_its_actor, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_is_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(mapped_address_is_ipv4, setup, teardown),
		cmocka_unit_test_setup_teardown(close_without_actor_has_holders, setup, teardown),
		cmocka_unit_test_setup_teardown(row_has_its_holders, setup, teardown),
		cmocka_unit_test_setup_teardown(states_of_what_the_kernel_calls_close, setup, teardown),
		cmocka_unit_test_setup_teardown(has_knows_names_and_their_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
