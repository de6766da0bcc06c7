/* SPDX-License-Identifier: GPL-2.0-only */
/* A bind that failed as a question, and those in its way as a record. */
#include "core/bind_failure.h"
#include "core/record.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 20

static struct rec_bind failed_bind(void)
{
	return (struct rec_bind){
		.fact = {.header = {.size = sizeof(struct rec_bind),
				    .kind = REC_BIND,
				    .source = SOURCE_EVENT,
				    .probe = PROBE_TRACEPOINT,
				    .flags = REC_F_TASK | REC_F_SOCKET | BIND_F_REQUESTED,
				    .time_ns = 5},
			 .task = {.pid = 7, .start_ns = 70, .uid = 33, .comm = "nginx"},
			 .socket = {.cookie = 3,
				    .creator_pid = 7,
				    .creator_start_ns = 70,
				    .netns = 9,
				    .local_addr = {127, 0, 0, 1},
				    .local_port = 8080,
				    .protocol = IPPROTO_TCP,
				    .family = AF_INET,
				    .options = SOCKOPT_REUSEPORT,
				    .device = 4}},
		.error = EADDRINUSE,
		.requested_port = 8080,
	};
}

static void cause(void **state)
{
	struct rec_bind bind = failed_bind();

	assert_true(bind_failure_has_cause(&bind.fact.header));
	bind.fact.socket.protocol = IPPROTO_UDP;
	assert_true(bind_failure_has_cause(&bind.fact.header));
	bind.fact.socket.protocol = IPPROTO_SCTP;
	assert_false(bind_failure_has_cause(&bind.fact.header));
	bind = failed_bind();
	bind.error = EACCES;
	assert_false(bind_failure_has_cause(&bind.fact.header));
	bind = failed_bind();
	bind.requested_port = 0; /* the range is used up: nobody in particular */
	assert_false(bind_failure_has_cause(&bind.fact.header));
	bind = failed_bind();
	bind.fact.header.flags &= ~BIND_F_REQUESTED;
	assert_false(bind_failure_has_cause(&bind.fact.header));
	bind = failed_bind();
	bind.fact.header.kind = REC_LISTEN;
	assert_false(bind_failure_has_cause(&bind.fact.header));
}

static void question(void **state)
{
	struct rec_bind bind = failed_bind();
	struct bind_wish wish = bind_failure_wish(&bind);

	assert_int_equal(wish.port, 8080);
	assert_int_equal(wish.protocol, IPPROTO_TCP);
	assert_int_equal(wish.uid, 33);
	assert_int_equal(wish.device, 4);
	assert_true(wish.reuseport && !wish.reuseaddr && !wish.v6only);
	assert_memory_equal(wish.addr, bind.fact.socket.local_addr, 16);
	bind.fact.socket.protocol = IPPROTO_MPTCP; /* its ports are TCP's */
	wish = bind_failure_wish(&bind);
	assert_int_equal(wish.protocol, IPPROTO_TCP);
}

struct found {
	struct bind_row rows[ROWS];
	struct bind_conflict conflicts[ROWS];
	struct bind_inventory inventory;
	size_t n;
};

static void find(struct found *found, uint64_t cookie, uint8_t state, enum bind_rule rule)
{
	found->rows[found->n] = (struct bind_row){.cookie = cookie, .family = AF_INET, .state = state};
	found->conflicts[found->n] = (struct bind_conflict){.row = found->n, .rule = rule};
	found->inventory.rows = found->rows;
	found->inventory.n_rows = ++found->n;
}

static struct rec_conflicts answer(const struct found *found, const struct rec_bind *bind)
{
	struct rec_conflicts record;
	struct record decoded;

	bind_failure_answer(bind, &found->inventory, found->conflicts, found->n, 0, &record);
	assert_int_equal(record_decode(&record, record.fact.header.size, &decoded), 0);
	assert_true(record_is_public(decoded.header->kind));
	return record;
}

