/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/ephemeral.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model_fixture.h"

#define SECOND UINT64_C(1000000000)

/* A range of 100 ports, five of them reserved. */
static int setup_range(void **state)
{
	int error = setup(state);
	struct fixture *f = *state;

	if (error)
		return error;
	f->now_ns = 1000 * SECOND;
	apply_meta(f, META_RANGE, TEST_NETNS, "40000 40099");
	apply_meta(f, META_RESERVED, TEST_NETNS, "40000-40004");
	apply_meta(f, META_TW_REUSE, TEST_NETNS, "0");
	return 0;
}

static void found(struct fixture *f, uint64_t cookie, uint16_t port, uint8_t tcp_state, uint16_t flags)
{
	make_fact(&f->record, REC_SOCKET, 0, cookie, port);
	f->record.fact.socket.state = tcp_state;
	f->record.header.flags |= SOCKET_F_PORT_READ | flags;
}

static void listener(struct fixture *f, uint64_t cookie, uint16_t port, uint16_t flags)
{
	found(f, cookie, port, TCP_LISTEN, SOCKET_F_EXCLUSIVE | flags);
	apply(f);
}

static void connection(struct fixture *f, uint64_t cookie, uint16_t port, uint8_t host, uint8_t tcp_state,
		       uint16_t flags)
{
	found(f, cookie, port, tcp_state, flags);
	f->record.fact.socket.local_addr[0] = 10;
	f->record.fact.socket.peer_addr[0] = host;
	f->record.fact.socket.peer_port = 443;
	apply(f);
}

static void held(struct fixture *f, uint32_t pid, uint64_t cookie)
{
	make_holder(&f->record, pid, cookie, 3);
	apply(f);
}

static struct ephemeral read_all(struct fixture *f)
{
	struct ephemeral ephemeral;

	assert_int_equal(ephemeral_read(f->model, 0, f->now_ns, false, &ephemeral), 0);
	return ephemeral;
}

static const struct ephemeral_finding *find(const struct ephemeral *ephemeral,
					    enum ephemeral_finding_kind kind)
{
	for (size_t i = 0; i < ephemeral->n_findings; i++)
		if (ephemeral->findings[i].kind == kind)
			return &ephemeral->findings[i];
	return NULL;
}

static void nothing_in_use(void **state)
{
	struct ephemeral ephemeral = read_all(*state);

	assert_int_equal(ephemeral.n_spaces, 2);
	assert_int_equal(ephemeral.spaces[0].protocol, IPPROTO_TCP);
	assert_int_equal(ephemeral.spaces[0].n_reserved, 5);
	assert_int_equal(ephemeral.spaces[0].n_usable, 95);
	assert_int_equal(ephemeral.spaces[0].n_in_use, 0);
	assert_int_equal(ephemeral.n_destinations, 0);
	assert_non_null(find(&ephemeral, FINDING_RANGE_NARROW));
	ephemeral_free(&ephemeral);
}

/* Two connections may share a port, a listener's is nobody else's, TIME_WAIT counts for its destination. */
static void shared_and_exclusive(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	connection(f, 1, 40010, 1, TCP_ESTABLISHED, 0);
	connection(f, 2, 40010, 2, TCP_ESTABLISHED, 0);
	connection(f, 3, 40011, 1, TCP_TIME_WAIT, SOCKET_F_REMAINS);
	listener(f, 4, 40020, 0);
	connection(f, 5, 39999, 1, TCP_ESTABLISHED, 0); /* outside */
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.spaces[0].n_in_use, 2);
	assert_int_equal(ephemeral.spaces[0].n_exclusive, 1);
	assert_int_equal(ephemeral.spaces[0].n_time_wait, 1);
	assert_int_equal(ephemeral.n_destinations, 2);
	assert_int_equal(ephemeral.destinations[0].ends.peer_addr[0], 1);
	assert_int_equal(ephemeral.destinations[0].in_use, 1);
	assert_int_equal(ephemeral.destinations[0].time_wait, 1);
	assert_int_equal(ephemeral.destinations[0].available, 95 - 1 - 2);
	assert_int_equal(ephemeral.destinations[1].available, 95 - 1 - 1);
	ephemeral_free(&ephemeral);
}

