/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "records.h"

static int setup(void **state)
{
	*state = process_table_new(4);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	process_table_free(*state);
	return 0;
}

static struct process *see(struct process_table *table, uint32_t pid)
{
	struct rec_task task = task_of(pid);
	struct process *process = process_see(table, &task);

	assert_non_null(process);
	return process;
}

static struct process *find(const struct process_table *table, uint32_t pid)
{
	return process_find(table, pid, START_OF(pid));
}

/* --- who it is --------------------------------------------------------------------------------------------
 */

static void seen_once(void **state)
{
	struct process *process;

	assert_null(find(*state, 7));
	process = see(*state, 7);
	assert_int_equal(process->pid, 7);
	assert_int_equal(process->start_ns, START_OF(7));
	assert_int_equal(process->uid, 1000);
	assert_int_equal(process->cgroup_id, 5);
	assert_string_equal(process->comm, "p7");
	assert_null(process->path);
	assert_null(process->args);
	assert_false(process->followed || process->exited);
	assert_ptr_equal(see(*state, 7), process);
	assert_ptr_equal(find(*state, 7), process);
	assert_int_equal(process_count(*state), 1);
}

/* The kernel gives pids out again: another start is another process. */
static void generations(void **state)
{
	struct rec_task task = task_of(7);
	struct process *first = see(*state, 7), *second;

	task.start_ns++;
	assert_null(process_find(*state, 7, task.start_ns));
	second = process_see(*state, &task);
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(find(*state, 7), first);
	assert_ptr_equal(process_find(*state, 7, task.start_ns), second);
	assert_null(process_find(*state, 8, task.start_ns));
}

/* exec, setuid, a move to another cgroup: what was said last is true. */
static void refreshed(void **state)
{
	struct rec_task task = task_of(7);
	struct process *process = see(*state, 7);

	strcpy(task.comm, "other");
	task.uid = 0;
	task.cgroup_id = 99;
	assert_ptr_equal(process_see(*state, &task), process);
	assert_string_equal(process->comm, "other");
	assert_int_equal(process->uid, 0);
	assert_int_equal(process->cgroup_id, 99);
}

/* --- executable and arguments -----------------------------------------------------------------------------
 */

static struct process *describe(void *table, const union any_record *record)
{
	struct process *process = process_see(table, &record->process.task);
	struct record decoded;

	assert_int_equal(record_decode(record, record->header.size, &decoded), 0);
	assert_int_equal(process_describe(process, &record->process), 0);
	return process;
}

#define assert_path(table, components, expected)                                                             \
	do {                                                                                                 \
		union any_record path_record;                                                                \
		make_process(&path_record, 1, components, "");                                               \
		assert_string_equal(describe(table, &path_record)->path, expected);                          \
	} while (0)

static void components_are_turned_round(void **state)
{
	assert_path(*state, "nginx\0sbin\0usr", "/usr/sbin/nginx");
	assert_path(*state, "init", "/init");
	assert_path(*state, "a\0b\0c\0d\0e", "/e/d/c/b/a");
	assert_path(*state, "new\nline \xff\0\xc3\xa9", "/\xc3\xa9/new\nline \xff");
	assert_path(*state, "leaf\0\0root", "/root//leaf");
}

static void longest_path(void **state)
{
	union any_record record;
	struct process *process;

	make_process(&record, 1, "x", "");
	memset(record.process.path, 'x', REC_PATH_MAX - 1);
	record.process.path[REC_PATH_MAX - 1] = '\0';
	record.process.path_length = REC_PATH_MAX;
	process = describe(*state, &record);
	assert_int_equal(strlen(process->path), REC_PATH_MAX);
	assert_int_equal(process->path[0], '/');
	memset(record.process.path, 0, REC_PATH_MAX);
	process = describe(*state, &record);
	assert_int_equal(strlen(process->path), REC_PATH_MAX);
	assert_int_equal(strspn(process->path, "/"), REC_PATH_MAX);
}

static void text_path(void **state)
{
	union any_record record;
	struct process *process;

	make_process(&record, 1, "/usr/bin/python3", "");
	record.header.flags |= PROCESS_F_TEXT_PATH;
	assert_string_equal(describe(*state, &record)->path, "/usr/bin/python3");
	record.process.path_length = 4; /* no NUL in these */
	assert_string_equal(describe(*state, &record)->path, "/usr");
	memset(record.process.path, 'y', REC_PATH_MAX + REC_ARGS_MAX);
	record.process.path_length = REC_PATH_MAX;
	process = describe(*state, &record);
	assert_int_equal(strlen(process->path), REC_PATH_MAX);
}

