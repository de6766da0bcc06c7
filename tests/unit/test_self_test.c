/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing but the act's own record is taken for it. */
#include "core/self_test.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define NETNS  7
#define PID_NS 8
#define PID    100  /* as we know ourselves */
#define HOST   1100 /* as the kernel does */
#define COOKIE 5

static struct self_test new_test(void)
{
	return (struct self_test){.netns = NETNS, .pid_ns = PID_NS, .pid = PID, .kernel_pid = HOST};
}

static struct expectation of_bind(void)
{
	return (struct expectation){.fact = FACT_BIND,
				    .act = "a bind",
				    .kind = REC_BIND,
				    .actor = ACTOR_SELF,
				    .cookie = COOKIE,
				    .local_port = 80};
}

static struct rec_bind new_bind(void)
{
	return (struct rec_bind){
		.fact = {.header = {.size = sizeof(struct rec_bind),
				    .kind = REC_BIND,
				    .flags = REC_F_TASK | REC_F_SOCKET},
			 .task = {.pid = HOST},
			 .socket = {.cookie = COOKIE, .netns = NETNS, .local_port = 80, .family = AF_INET}}};
}

static struct self_test_result result_after(const struct rec_bind *record)
{
	struct self_test test = new_test();

	self_test_expect(&test, of_bind());
	self_test_see(&test, record, sizeof(*record));
	assert_int_equal(self_test_is_over(&test), test.expectations[0].came);
	return self_test_result_of(&test, FACT_BIND, false);
}

static void expect_silent(const struct rec_bind *record, const char *reason)
{
	struct self_test_result result = result_after(record);

	assert_int_equal(result.outcome, SELF_TEST_SILENT);
	assert_string_equal(result.reason, reason);
}

static void test_fires(void **state)
{
	struct rec_bind record = new_bind();

	assert_int_equal(result_after(&record).outcome, SELF_TEST_FIRED);
}

/* Of another socket, namespace or kind: it is not about our act at all. */
static void test_of_others(void **state)
{
	struct rec_bind record = new_bind();

	record.fact.socket.cookie++;
	expect_silent(&record, "a bind: no event");
	record = new_bind();
	record.fact.socket.netns++;
	expect_silent(&record, "a bind: no event");
	record = new_bind();
	record.fact.header.kind = REC_LISTEN; /* of the same size */
	expect_silent(&record, "a bind: no event");
	record = new_bind();
	record.fact.header.flags |= REC_F_LATE;
	expect_silent(&record, "a bind: no event");
	record = new_bind();
	record.fact.header.size -= 8; /* damaged */
	expect_silent(&record, "a bind: no event");
}

/* About our socket, but not what we did. */
static void test_wrong(void **state)
{
	static const char wrong[] = "a bind: told with another port, error or process";
	struct rec_bind record = new_bind();

	record.fact.task.pid = PID; /* another process of the host */
	expect_silent(&record, wrong);
	record = new_bind();
	record.fact.header.flags = REC_F_SOCKET; /* nobody */
	expect_silent(&record, wrong);
	record = new_bind();
	record.fact.socket.local_port++;
	expect_silent(&record, wrong);
	record = new_bind();
	record.error = EADDRINUSE;
	expect_silent(&record, wrong);
}

/* In a container our pid is another one outside: our own name record says which. */
static void test_learns_its_pid(void **state)
{
	struct self_test test = new_test();
	struct rec_process name = {.header = {.size = sizeof(name), .kind = REC_PROCESS, .flags = REC_F_TASK},
				   .task = {.pid = 1},
				   .pid_ns = PID_NS + 1,
				   .ns_pid = PID};
	struct rec_bind record = new_bind();

	test.kernel_pid = 0;
	self_test_expect(&test, of_bind());
	self_test_see(&test, &name, sizeof(name)); /* somebody with our number in another namespace */
	self_test_see(&test, &record, sizeof(record));
	assert_false(self_test_is_over(&test));
	name.pid_ns = PID_NS;
	name.task.pid = HOST;
	self_test_see(&test, &name, sizeof(name));
	self_test_see(&test, &record, sizeof(record));
	assert_true(self_test_is_over(&test));
}