/* Connections that came in on a listener of the range go to no destination. */
static void incoming(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	listener(f, 1, 40020, 0);
	connection(f, 2, 40020, 1, TCP_ESTABLISHED, SOCKET_F_EXCLUSIVE);
	connection(f, 3, 40020, 2, TCP_ESTABLISHED, SOCKET_F_EXCLUSIVE);
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.n_destinations, 0);
	assert_int_equal(ephemeral.spaces[0].n_in_use, 1);
	ephemeral_free(&ephemeral);
}

static void consumers(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	connection(f, 1, 40010, 1, TCP_ESTABLISHED, 0);
	connection(f, 2, 40010, 2, TCP_ESTABLISHED, 0);
	connection(f, 3, 40011, 1, TCP_ESTABLISHED, SOCKET_F_EXCLUSIVE);
	connection(f, 4, 40012, 1, TCP_ESTABLISHED, 0);
	held(f, 7, 1);
	held(f, 7, 2);
	held(f, 7, 3);
	held(f, 8, 4);
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.n_consumers, 2);
	assert_int_equal(ephemeral.consumers[0].process->pid, 7);
	assert_int_equal(ephemeral.consumers[0].in_use, 2);
	assert_int_equal(ephemeral.consumers[0].exclusive, 1);
	assert_int_equal(ephemeral.consumers[0].bound_before, 1);
	assert_int_equal(ephemeral.consumers[1].in_use, 1);
	assert_int_equal(find(&ephemeral, FINDING_BIND_BEFORE_CONNECT)->process->pid, 7);
	assert_int_equal(find(&ephemeral, FINDING_BIND_BEFORE_CONNECT)->count, 1);
	assert_ptr_equal(ephemeral.destinations[0].process,
			 process(f, 7)); /* the most towards 1: 40010, 40011 */
	/* Not 40011, which somebody has for himself, nor the two that connections to 1 have beside it. */
	assert_int_equal(ephemeral.destinations[0].available, 95 - 1 - 2);
	ephemeral_free(&ephemeral);
}

static void in_cgroup(struct fixture *f, uint32_t pid, uint64_t cookie, uint64_t cgroup)
{
	make_holder(&f->record, pid, cookie, 3);
	f->record.holder.task.cgroup_id = cgroup;
	apply(f);
}

/* A port that two of them have counts once; who is in no unit is in no group. */
static void groups(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	apply_meta(f, META_CGROUP, 15, "/system.slice/shop.service");
	apply_meta(f, META_CGROUP, 16, "/system.slice/shop.service/worker");
	apply_meta(f, META_CGROUP, 17, "/system.slice/mail.service");
	connection(f, 1, 40010, 1, TCP_ESTABLISHED, 0);
	connection(f, 2, 40011, 1, TCP_ESTABLISHED, SOCKET_F_EXCLUSIVE);
	connection(f, 3, 40012, 1, TCP_ESTABLISHED, 0);
	connection(f, 4, 40013, 1, TCP_ESTABLISHED, 0);
	in_cgroup(f, 7, 1, 15);
	in_cgroup(f, 8, 1, 16); /* the same unit, by another way */
	in_cgroup(f, 8, 2, 16);
	in_cgroup(f, 9, 3, 17);
	held(f, 10, 4);
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.n_groups, 2);
	assert_int_equal(ephemeral.groups[0].in_use, 2);
	assert_int_equal(ephemeral.groups[0].exclusive, 1);
	assert_int_equal(ephemeral.groups[0].processes, 2);
	assert_int_equal(ephemeral.groups[1].in_use, 1);
	assert_int_equal(ephemeral.groups[1].exclusive, 0);
	assert_int_equal(ephemeral.groups[1].processes, 1);
	assert_ptr_equal(ephemeral.groups[1].process, process(f, 9));
	ephemeral_free(&ephemeral);
}