/* What can be stopped comes first, and what does not fit is counted. */
static void order(void **state)
{
	struct rec_bind bind = failed_bind();
	struct rec_conflicts record;
	struct found found = {.n = 0};

	for (uint64_t i = 0; i < ROWS - 2; i++)
		find(&found, 100 + i, TCP_ESTABLISHED, RULE_CONNECTION);
	find(&found, 50, TCP_CLOSE, RULE_BOUND);
	find(&found, 40, TCP_LISTEN, RULE_LISTENER);
	record = answer(&found, &bind);
	assert_int_equal(record.n, CONFLICTS_MAX);
	assert_int_equal(record.total, ROWS);
	assert_int_equal(record.conflicts[0].cookie, 40);
	assert_int_equal(record.conflicts[1].cookie, 50);
	assert_int_equal(record.conflicts[2].cookie, 100);
	assert_int_equal(record.fact.header.size, sizeof(record));
	assert_int_equal(record.fact.header.source, SOURCE_POLL);
	assert_int_equal(record.fact.header.flags & BIND_F_REQUESTED, 0);
	assert_int_equal(record.fact.socket.cookie, 3);
	assert_int_equal(record.fact.task.pid, 7);
}

static void time_wait(void **state)
{
	struct rec_bind bind = failed_bind();
	struct rec_conflicts record;
	struct found found = {.inventory.hz = 250};

	find(&found, 1, TCP_TIME_WAIT, RULE_TIME_WAIT);
	found.rows[0].flags = BIND_ROW_TIMER | BIND_ROW_ORPHAN | BIND_ROW_REUSEADDR;
	found.rows[0].left_jiffies = 250 * 41 + 10;
	record = answer(&found, &bind);
	assert_int_equal(record.conflicts[0].left_s, 42);
	assert_int_equal(record.conflicts[0].flags, CONFLICT_F_ORPHAN);
	assert_int_equal(record.conflicts[0].options, SOCKOPT_REUSEADDR);
	found.inventory.hz = 0;
	record = answer(&found, &bind);
	assert_int_equal(record.conflicts[0].left_s, 0);
}

/* The next try of the same socket may have succeeded before anybody looked. */
static void itself(void **state)
{
	struct rec_bind bind = failed_bind();
	struct rec_conflicts record;
	struct found found = {.n = 0};

	find(&found, 3, TCP_LISTEN, RULE_LISTENER);
	record = answer(&found, &bind);
	assert_int_equal(record.n, 0);
	assert_int_equal(record.total, 0);
}

/* The rule goes by who made the socket; the record has only who bound it. */
static void other_user(void **state)
{
	struct rec_bind bind = failed_bind();
	struct found found = {.n = 0};

	find(&found, 8, TCP_LISTEN, RULE_REUSEPORT_USER);
	assert_int_equal(answer(&found, &bind).n, 1);
	bind.fact.socket.creator_pid = 6;
	assert_int_equal(answer(&found, &bind).n, 0);
}

static void unread(void **state)
{
	struct rec_bind bind = failed_bind();
	struct rec_conflicts record;
	struct record decoded;

	bind_failure_answer(&bind, NULL, NULL, 0, EPERM, &record);
	assert_int_equal(record.error, EPERM);
	assert_int_equal(record.fact.header.size, CONFLICTS_SIZE(0));
	assert_int_equal(record_decode(&record, record.fact.header.size, &decoded), 0);
}

/* From a recording it may be anything. */
static void damaged(void **state)
{
	struct rec_bind bind = failed_bind();
	struct found found = {.n = 0};
	struct rec_conflicts record, good;
	struct record decoded;

	find(&found, 8, TCP_LISTEN, RULE_LISTENER);
	good = record = answer(&found, &bind);
	record.n = 2;
	record.total = 2;
	assert_int_equal(record_decode(&record, record.fact.header.size, &decoded), -EBADMSG);
	record = good;
	record.total = 0;
	assert_int_equal(record_decode(&record, record.fact.header.size, &decoded), -EBADMSG);
	record = good;
	record.conflicts[0].rule = RULE_COUNT;
	assert_int_equal(record_decode(&record, record.fact.header.size, &decoded), -EBADMSG);
	record = good;
	record.conflicts[0].overlap = OVERLAP_COUNT;
	assert_int_equal(record_decode(&record, record.fact.header.size, &decoded), -EBADMSG);
	record = good;
	record.conflicts[0].family = AF_UNIX;
	assert_int_equal(record_decode(&record, record.fact.header.size, &decoded), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cause),     cmocka_unit_test(question), cmocka_unit_test(order),
		cmocka_unit_test(time_wait), cmocka_unit_test(itself),	 cmocka_unit_test(other_user),
		cmocka_unit_test(unread),    cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
