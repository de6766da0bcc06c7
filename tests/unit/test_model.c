/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes, names and settings; sockets are the subject of test_sockets.c and test_holders.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_fixture.h"

static void apply_exit(struct fixture *f, uint32_t pid)
{
	make_record(&f->record, REC_EXIT);
	set_task(&f->record, pid);
	apply(f);
}

/* --- processes --------------------------------------------------------------------------------------------
 */

static void who_acts_is_seen(void **state)
{
	struct fixture *f = *state;

	make_fact(&f->record, REC_ATTEMPT, 7, 11, 0);
	apply(f);
	assert_non_null(f->change.process);
	assert_ptr_equal(f->change.process, process(f, 7));
	assert_string_equal(process(f, 7)->comm, "p7");
	make_fact(&f->record, REC_ATTEMPT, 0, 11, 0);
	apply(f);
	assert_null(f->change.process);
}

static void described(void **state)
{
	struct fixture *f = *state;

	make_process(&f->record, 7, "nginx\0sbin\0usr", "nginx\0-g");
	f->record.process.parent_pid = 3;
	f->record.process.parent_start_ns = START_OF(3);
	apply(f);
	assert_ptr_equal(f->change.process, process(f, 7));
	assert_string_equal(process(f, 7)->path, "/usr/sbin/nginx");
	assert_int_equal(process(f, 7)->args_length, sizeof("nginx\0-g"));
	assert_int_equal(process(f, 7)->parent_pid, 3);
	assert_null(process(f, 3)); /* only named */
}

static void fork_links_to_the_parent(void **state)
{
	struct fixture *f = *state;

	apply_fork(f, 7, 8);
	assert_ptr_equal(f->change.process, process(f, 7));
	assert_non_null(process(f, 8));
	assert_int_equal(process(f, 8)->parent_pid, 7);
	assert_int_equal(process(f, 8)->parent_start_ns, START_OF(7));
	assert_string_equal(process(f, 8)->comm, "p7"); /* until it says otherwise */
	assert_int_equal(process(f, 7)->parent_pid, 0);
}

static void exited_stay(void **state)
{
	struct fixture *f = *state;

	apply_fork(f, 7, 8);
	apply_exit(f, 8);
	assert_ptr_equal(f->change.process, process(f, 8));
	assert_true(process(f, 8)->exited);
	assert_false(process(f, 7)->exited);
}

static int setup_two_processes(void **state)
{
	return setup_limited(state, (struct model_limits){.processes = 2});
}

static void fork_in_a_full_table(void **state)
{
	struct fixture *f = *state;

	apply_exit(f, 1);
	apply_exit(f, 2);
	apply_fork(f, 7, 8);
	assert_ptr_equal(f->change.process, process(f, 7));
	assert_int_equal(process(f, 8)->parent_pid, 7);
	assert_null(process(f, 1));
	assert_null(process(f, 2));
}

/* --- following --------------------------------------------------------------------------------------------
 */

static bool followed(const struct fixture *f, uint32_t pid)
{
	assert_non_null(process(f, pid));
	return process(f, pid)->followed;
}

static void nobody_is_followed(void **state)
{
	struct fixture *f = *state;

	apply_fork(f, 7, 8);
	assert_false(model_following(f->model));
	make_fact(&f->record, REC_ATTEMPT, 7, 11, 0);
	f->record.fact.task.pid = 0; /* no pid to follow is not the pid 0 */
	apply(f);
	assert_false(f->change.process->followed);
	assert_false(followed(f, 7) || followed(f, 8));
}

static void descendants_are_followed(void **state)
{
	struct fixture *f = *state;

	apply_fork(f, 1, 3); /* before: unrelated */
	apply_meta(f, META_FOLLOW, 7, "");
	assert_true(model_following(f->model));
	apply_fork(f, 1, 4);
	apply_fork(f, 7, 8);
	apply_exit(f, 7);
	apply_fork(f, 8, 9);
	apply_fork(f, 9, 10);
	apply_fork(f, 4, 5);
	assert_true(followed(f, 7) && followed(f, 8) && followed(f, 9) && followed(f, 10));
	assert_false(followed(f, 1) || followed(f, 3) || followed(f, 4) || followed(f, 5));
}

/* Known before it was to be followed, or seen for the first time by what its parent did. */
static void root_by_pid(void **state)
{
	struct fixture *f = *state;

	apply_exit(f, 6);
	make_fact(&f->record, REC_ATTEMPT, 7, 11, 0);
	apply(f);
	apply_meta(f, META_FOLLOW, 7, "");
	assert_false(followed(f, 7));
	make_fact(&f->record, REC_ATTEMPT, 7, 11, 0);
	apply(f);
	assert_true(followed(f, 7));
	assert_false(followed(f, 6));
}

