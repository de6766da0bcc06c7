/* SPDX-License-Identifier: GPL-2.0-only */
/* How the set of holders changes without an act on the socket, who is told, and who is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/tcp.h>

#include "model_fixture.h"

/* What the listener was told, as text: "+7 fork 11", "-7 exit 11?" (? is observed). */
static char told[1024];

static void take(void *context, const struct holder_event *event)
{
	static const char *const names[] = {"acted", "fork", "exec", "exit", "pass", "close", "repair"};
	size_t length = strlen(told);

	snprintf(told + length, sizeof(told) - length, "%s%c%u %s %u%s", length ? "; " : "",
		 event->added ? '+' : '-', event->holder->process->pid, names[event->change],
		 (unsigned)event->socket->socket.cookie, event->observed ? "?" : "");
	assert_int_equal(event->time_ns, ((struct fixture *)context)->now_ns);
}

static int setup_listening(void **state)
{
	int result = setup(state);
	struct fixture *f = *state;

	told[0] = '\0';
	if (!result)
		model_on_holder(f->model, take, f);
	return result;
}

static void bind_by(struct fixture *f, uint32_t pid, uint64_t cookie)
{
	make_fact(&f->record, REC_BIND, pid, cookie, (uint16_t)(1000 + cookie));
	f->record.fact.socket.creator_pid = pid;
	f->record.fact.socket.creator_start_ns = START_OF(pid);
	apply(f);
}

static void lifecycle(struct fixture *f, enum rec_kind kind, uint32_t pid, uint16_t flags)
{
	make_record(&f->record, kind);
	set_task(&f->record, pid);
	f->record.header.flags |= flags;
	apply(f);
}

static void kept(struct fixture *f, uint32_t pid, uint64_t cookie, int fd)
{
	make_holder(&f->record, pid, cookie, fd);
	f->record.header.flags |= HOLDER_F_EXEC;
	apply(f);
}

static void expect_told(const char *text)
{
	assert_string_equal(told, text);
	told[0] = '\0';
}

static void child_inherits_all(void **state)
{
	struct fixture *f = *state;

	bind_by(f, 7, 11);
	bind_by(f, 7, 12);
	bind_by(f, 9, 13);
	expect_told("+7 acted 11; +7 acted 12; +9 acted 13");
	f->now_ns += 5;
	apply_fork(f, 7, 8);
	expect_told("+8 fork 12; +8 fork 11");
	assert_int_equal(row(f, 11)->n_holders, 2);
	assert_int_equal(holder_at(row(f, 11), 1)->cause, HOLDER_INHERITED);
	assert_int_equal(holder_at(row(f, 11), 1)->since_ns, f->now_ns);
	assert_int_equal(row(f, 13)->n_holders, 1);
	assert_int_equal(process(f, 8)->n_held, 2);
}

static void exec_keeps_what_is_said(void **state)
{
	struct fixture *f = *state;

	bind_by(f, 7, 11);
	bind_by(f, 7, 12);
	bind_by(f, 7, 13);
	told[0] = '\0';
	kept(f, 7, 12, 4);
	lifecycle(f, REC_EXEC, 7, 0);
	expect_told("-7 exec 13; -7 exec 11");
	assert_int_equal(row(f, 12)->n_holders, 1);
	assert_int_equal(holder_at(row(f, 12), 0)->fd, 4);
	assert_int_equal(row(f, 11)->n_holders, 0);
	/* The next exec does not remember the last one. */
	lifecycle(f, REC_EXEC, 7, 0);
	expect_told("-7 exec 12");
}

static void exec_that_did_not_look_everywhere(void **state)
{
	struct fixture *f = *state;

	bind_by(f, 7, 11);
	told[0] = '\0';
	lifecycle(f, REC_EXEC, 7, EXEC_F_INCOMPLETE);
	expect_told("");
	assert_int_equal(row(f, 11)->n_holders, 1);
}

static void exit_lets_go_of_all(void **state)
{
	struct fixture *f = *state;

	bind_by(f, 7, 11);
	apply_fork(f, 7, 8);
	told[0] = '\0';
	lifecycle(f, REC_EXIT, 7, 0);
	expect_told("-7 exit 11");
	assert_int_equal(row(f, 11)->n_holders, 1);
	assert_int_equal(holder_at(row(f, 11), 0)->process->pid, 8);
	assert_int_equal(process(f, 7)->n_held, 0);
	/* Nothing that was read before makes it a holder again. */
	make_holder(&f->record, 7, 11, 3);
	f->record.header.source = SOURCE_SNAPSHOT;
	apply(f);
	expect_told("");
	assert_int_equal(row(f, 11)->n_holders, 1);
}

static void what_exec_closed_stays_closed(void **state)
{
	struct fixture *f = *state;
	union any_record old;

	bind_by(f, 7, 11);
	make_holder(&old, 7, 11, 3);
	old.header.source = SOURCE_SNAPSHOT;
	old.header.time_ns = f->now_ns;
	f->now_ns += 10;
	lifecycle(f, REC_EXEC, 7, 0);
	told[0] = '\0';
	f->record = old;
	f->now_ns -= 5; /* read before the exec, and comes after it */
	apply(f);
	expect_told("");
	assert_int_equal(row(f, 11)->n_holders, 0);
}

/* --- who had it last --------------------------------------------------------------------------------------
 */