/* What has no cookie is known by both ports. */
static void test_refusal(void **state)
{
	struct self_test test = new_test();
	struct rec_refuse record = {
		.fact = {.header = {.size = sizeof(record), .kind = REC_REFUSE, .flags = REC_F_SOCKET},
			 .socket = {.netns = NETNS, .local_port = 80, .peer_port = 4000, .family = AF_INET}}};

	self_test_expect(&test, (struct expectation){.fact = FACT_REFUSE,
						     .act = "a SYN",
						     .kind = REC_REFUSE,
						     .local_port = 80,
						     .peer_port = 4001});
	self_test_see(&test, &record, sizeof(record));
	assert_false(self_test_is_over(&test));
	record.fact.socket.peer_port = 4001;
	self_test_see(&test, &record, sizeof(record));
	assert_true(self_test_is_over(&test));
}

static struct rec_lifecycle life(enum rec_kind kind, uint32_t pid, uint32_t child)
{
	return (struct rec_lifecycle){
		.header = {.size = sizeof(struct rec_lifecycle), .kind = (uint8_t)kind, .flags = REC_F_TASK},
		.task = {.pid = pid},
		.child_pid = child};
}

/* The child is the one that our own fork names. */
static void test_child(void **state)
{
	struct self_test test = new_test();
	struct rec_lifecycle record;

	self_test_expect(&test, (struct expectation){.fact = FACT_PROCESS,
						     .act = "an exit",
						     .kind = REC_EXIT,
						     .actor = ACTOR_CHILD});
	record = life(REC_FORK, HOST + 1, 42);
	self_test_see(&test, &record, sizeof(record));
	record = life(REC_EXIT, 42, 0);
	self_test_see(&test, &record, sizeof(record));
	assert_false(self_test_is_over(&test));
	record = life(REC_FORK, HOST, 43);
	self_test_see(&test, &record, sizeof(record));
	record = life(REC_EXIT, 43, 0);
	self_test_see(&test, &record, sizeof(record));
	assert_true(self_test_is_over(&test));
}

/* Two acts of one fact: both must come, unless a part of the fact is known to be unseen. */
static void test_parts(void **state)
{
	struct self_test test = new_test();
	struct rec_bind record = new_bind();
	struct expectation second = of_bind();

	second.cookie++;
	second.act = "another bind";
	self_test_expect(&test, of_bind());
	self_test_expect(&test, second);
	self_test_see(&test, &record, sizeof(record));
	assert_int_equal(self_test_result_of(&test, FACT_BIND, false).outcome, SELF_TEST_SILENT);
	assert_int_equal(self_test_result_of(&test, FACT_BIND, true).outcome, SELF_TEST_FIRED);
	record.fact.socket.cookie++;
	record.fact.socket.local_port++;
	self_test_see(&test, &record, sizeof(record)); /* a wrong one is no gap */
	assert_int_equal(self_test_result_of(&test, FACT_BIND, true).outcome, SELF_TEST_SILENT);
}

static void test_skipped(void **state)
{
	struct self_test test = new_test();

	self_test_skip(&test, FACT_BIND, "%s", "the first reason");
	self_test_skip(&test, FACT_BIND, "%s", "the second reason");
	assert_int_equal(self_test_result_of(&test, FACT_BIND, false).outcome, SELF_TEST_SKIPPED);
	assert_string_equal(self_test_result_of(&test, FACT_BIND, false).reason, "the first reason");
	test.unhooked = 1u << FACT_CLOSE;
	self_test_expect(&test, (struct expectation){.fact = FACT_CLOSE, .kind = REC_CLOSE});
	assert_true(self_test_is_over(&test));
	assert_string_equal(self_test_result_of(&test, FACT_CLOSE, false).reason, "there is no hook");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fires),	cmocka_unit_test(test_of_others),
		cmocka_unit_test(test_wrong),	cmocka_unit_test(test_learns_its_pid),
		cmocka_unit_test(test_refusal), cmocka_unit_test(test_child),
		cmocka_unit_test(test_parts),	cmocka_unit_test(test_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