static void root_is_forked(void **state)
{
	struct fixture *f = *state;

	apply_meta(f, META_FOLLOW, 7, "");
	apply_fork(f, 1, 7);
	assert_true(followed(f, 7));
	assert_false(followed(f, 1));
}

/* Once the command is found, its pid given out again is somebody else. */
static void root_is_one_process(void **state)
{
	struct fixture *f = *state;

	apply_meta(f, META_FOLLOW, 7, "");
	apply_exit(f, 7);
	make_fact(&f->record, REC_ATTEMPT, 7, 11, 0);
	f->record.fact.task.start_ns++;
	apply(f);
	assert_true(followed(f, 7));
	assert_false(f->change.process->followed);
}

/* The fork was not seen, but the process says whose child it is. */
static void parent_in_the_description(void **state)
{
	struct fixture *f = *state;

	apply_meta(f, META_FOLLOW, 7, "");
	apply_exit(f, 7);
	make_process(&f->record, 8, "sh", "");
	f->record.process.parent_pid = 7;
	f->record.process.parent_start_ns = START_OF(7);
	apply(f);
	assert_true(followed(f, 8));
	make_process(&f->record, 9, "sh", "");
	f->record.process.parent_pid = 7;
	f->record.process.parent_start_ns = START_OF(7) + 1; /* an earlier 7 */
	apply(f);
	assert_false(followed(f, 9));
	make_process(&f->record, 8, "sh", ""); /* its parent has ended: init has it now */
	f->record.process.parent_pid = 1;
	apply(f);
	assert_true(followed(f, 8));
}

/* --- names and settings -----------------------------------------------------------------------------------
 */

