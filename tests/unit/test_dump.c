/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables as records: whoever applies what was dumped has the same tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>

#include "core/dump.h"
#include "model_fixture.h"

#define LISTENER   11
#define CONNECTION 12
#define DATAGRAMS  13
#define LEFTOVER   14 /* in TIME_WAIT */
#define CLOSED	   15 /* its port is free again */
#define IN_FLIGHT  16
#define SERVER	   7
#define WORKER	   8
#define CLIENT	   9

static uint16_t port_of(uint64_t cookie)
{
	return cookie == CONNECTION ? 1000 + LISTENER : (uint16_t)(1000 + cookie);
}

static void act(struct fixture *f, enum rec_kind kind, uint32_t pid, uint64_t cookie, uint8_t state)
{
	make_fact(&f->record, kind, pid, cookie, port_of(cookie));
	f->record.fact.socket.state = state;
	f->record.fact.socket.options = SOCKOPT_REUSEADDR;
	f->record.fact.socket.creator_pid = SERVER;
	f->record.fact.socket.creator_start_ns = START_OF(SERVER);
	memset(f->record.fact.socket.local_addr, (int)cookie, 4);
	if (cookie == CONNECTION || cookie == LEFTOVER) {
		f->record.fact.socket.peer_port = 4242;
		memset(f->record.fact.socket.peer_addr, 127, 4);
	}
	if (cookie == DATAGRAMS)
		f->record.fact.socket.protocol = IPPROTO_UDP;
	if (kind == REC_LISTEN)
		f->record.listen.backlog = 8;
	if (kind == REC_ACCEPT)
		f->record.accept.listener = LISTENER;
	apply(f);
	f->now_ns += 10;
}

static void describe(struct fixture *f, uint32_t pid, const char *path, const char *args, size_t args_length)
{
	make_process_of(&f->record, pid, path, strlen(path), args, args_length);
	f->record.header.flags |= PROCESS_F_TEXT_PATH | (pid == WORKER ? PROCESS_F_ARGS_CUT : 0);
	f->record.process.parent_pid = 1;
	f->record.process.parent_start_ns = 5;
	f->record.process.pid_ns = 4026531836u + pid;
	f->record.process.ns_pid = pid - 5;
	apply(f);
}

/* As a walk finds it. */
static void find(struct fixture *f, uint64_t cookie, uint8_t state, uint16_t flags)
{
	make_fact(&f->record, REC_SOCKET, 0, cookie, port_of(cookie));
	f->record.header.flags |= flags | SOCKET_F_COUNTERS;
	f->record.fact.socket.state = state;
	if (cookie == CONNECTION || cookie == LEFTOVER) {
		f->record.fact.socket.peer_port = 4242;
		memset(f->record.fact.socket.peer_addr, 127, 4);
	}
	memset(f->record.fact.socket.local_addr, (int)cookie, 4);
	f->record.row.bytes_sent = 1000 + cookie;
	f->record.row.bytes_received = 2000 + cookie;
	f->record.row.retransmits = 3;
	f->record.row.rtt_us = 44;
	f->record.row.queue_length = state == TCP_LISTEN ? 2 : 0;
	f->record.row.queue_limit = state == TCP_LISTEN ? 8 : 0;
	apply(f);
}

static void part(struct fixture *f, enum walk_part what)
{
	make_record(&f->record, REC_WALK);
	f->record.walk.part = what;
	f->record.walk.begin_ns = f->now_ns;
	apply(f);
	f->now_ns += 10;
}

static void hold(struct fixture *f, uint32_t pid, uint64_t cookie, int fd)
{
	make_holder(&f->record, pid, cookie, fd);
	apply(f);
}

/* What only walks tell: counters, a descriptor that was passed, TIME_WAIT. */
static void walk(struct fixture *f)
{
	part(f, WALK_BEGIN);
	find(f, LISTENER, TCP_LISTEN, 0);
	find(f, CONNECTION, TCP_ESTABLISHED, 0);
	find(f, LEFTOVER, TCP_TIME_WAIT, SOCKET_F_ORPHAN | SOCKET_F_REMAINS);
	find(f, IN_FLIGHT, TCP_CLOSE, 0);
	find(f, IN_FLIGHT, TCP_CLOSE, SOCKET_F_IN_FLIGHT);
	hold(f, SERVER, LISTENER, 3);
	hold(f, WORKER, LISTENER, 3);
	hold(f, CLIENT, LISTENER, 6);
	hold(f, WORKER, CONNECTION, 5);
	part(f, WALK_HOLDERS);
	part(f, WALK_END);
}