/* What is of other namespaces is in none of its parts. */
static void one_namespace(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	connection(f, 1, 40010, 1, TCP_ESTABLISHED, 0);
	held(f, 7, 1);
	assert_int_equal(ephemeral_read(f->model, TEST_NETNS, f->now_ns, false, &ephemeral), 0);
	assert_int_equal(ephemeral.n_spaces, 2);
	assert_int_equal(ephemeral.n_destinations, 1);
	assert_int_equal(ephemeral.n_consumers, 1);
	ephemeral_free(&ephemeral);
	assert_int_equal(ephemeral_read(f->model, TEST_NETNS + 1, f->now_ns, false, &ephemeral), 0);
	assert_int_equal(ephemeral.n_spaces + ephemeral.n_destinations + ephemeral.n_consumers +
				 ephemeral.n_groups + ephemeral.n_findings,
			 0);
	ephemeral_free(&ephemeral);
}

/* Who asked for a port by its number wants that one, and not because of a bind too early. */
static void chosen_ports(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	connection(f, 1, 40010, 1, TCP_ESTABLISHED, SOCKET_F_EXCLUSIVE | SOCKET_F_CHOSEN);
	held(f, 7, 1);
	listener(f, 2, 40002, SOCKET_F_CHOSEN); /* reserved: all is well */
	listener(f, 3, 40030, 0);		/* the kernel's choice */
	ephemeral = read_all(f);
	assert_null(find(&ephemeral, FINDING_BIND_BEFORE_CONNECT));
	assert_null(find(&ephemeral, FINDING_LISTENER_IN_RANGE));
	ephemeral_free(&ephemeral);
	listener(f, 4, 40031, SOCKET_F_CHOSEN);
	listener(f, 5, 40031, SOCKET_F_CHOSEN); /* SO_REUSEPORT: one service */
	held(f, 9, 4);
	ephemeral = read_all(f);
	assert_int_equal(find(&ephemeral, FINDING_LISTENER_IN_RANGE)->port, 40031);
	assert_int_not_equal(find(&ephemeral, FINDING_LISTENER_IN_RANGE)[1].kind, FINDING_LISTENER_IN_RANGE);
	ephemeral_free(&ephemeral);
}

static void exhausted(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	for (uint16_t port = 40005; port < 40081; port++)
		connection(f, port, port, 1, TCP_TIME_WAIT, SOCKET_F_REMAINS);
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.destinations[0].available, 19);
	assert_float_equal(ephemeral_used_ratio(&ephemeral, &ephemeral.destinations[0]), 0.8, 0.0001);
	assert_non_null(find(&ephemeral, FINDING_NEAR_EXHAUSTION));
	assert_non_null(find(&ephemeral, FINDING_TW_REUSE_OFF));
	ephemeral_free(&ephemeral);
	for (uint16_t port = 40081; port < 40100; port++)
		connection(f, port, port, 1, TCP_ESTABLISHED, 0);
	apply_meta(f, META_TW_REUSE, TEST_NETNS, "1");
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.destinations[0].available, 0);
	assert_int_equal(ephemeral.findings[0].kind, FINDING_EXHAUSTED);
	assert_null(find(&ephemeral, FINDING_NEAR_EXHAUSTION));
	assert_null(find(&ephemeral, FINDING_TW_REUSE_OFF));
	ephemeral_free(&ephemeral);
}

static void connect_event(struct fixture *f, uint64_t cookie, uint16_t port, int error)
{
	make_fact(&f->record, REC_CONNECT, 7, cookie, port);
	f->record.fact.socket.local_addr[0] = 10;
	f->record.fact.socket.peer_addr[0] = 1;
	f->record.fact.socket.peer_port = 443;
	f->record.fact.socket.state = error ? TCP_CLOSE : TCP_ESTABLISHED;
	f->record.header.flags |= CONNECT_F_AUTOBOUND;
	f->record.connect.error = error;
	apply(f);
}

/* Events alone: rates, failures, and when it will be over. */
static void watched(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	for (uint16_t port = 40005; port < 40055; port++) {
		connect_event(f, port, port, 0);
		f->now_ns += SECOND / 5;
	}
	connect_event(f, 1, 0, EADDRNOTAVAIL);
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.n_destinations, 1);
	assert_true(ephemeral.destinations[0].watched);
	assert_int_equal(ephemeral.destinations[0].failed, 1);
	assert_float_equal(ephemeral.destinations[0].assigned_per_second, 4.5, 0.51);
	assert_true(ephemeral.destinations[0].will_be_exhausted);
	assert_in_range(ephemeral.destinations[0].exhausted_in_seconds, 9, 12); /* 45 at five a second */
	assert_non_null(find(&ephemeral, FINDING_NEAR_EXHAUSTION));
	ephemeral_free(&ephemeral);
}