static void close_of(struct fixture *f, uint32_t pid, uint64_t cookie, uint8_t state)
{
	make_fact(&f->record, REC_CLOSE, pid, cookie, (uint16_t)(1000 + cookie));
	f->record.fact.socket.state = state;
	f->record.close.direction = state == TCP_LISTEN ? DIRECTION_UNKNOWN : DIRECTION_OUT;
	apply(f);
}

static void releaser_had_the_port(void **state)
{
	struct fixture *f = *state;
	struct rec_socket socket;

	bind_by(f, 7, 11);
	socket = row(f, 11)->socket;
	assert_null(model_past_of_port(f->model, &socket));
	f->now_ns += 9;
	close_of(f, 7, 11, TCP_LISTEN);
	assert_int_equal(model_past_of_port(f->model, &socket)->pid, 7);
	assert_int_equal(model_past_of_port(f->model, &socket)->until_ns, f->now_ns);
	assert_string_equal(model_past_of_port(f->model, &socket)->comm, "p7");
	socket.local_port++;
	assert_null(model_past_of_port(f->model, &socket));
}

static void killed_holder_had_the_port(void **state)
{
	struct fixture *f = *state;
	struct rec_socket socket;

	bind_by(f, 7, 11);
	socket = row(f, 11)->socket;
	lifecycle(f, REC_EXIT, 7, 0);
	assert_int_equal(model_past_of_socket(f->model, &socket)->pid, 7);
	close_of(f, 0, 11, TCP_LISTEN);
	assert_int_equal(model_past_of_port(f->model, &socket)->pid, 7);
}

static void connection_in_time_wait(void **state)
{
	struct fixture *f = *state;
	struct rec_socket socket;

	make_fact(&f->record, REC_CONNECT, 7, 11, 1011);
	apply(f);
	socket = row(f, 11)->socket;
	close_of(f, 7, 11, TCP_FIN_WAIT2);
	assert_int_equal(model_past_of_socket(f->model, &socket)->pid, 7);
	assert_null(model_past_of_port(f->model, &socket)); /* a connection's port is not a server's */
}

static int setup_short_memory(void **state)
{
	return setup_limited(state, (struct model_limits){.past = 2});
}

/* In context: the latest so far. */
static int is_later(void *context, const struct rec_socket *place, const struct past_holder *holder)
{
	const struct past_holder **latest = context;

	assert_true(!*latest || (*latest)->pid < holder->pid);
	assert_int_equal(place->netns, TEST_NETNS);
	assert_int_equal(place->protocol, IPPROTO_TCP);
	assert_int_equal(place->local_port, holder->pid == 8 ? 1012 : 1013);
	*latest = holder;
	return 0;
}

static void bounded_memory(void **state)
{
	struct fixture *f = *state;
	const struct past_holder *latest = NULL;
	struct rec_socket sockets[3];

	for (uint32_t i = 0; i < 3; i++) {
		bind_by(f, 7 + i, 11 + i);
		sockets[i] = row(f, 11 + i)->socket;
		close_of(f, 7 + i, 11 + i, TCP_LISTEN);
	}
	assert_null(model_past_of_port(f->model, &sockets[0]));
	assert_int_equal(model_past_of_port(f->model, &sockets[1])->pid, 8);
	assert_int_equal(model_past_of_port(f->model, &sockets[2])->pid, 9);
	assert_int_equal(model_each_past_port(f->model, is_later, &latest), 0);
	assert_ptr_equal(latest, model_past_of_port(f->model, &sockets[2]));
}

static int setup_few_processes(void **state)
{
	return setup_limited(state, (struct model_limits){.processes = 3});
}

/* A process that holds sockets goes last. */
static void holders_are_evicted_last(void **state)
{
	struct fixture *f = *state;

	bind_by(f, 7, 11);
	for (uint32_t pid = 20; pid < 30; pid++)
		lifecycle(f, REC_EXIT, pid, 0);
	assert_non_null(process(f, 7));
	assert_int_equal(row(f, 11)->n_holders, 1);
	for (uint32_t pid = 31; pid < 35; pid++)
		bind_by(f, pid, pid);
	assert_null(process(f, 31));
	assert_int_equal(row(f, 31)->n_holders, 0);
}

/* All others hold sockets: still it is not the parent that makes room for its child. */
static void a_fork_needs_both(void **state)
{
	struct fixture *f = *state;

	bind_by(f, 7, 11);
	bind_by(f, 8, 12);
	lifecycle(f, REC_EXIT, 20, 0); /* holds nothing */
	apply_fork(f, 20, 21);
	assert_non_null(process(f, 20));
	assert_non_null(process(f, 21));
	assert_ptr_equal(f->change.process, process(f, 20));
	assert_int_equal(process(f, 21)->parent_pid, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(child_inherits_all, setup_listening, teardown),
		cmocka_unit_test_setup_teardown(exec_keeps_what_is_said, setup_listening, teardown),
		cmocka_unit_test_setup_teardown(exec_that_did_not_look_everywhere, setup_listening, teardown),
		cmocka_unit_test_setup_teardown(exit_lets_go_of_all, setup_listening, teardown),
		cmocka_unit_test_setup_teardown(what_exec_closed_stays_closed, setup_listening, teardown),
		cmocka_unit_test_setup_teardown(releaser_had_the_port, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_holder_had_the_port, setup, teardown),
		cmocka_unit_test_setup_teardown(connection_in_time_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded_memory, setup_short_memory, teardown),
		cmocka_unit_test_setup_teardown(holders_are_evicted_last, setup_few_processes, teardown),
		cmocka_unit_test_setup_teardown(a_fork_needs_both, setup_few_processes, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