/* A server that forked a worker, a client that was passed the listener, sockets that are no more. */
static int setup_tables(void **state)
{
	int result = setup(state);
	struct fixture *f = *state;

	if (result)
		return result;
	apply_meta(f, META_CLOCK, 77, "");
	apply_meta(f, META_USER, 1000, "someone");
	apply_meta(f, META_CGROUP, 5, "/system.slice/server.service");
	apply_meta(f, META_NETNS_NAME, TEST_NETNS, "blue");
	describe(f, SERVER, "/usr/sbin/server", "server\0-x", 10);
	describe(f, CLIENT, "/bin/client", "", 0);
	act(f, REC_BIND, SERVER, LISTENER, TCP_CLOSE);
	act(f, REC_LISTEN, SERVER, LISTENER, TCP_LISTEN);
	apply_fork(f, SERVER, WORKER);
	describe(f, WORKER, "/usr/sbin/server", "server: worker", 15);
	act(f, REC_ACCEPT, WORKER, CONNECTION, TCP_ESTABLISHED);
	act(f, REC_AUTOBIND, CLIENT, DATAGRAMS, TCP_CLOSE);
	act(f, REC_CONNECT, SERVER, LEFTOVER, TCP_ESTABLISHED);
	make_fact(&f->record, REC_CLOSE, SERVER, LEFTOVER, port_of(LEFTOVER));
	f->record.fact.socket.state = TCP_FIN_WAIT2;
	f->record.close.direction = DIRECTION_OUT;
	apply(f);
	act(f, REC_BIND, SERVER, CLOSED, TCP_CLOSE);
	act(f, REC_CLOSE, SERVER, CLOSED, TCP_CLOSE);
	walk(f);
	return 0;
}

/* --- dumping ----------------------------------------------------------------------------------------------
 */

struct copy {
	struct model *model;
	unsigned records;
	unsigned room; /* for so many records; then there is no memory */
	unsigned last_kind;
};

static int put(void *context, const void *data, size_t size)
{
	struct copy *copy = context;
	struct record record;
	struct change change;

	if (copy->records == copy->room)
		return -ENOMEM;
	copy->records++;
	assert_int_equal((uintptr_t)data % 8, 0);
	assert_int_equal(record_decode(data, size, &record), 0);
	assert_int_equal(record.header->size, size);
	copy->last_kind = record.header->kind;
	return model_apply(copy->model, &record, &change);
}

static struct copy copy_of(const struct fixture *f, bool connections, uint16_t port)
{
	const struct dump_options options = {.now_ns = 9000000, .connections = connections, .port = port};
	struct copy copy = {.model = model_new(NULL), .room = UINT32_MAX};

	assert_non_null(copy.model);
	assert_int_equal(dump_model(f->model, &options, put, &copy), 0);
	assert_int_equal(copy.last_kind, REC_WALK);
	return copy;
}

/* --- comparing --------------------------------------------------------------------------------------------
 */

static void same_process(const struct process *of, const struct process *copied)
{
	assert_int_equal(copied->pid, of->pid);
	assert_int_equal(copied->start_ns, of->start_ns);
	assert_int_equal(copied->uid, of->uid);
	assert_int_equal(copied->cgroup_id, of->cgroup_id);
	assert_int_equal(copied->parent_pid, of->parent_pid);
	assert_int_equal(copied->parent_start_ns, of->parent_start_ns);
	assert_int_equal(copied->pid_ns, of->pid_ns);
	assert_int_equal(copied->ns_pid, of->ns_pid);
	assert_string_equal(copied->comm, of->comm);
	assert_string_equal(copied->path, of->path);
	assert_int_equal(copied->args_length, of->args_length);
	assert_int_equal(copied->path_cut, of->path_cut);
	assert_int_equal(copied->args_cut, of->args_cut);
	if (of->args_length)
		assert_memory_equal(copied->args, of->args, of->args_length);
}