static void users(void **state)
{
	struct fixture *f = *state;
	uint32_t uid = 77;

	assert_null(model_user_name(f->model, 0));
	assert_int_equal(model_user_id(f->model, "root", &uid), -ENOENT);
	assert_int_equal(uid, 77);
	apply_meta(f, META_USER, 0, "root");
	apply_meta(f, META_USER, UINT32_MAX, "nobody at all");
	assert_string_equal(model_user_name(f->model, 0), "root");
	assert_string_equal(model_user_name(f->model, UINT32_MAX), "nobody at all");
	assert_int_equal(model_user_id(f->model, "root", &uid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(model_user_id(f->model, "nobody at all", &uid), 0);
	assert_int_equal(uid, UINT32_MAX);
}

static void services(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 0;

	apply_meta(f, META_SERVICE, IPPROTO_TCP << 16 | 65535, "last");
	apply_meta(f, META_SERVICE, IPPROTO_UDP << 16 | 53, "domain");
	assert_string_equal(model_service_name(f->model, IPPROTO_TCP, 65535), "last");
	assert_string_equal(model_service_name(f->model, IPPROTO_UDP, 53), "domain");
	assert_null(model_service_name(f->model, IPPROTO_TCP, 53));
	assert_int_equal(model_service_port(f->model, "last", &port), 0);
	assert_int_equal(port, 65535);
	assert_int_equal(model_service_port(f->model, "domain", &port), 0);
	assert_int_equal(port, 53);
	assert_int_equal(model_service_port(f->model, "http", &port), -ENOENT);
	assert_int_equal(port, 53);
}

static void other_texts(void **state)
{
	struct fixture *f = *state;

	assert_null(model_host(f->model));
	assert_null(model_version(f->model));
	assert_null(model_cgroup_path(f->model, 1ull << 40));
	apply_meta(f, META_HOST, 0, "example");
	apply_meta(f, META_VERSION, 0, "1.2.3");
	apply_meta(f, META_CGROUP, 1ull << 40, "/system.slice/x");
	assert_string_equal(model_host(f->model), "example");
	assert_string_equal(model_version(f->model), "1.2.3");
	assert_string_equal(model_cgroup_path(f->model, 1ull << 40), "/system.slice/x");
}

static void wall_clock(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(model_wall_ns(f->model, 5), 5);
	apply_meta(f, META_CLOCK, 1700000000000000000u, "");
	assert_int_equal(model_wall_ns(f->model, 5), 1700000000000000005);
	apply_meta(f, META_CLOCK, (uint64_t)-10, ""); /* before 1970 */
	assert_int_equal(model_wall_ns(f->model, 3), -7);
	apply_meta(f, META_CLOCK, INT64_MAX, "");
	assert_int_equal(model_wall_ns(f->model, 1), INT64_MIN); /* nonsense, but no more than that */
}

static void ephemeral_range(void **state)
{
	static const struct {
		const char *text;
		int low, high; /* -1: not known */
	} cases[] = {
		{"32768 60999", 32768, 60999},
		{"1\t65535", 1, 65535},
		{"5 5", 5, 5},
		{"0 7", 0, 7},
		{"60999 32768", -1, -1},
		{"32768 65536", -1, -1},
		{"32768", -1, -1},
		{"", -1, -1},
		{"many few", -1, -1},
		{"-1 5", -1, -1},
		{"0 0", -1, -1},
		{"99999999999999999999 5", -1, -1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool known = cases[i].low >= 0;
		uint16_t low, high;

		apply_meta(f, META_RANGE, TEST_NETNS, cases[i].text);
		model_ephemeral_ports(f->model, TEST_NETNS, &low, &high);
		assert_int_equal(low, !known ? 49152 : cases[i].low > 1023 ? cases[i].low : 1024);
		assert_int_equal(high, known ? cases[i].high : 65535);
		model_ephemeral_ports(f->model, TEST_NETNS + 1, &low, &high);
		assert_int_equal(low, 49152);
		assert_int_equal(high, 65535);
	}
}

static void assert_class(const struct fixture *f, uint16_t port, const char *expected)
{
	assert_string_equal(model_port_class(f->model, TEST_NETNS, port), expected);
}

static void port_classes(void **state)
{
	struct fixture *f = *state;

	assert_class(f, 1, "well-known");
	assert_class(f, 1023, "well-known");
	assert_class(f, 1024, "registered");
	assert_class(f, 49151, "registered");
	assert_class(f, 49152, "ephemeral");
	assert_class(f, 65535, "ephemeral");
	apply_meta(f, META_RANGE, TEST_NETNS, "32768 60999");
	assert_class(f, 1023, "well-known");
	assert_class(f, 32767, "registered");
	assert_class(f, 32768, "ephemeral");
	assert_class(f, 60999, "ephemeral");
	assert_class(f, 61000, "registered");
	assert_string_equal(model_port_class(f->model, TEST_NETNS + 1, 40000), "registered");
	apply_meta(f, META_RANGE, TEST_NETNS, "500 2000");
	assert_class(f, 600, "well-known");
	assert_class(f, 1024, "ephemeral");
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

static int stop_at_second_socket(const struct socket_row *of, void *context)
{
	return ++*(int *)context == 2 ? (int)of->socket.cookie : 0;
}

static int sum_pids(const struct process *of, void *context)
{
	*(uint32_t *)context += of->pid;
	return 0;
}

static void each_row(void **state)
{
	struct fixture *f = *state;
	uint32_t pids = 0;
	int n = 0;

	for (uint32_t i = 1; i <= 3; i++) {
		make_fact(&f->record, REC_BIND, i, 100 + i, 80);
		apply(f);
	}
	assert_int_equal(model_each_socket(f->model, stop_at_second_socket, &n), 102);
	assert_int_equal(n, 2);
	assert_int_equal(model_each_process(f->model, sum_pids, &pids), 0);
	assert_int_equal(pids, 6);
}

/* About the trace itself: nothing changes. */
static void records_about_the_trace(void **state)
{
	struct fixture *f = *state;

	for (unsigned kind = REC_READY; kind <= REC_SUMMARY; kind++) {
		make_record(&f->record, kind);
		f->record.header.flags = REC_F_TASK | REC_F_SOCKET;
		apply(f);
		assert_null(f->change.socket);
		assert_null(f->change.process);
		assert_false(f->change.released);
	}
	assert_int_equal(model_socket_count(f->model), 0);
}

static void freed_in_the_middle(void **state)
{
	struct fixture *f = *state;

	model_free(NULL);
	make_process(&f->record, 7, "sh", "sh");
	apply(f);
	make_fact(&f->record, REC_BIND, 7, 11, 80);
	apply(f);
	make_holder(&f->record, 8, 11, 3);
	apply(f);
	make_fact(&f->record, REC_CLOSE, 7, 11, 80);
	apply(f);
	assert_true(f->change.released); /* and now, with a row that waits to go, teardown() */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_acts_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(described, setup, teardown),
		cmocka_unit_test_setup_teardown(fork_links_to_the_parent, setup, teardown),
		cmocka_unit_test_setup_teardown(exited_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(fork_in_a_full_table, setup_two_processes, teardown),
		cmocka_unit_test_setup_teardown(nobody_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(descendants_are_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(root_by_pid, setup, teardown),
		cmocka_unit_test_setup_teardown(root_is_forked, setup, teardown),
		cmocka_unit_test_setup_teardown(root_is_one_process, setup, teardown),
		cmocka_unit_test_setup_teardown(parent_in_the_description, setup, teardown),
		cmocka_unit_test_setup_teardown(users, setup, teardown),
		cmocka_unit_test_setup_teardown(services, setup, teardown),
		cmocka_unit_test_setup_teardown(other_texts, setup, teardown),
		cmocka_unit_test_setup_teardown(wall_clock, setup, teardown),
		cmocka_unit_test_setup_teardown(ephemeral_range, setup, teardown),
		cmocka_unit_test_setup_teardown(port_classes, setup, teardown),
		cmocka_unit_test_setup_teardown(each_row, setup, teardown),
		cmocka_unit_test_setup_teardown(records_about_the_trace, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_in_the_middle, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