/* In a recording nobody looks for TIME_WAIT: it is what went into it in the last minute. */
static void recorded(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	for (uint16_t port = 40005; port < 40015; port++)
		connect_event(f, port, port, 0);
	for (uint16_t port = 40005; port < 40009; port++) {
		make_fact(&f->record, REC_CLOSE, 7, port, port);
		f->record.fact.socket.local_addr[0] = 10;
		f->record.fact.socket.peer_addr[0] = 1;
		f->record.fact.socket.peer_port = 443;
		f->record.close.reason = CLOSE_LOCAL;
		f->record.close.direction = DIRECTION_OUT;
		apply(f);
	}
	make_record(&f->record, REC_RESYNC); /* the last row goes with the next record */
	apply(f);
	assert_int_equal(ephemeral_read(f->model, 0, f->now_ns, true, &ephemeral), 0);
	assert_int_equal(ephemeral.destinations[0].in_use, 6);
	assert_int_equal(ephemeral.destinations[0].time_wait, 4);
	assert_int_equal(ephemeral.destinations[0].available, 95 - 10);
	ephemeral_free(&ephemeral);
	for (uint16_t port = 40009; port < 40015; port++) {
		make_fact(&f->record, REC_CLOSE, 7, port, port);
		f->record.fact.socket.local_addr[0] = 10;
		f->record.fact.socket.peer_addr[0] = 1;
		f->record.fact.socket.peer_port = 443;
		f->record.close.reason = CLOSE_PEER;
		f->record.close.direction = DIRECTION_OUT;
		apply(f);
	}
	make_record(&f->record, REC_RESYNC);
	apply(f);
	assert_int_equal(ephemeral_read(f->model, 0, f->now_ns, true, &ephemeral), 0);
	assert_int_equal(ephemeral.n_destinations, 1); /* without a connection */
	assert_int_equal(ephemeral.destinations[0].in_use, 0);
	assert_int_equal(ephemeral.destinations[0].available, 95 - 4);
	ephemeral_free(&ephemeral);
	f->now_ns += 61 * SECOND;
	assert_int_equal(ephemeral_read(f->model, 0, f->now_ns, true, &ephemeral), 0);
	assert_int_equal(ephemeral.n_destinations, 0);
	ephemeral_free(&ephemeral);
}

/* The same ports in another namespace are others; of a range that nobody told, IANA's. */
static void namespaces(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	connection(f, 1, 40010, 1, TCP_ESTABLISHED, 0);
	found(f, 2, 50000, TCP_ESTABLISHED, 0);
	f->record.fact.socket.netns = TEST_NETNS + 1;
	f->record.fact.socket.peer_port = 443;
	apply(f);
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.n_spaces, 4);
	assert_int_equal(ephemeral.spaces[2].netns, TEST_NETNS + 1);
	assert_false(ephemeral.spaces[2].range_known);
	assert_int_equal(ephemeral.spaces[2].low, 49152);
	assert_int_equal(ephemeral.spaces[2].n_in_use, 1);
	assert_int_equal(ephemeral.spaces[0].n_in_use, 1);
	assert_int_equal(ephemeral.n_destinations, 2);
	ephemeral_free(&ephemeral);
}

static void udp(void **state)
{
	struct fixture *f = *state;
	struct ephemeral ephemeral;

	found(f, 1, 40010, TCP_CLOSE, 0);
	f->record.fact.socket.protocol = IPPROTO_UDP;
	apply(f);
	ephemeral = read_all(f);
	assert_int_equal(ephemeral.spaces[0].n_in_use, 0);
	assert_int_equal(ephemeral.spaces[1].n_in_use, 1);
	assert_int_equal(ephemeral.spaces[1].n_exclusive, 1);
	assert_int_equal(ephemeral.n_destinations, 0);
	ephemeral_free(&ephemeral);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_range, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_in_use), TEST(shared_and_exclusive),
		TEST(incoming),	      TEST(consumers),
		TEST(groups),	      TEST(one_namespace),
		TEST(chosen_ports),   TEST(exhausted),
		TEST(watched),	      TEST(recorded),
		TEST(namespaces),     TEST(udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