static void arguments(void **state)
{
	union any_record record;
	struct process *process;

	make_process(&record, 1, "sh", "sh\0-c\0\0x");
	process = describe(*state, &record);
	assert_int_equal(process->args_length, sizeof("sh\0-c\0\0x"));
	assert_memory_equal(process->args, "sh\0-c\0\0x", process->args_length);
	memset(record.process.args, 'z', REC_ARGS_MAX);
	record.process.args_length = REC_ARGS_MAX;
	process = describe(*state, &record);
	assert_int_equal(process->args_length, REC_ARGS_MAX);
	assert_memory_equal(process->args, record.process.args, REC_ARGS_MAX);
}

static void what_was_cut(void **state)
{
	union any_record record;
	struct process *process;

	make_process(&record, 1, "sh", "sh");
	process = describe(*state, &record);
	assert_false(process->path_cut || process->args_cut);
	record.header.flags |= PROCESS_F_PATH_CUT;
	process = describe(*state, &record);
	assert_true(process->path_cut && !process->args_cut);
	record.header.flags ^= PROCESS_F_PATH_CUT | PROCESS_F_ARGS_CUT;
	process = describe(*state, &record);
	assert_true(!process->path_cut && process->args_cut);
}

/* After exec, nothing is left of what it was. */
static void described_again(void **state)
{
	union any_record record;
	struct process *process;

	make_process(&record, 1, "sh\0bin", "sh\0-c");
	record.header.flags |= PROCESS_F_PATH_CUT | PROCESS_F_ARGS_CUT;
	record.process.parent_pid = 3;
	record.process.parent_start_ns = 30;
	process = describe(*state, &record);
	assert_int_equal(process->parent_pid, 3);
	assert_int_equal(process->parent_start_ns, 30);
	make_process(&record, 1, "", "");
	assert_ptr_equal(describe(*state, &record), process);
	assert_null(process->path);
	assert_null(process->args);
	assert_int_equal(process->args_length, 0);
	assert_false(process->path_cut || process->args_cut);
}

/* --- bounds -----------------------------------------------------------------------------------------------
 */

static void oldest_makes_room(void **state)
{
	for (uint32_t pid = 1; pid <= 4; pid++) {
		union any_record record;

		make_process(&record, pid, "sh", "sh");
		describe(*state, &record);
	}
	assert_int_equal(process_evictions(*state), 0);
	see(*state, 1);
	find(*state, 2); /* looking is no use */
	see(*state, 5);
	assert_int_equal(process_count(*state), 4);
	assert_int_equal(process_evictions(*state), 1);
	assert_null(find(*state, 2));
	assert_non_null(find(*state, 1));
	see(*state, 6);
	assert_null(find(*state, 3));
	assert_int_equal(process_evictions(*state), 2);
	assert_null(find(*state, 6)->path); /* nothing of who had the row before */
}

/* A fork needs parent and child at once. */
static void never_less_than_two(void **state)
{
	for (size_t limit = 0; limit < 3; limit++) {
		struct process_table *table = process_table_new(limit);
		struct process *parent, *child;

		assert_non_null(table);
		see(table, 1);
		parent = see(table, 2);
		child = see(table, 3);
		assert_ptr_not_equal(parent, child);
		assert_int_equal(parent->pid, 2);
		assert_int_equal(process_count(table), 2);
		process_table_free(table);
	}
}

/* --- each -------------------------------------------------------------------------------------------------
 */

struct sum {
	uint32_t pids;
	uint32_t stop_at;
};

static int add_pid(struct process *process, void *context)
{
	struct sum *sum = context;

	sum->pids += process->pid;
	return process->pid == sum->stop_at ? -5 : 0;
}

static void each_process(void **state)
{
	struct sum all = {0}, some = {.stop_at = 20};

	see(*state, 10);
	see(*state, 20);
	see(*state, 30);
	assert_int_equal(process_each(*state, add_pid, &all), 0);
	assert_int_equal(all.pids, 60);
	assert_int_equal(process_each(*state, add_pid, &some), -5);
	assert_int_equal(some.pids, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(seen_once, setup, teardown),
		cmocka_unit_test_setup_teardown(generations, setup, teardown),
		cmocka_unit_test_setup_teardown(refreshed, setup, teardown),
		cmocka_unit_test_setup_teardown(components_are_turned_round, setup, teardown),
		cmocka_unit_test_setup_teardown(longest_path, setup, teardown),
		cmocka_unit_test_setup_teardown(text_path, setup, teardown),
		cmocka_unit_test_setup_teardown(arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(described_again, setup, teardown),
		cmocka_unit_test_setup_teardown(oldest_makes_room, setup, teardown),
		cmocka_unit_test(never_less_than_two),
		cmocka_unit_test_setup_teardown(each_process, setup, teardown),
	};

	process_table_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