static void same_holders(const struct socket_row *of, const struct socket_row *copied)
{
	const struct holder *copy = copied->holders;

	assert_int_equal(copied->n_holders, of->n_holders);
	for (const struct holder *holder = of->holders; holder; holder = holder->next, copy = copy->next) {
		same_process(holder->process, copy->process);
		assert_int_equal(copy->cause, holder->cause);
		assert_int_equal(copy->since_ns, holder->since_ns);
		assert_int_equal(copy->fd, holder->fd);
	}
	assert_null(copy);
}

static void same_past(const struct past_holder *of, const struct past_holder *copied)
{
	assert_int_equal(!copied, !of);
	if (!of)
		return;
	assert_int_equal(copied->pid, of->pid);
	assert_int_equal(copied->start_ns, of->start_ns);
	assert_int_equal(copied->uid, of->uid);
	assert_int_equal(copied->until_ns, of->until_ns);
	assert_string_equal(copied->comm, of->comm);
}

struct comparison {
	const struct model *of, *copied;
	unsigned rows;
};

static int same_row(const struct socket_row *of, void *context)
{
	struct comparison *comparison = context;
	const struct socket_row *copied =
		model_socket(comparison->copied, of->socket.cookie, of->socket.protocol);

	assert_non_null(copied);
	comparison->rows++;
	assert_memory_equal(&copied->socket, &of->socket, sizeof(of->socket));
	assert_int_equal(copied->since_ns, of->since_ns);
	assert_int_equal(copied->accepts, of->accepts);
	assert_int_equal(copied->bytes_sent, of->bytes_sent);
	assert_int_equal(copied->bytes_received, of->bytes_received);
	assert_int_equal(copied->retransmits, of->retransmits);
	assert_int_equal(copied->rtt_us, of->rtt_us);
	assert_int_equal(copied->queue_length, of->queue_length);
	assert_int_equal(copied->queue_limit, of->queue_limit);
	assert_int_equal(copied->direction, of->direction);
	assert_int_equal(copied->orphan, of->orphan);
	assert_int_equal(copied->remains, of->remains);
	assert_int_equal(copied->in_flight, of->in_flight);
	same_holders(of, copied);
	same_past(model_past_of_socket(comparison->of, &of->socket),
		  model_past_of_socket(comparison->copied, &of->socket));
	return 0;
}

static int same_past_port(void *context, const struct rec_socket *place, const struct past_holder *holder)
{
	struct comparison *comparison = context;

	comparison->rows++;
	same_past(holder, model_past_of_port(comparison->copied, place));
	return 0;
}

static int same_name(void *context, enum meta_type type, uint64_t key, const char *text)
{
	struct comparison *comparison = context;

	comparison->rows++;
	switch (type) {
	case META_USER:
		assert_string_equal(model_user_name(comparison->copied, (uint32_t)key), text);
		break;
	case META_CGROUP:
		assert_string_equal(model_cgroup_path(comparison->copied, key), text);
		break;
	case META_NETNS_NAME:
		assert_string_equal(model_netns_name(comparison->copied, (uint32_t)key), text);
		break;
	default:
		fail();
	}
	return 0;
}

static void everything(void **state)
{
	struct fixture *f = *state;
	struct copy copy = copy_of(f, true, 0);
	struct comparison sockets = {f->model, copy.model, 0}, ports = sockets, names = sockets;

	model_each_socket(f->model, same_row, &sockets);
	assert_int_equal(sockets.rows, 5);
	assert_int_equal(model_socket_count(copy.model), 5);
	model_each_past_port(f->model, same_past_port, &ports);
	assert_int_equal(ports.rows, 1);
	model_each_name(f->model, same_name, &names);
	assert_int_equal(names.rows, 3);
	assert_int_equal(model_clock_offset_ns(copy.model), model_clock_offset_ns(f->model));
	assert_int_equal(model_repairs(copy.model)->holders_as_of_ns,
			 model_repairs(f->model)->holders_as_of_ns);
	assert_true(model_repairs(copy.model)->holders_as_of_ns);
	model_free(copy.model);
}

/* What the tables above are made of is what they say. */
static void tables_are_as_meant(void **state)
{
	struct fixture *f = *state;
	const struct socket_row *listener = row(f, LISTENER);

	assert_int_equal(listener->n_holders, 3);
	assert_int_equal(holder_at(listener, 0)->cause, HOLDER_MADE);
	assert_int_equal(holder_at(listener, 1)->cause, HOLDER_INHERITED);
	assert_int_equal(holder_at(listener, 2)->cause, HOLDER_OBSERVED);
	assert_int_equal(holder_at(listener, 2)->fd, 6);
	assert_int_equal(listener->accepts, 1);
	assert_int_equal(row(f, CONNECTION)->direction, DIRECTION_IN);
	assert_true(row(f, LEFTOVER)->remains);
	assert_int_equal(model_past_of_socket(f->model, &row(f, LEFTOVER)->socket)->pid, SERVER);
	assert_int_equal(row(f, IN_FLIGHT)->n_holders, 0);
	assert_true(row(f, IN_FLIGHT)->in_flight);
	assert_null(row(f, CLOSED));
}

static const struct socket_row *copied_row(const struct copy *copy, uint64_t cookie)
{
	return model_socket(copy->model, cookie, cookie == DATAGRAMS ? IPPROTO_UDP : IPPROTO_TCP);
}

static void one_port(void **state)
{
	struct fixture *f = *state;
	struct copy copy = copy_of(f, true, port_of(LISTENER));
	struct comparison ports = {f->model, copy.model, 0};

	assert_int_equal(model_socket_count(copy.model), 2);
	same_holders(row(f, LISTENER), copied_row(&copy, LISTENER));
	same_holders(row(f, CONNECTION), copied_row(&copy, CONNECTION));
	assert_null(model_process(copy.model, CLIENT + 1, START_OF(CLIENT + 1)));
	model_each_past_port(copy.model, same_past_port, &ports);
	assert_int_equal(ports.rows, 0);
	model_free(copy.model);

	copy = copy_of(f, true, port_of(CLOSED));
	ports = (struct comparison){f->model, copy.model, 0};
	assert_int_equal(model_socket_count(copy.model), 0);
	model_each_past_port(f->model, same_past_port, &ports);
	assert_int_equal(ports.rows, 1);
	model_free(copy.model);
}

/* Who holds nothing that was asked for is nobody's business. */
static void only_their_processes(void **state)
{
	struct fixture *f = *state;
	struct copy copy = copy_of(f, true, port_of(DATAGRAMS));

	assert_int_equal(model_socket_count(copy.model), 1);
	assert_non_null(model_process(copy.model, CLIENT, START_OF(CLIENT)));
	assert_null(model_process(copy.model, SERVER, START_OF(SERVER)));
	assert_null(model_process(copy.model, WORKER, START_OF(WORKER)));
	model_free(copy.model);
}

static void ports_only(void **state)
{
	struct fixture *f = *state;
	struct copy copy = copy_of(f, false, 0);

	assert_int_equal(model_socket_count(copy.model), 3);
	assert_non_null(copied_row(&copy, LISTENER));
	assert_non_null(copied_row(&copy, DATAGRAMS));
	assert_non_null(copied_row(&copy, IN_FLIGHT));
	model_free(copy.model);
}

/* Wherever it stops, that is the answer. */
static void no_room(void **state)
{
	struct fixture *f = *state;
	const struct dump_options options = {.now_ns = 9000000, .connections = true};
	struct copy whole = copy_of(f, true, 0);

	for (unsigned room = 0; room < whole.records; room++) {
		struct copy copy = {.model = model_new(NULL), .room = room};

		assert_non_null(copy.model);
		assert_int_equal(dump_model(f->model, &options, put, &copy), -ENOMEM);
		assert_int_equal(copy.records, room);
		model_free(copy.model);
	}
	model_free(whole.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tables_are_as_meant, setup_tables, teardown),
		cmocka_unit_test_setup_teardown(everything, setup_tables, teardown),
		cmocka_unit_test_setup_teardown(one_port, setup_tables, teardown),
		cmocka_unit_test_setup_teardown(only_their_processes, setup_tables, teardown),
		cmocka_unit_test_setup_teardown(ports_only, setup_tables, teardown),
		cmocka_unit_test_setup_teardown(no_room, setup_tables, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
