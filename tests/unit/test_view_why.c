/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer as text and as JSON, to the byte, where live/why_situations cannot make it: units, containers,
 * hostile names, many of one kind, doubts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model_fixture.h"
#include "view/why.h"

#define PORT	 8080
#define ROWS_MAX 8

struct stage {
	struct fixture *f;
	struct bind_wish wish;
	struct bind_inventory inventory;
	struct bind_row rows[ROWS_MAX];
	struct bind_conflict conflicts[ROWS_MAX];
	struct why_answer answer;
	struct port_spec spec;
};

static void prepare(struct stage *stage, struct fixture *f)
{
	*stage = (struct stage){
		.f = f,
		.wish = {.family = AF_INET, .port = PORT, .protocol = IPPROTO_TCP, .privileged = true},
		.inventory = {.answer = {.unprivileged_start = 1024, .bucket.found = 1}, .hz = 250},
		.spec = {.port = PORT},
	};
	apply_meta(f, META_USER, 0, "root");
	apply_meta(f, META_USER, 1000, "alice");
}

static struct bind_row *add(struct stage *stage, uint64_t cookie, uint8_t state)
{
	struct bind_row *row = &stage->rows[stage->inventory.n_rows++];

	*row = (struct bind_row){.cookie = cookie, .family = AF_INET, .state = state};
	return row;
}

/* In the tables, listening. */
static void hold(struct stage *stage, uint64_t cookie, uint32_t pid, const char *comm)
{
	union any_record *record = &stage->f->record;

	make_fact(record, REC_LISTEN, pid, cookie, PORT);
	record->fact.socket.state = TCP_LISTEN;
	if (comm)
		snprintf(record->fact.task.comm, sizeof(record->fact.task.comm), "%s", comm);
	apply(stage->f);
	add(stage, cookie, TCP_LISTEN);
}

/* To be freed. */
static char *answer(struct stage *stage, bool json, bind_doubts doubts)
{
	struct why_answer *to = &stage->answer;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	stage->inventory.rows = stage->rows;
	to->who.list.json = json;
	to->who.spec = &stage->spec;
	to->who.home_netns = TEST_NETNS;
	to->wish = &stage->wish;
	to->inventory = &stage->inventory;
	to->conflicts = stage->conflicts;
	bind_conflict_judge(&stage->wish, &stage->inventory, stage->conflicts, &to->verdict);
	to->outcome = bind_outcome(&to->verdict, doubts, &to->doubt);
	assert_non_null(out);
	assert_int_equal(why_print(out, stage->f->model, to), 0);
	fclose(out);
	return text;
}

static void expect(struct stage *stage, bool json, bind_doubts doubts, const char *expected)
{
	char *text = answer(stage, json, doubts);

	assert_string_equal(text, expected);
	free(text);
}

#define ASKED "    asked as user root, without SO_REUSEADDR and SO_REUSEPORT\n"

static void a_service_is_stopped_by_its_unit(void **state)
{
	struct stage stage;

	prepare(&stage, *state);
	apply_meta(stage.f, META_CGROUP, 5, "/system.slice/nginx.service");
	hold(&stage, 11, 7, NULL);
	apply_fork(stage.f, 7, 8);
	expect(&stage, false, 0,
	       "no: tcp 0.0.0.0:8080 cannot be bound now (EADDRINUSE): 1 socket is in the way\n" ASKED "\n"
	       "tcp 0.0.0.0:8080  listen\n"
	       "    in the way: it listens on the same address\n"
	       "    what helps: systemctl stop nginx.service\n"
	       "    p7(7)  alice\n"
	       "        nginx.service\n"
	       "    p7(8)  alice  inherited it\n"
	       "        nginx.service\n"
	       "        p7(8) ← p7(7)\n");
}

static void a_name_cannot_reach_the_terminal(void **state)
{
	struct stage stage;
	char *text;

	prepare(&stage, *state);
	hold(&stage, 11, 7, "ev\x1b[2Jil");
	text = answer(&stage, false, 0);
	assert_non_null(strstr(text, "what helps: end ev\\x1b[2Jil(7)\n"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	text = answer(&stage, true, 0);
	assert_null(strchr(text, '\x1b'));
	free(text);
}

/* Three of each kind; -v shows the rest. */
static void many_of_one_kind(void **state)
{
	struct stage stage;
	char *text;

	prepare(&stage, *state);
	for (uint64_t i = 0; i < 5; i++) {
		struct bind_row *row = add(&stage, 0, TCP_TIME_WAIT);

		row->flags = BIND_ROW_TIMER | BIND_ROW_ORPHAN | BIND_ROW_REUSEADDR;
		row->left_jiffies = 250 * 9;
		row->peer_port = (uint16_t)(40000 + i);
	}
	text = answer(&stage, false, 0);
	assert_non_null(strstr(text, "(EADDRINUSE): 5 sockets are in the way\n"));
	assert_non_null(strstr(text, "    what helps: set SO_REUSEADDR in the program that asks\n"));
	assert_non_null(strstr(text, "leaves behind, gone in 10 s\n"));
	assert_non_null(strstr(text, ":40002"));
	assert_null(strstr(text, ":40003"));
	assert_non_null(strstr(text, "\n2 more of this kind (time-wait); -v shows them\n"));
	free(text);
	stage.answer.who.list.view.verbose = true;
	text = answer(&stage, false, 0);
	assert_non_null(strstr(text, ":40004"));
	assert_null(strstr(text, "more of this kind"));
	free(text);
}

static void a_timer_that_nobody_can_read(void **state)
{
	struct stage stage;
	char *text;

	prepare(&stage, *state);
	stage.inventory.hz = 0;
	add(&stage, 0, TCP_TIME_WAIT)->flags = BIND_ROW_TIMER | BIND_ROW_ORPHAN;
	text = answer(&stage, false, 0);
	assert_non_null(strstr(text, "gone within 60 s\n"));
	assert_non_null(strstr(text, "what helps: wait 60 s\n"));
	free(text);
}

static void listeners_come_first(void **state)
{
	struct stage stage;
	char *text;

	prepare(&stage, *state);
	add(&stage, 0, TCP_TIME_WAIT)->flags = BIND_ROW_ORPHAN;
	add(&stage, 0, TCP_ESTABLISHED);
	add(&stage, 0, TCP_CLOSE);
	add(&stage, 0, TCP_LISTEN);
	text = answer(&stage, false, 0);
	assert_true(strstr(text, "  listen\n") < strstr(text, "  bound\n"));
	assert_true(strstr(text, "  bound\n") < strstr(text, "  established\n"));
	assert_true(strstr(text, "  established\n") < strstr(text, "  time_wait\n"));
	free(text);
}

static void doubts_are_told(void **state)
{
	struct stage stage;

	prepare(&stage, *state);
	stage.answer.pid = 7;
	stage.answer.doubt_label = "docker-default (enforce)";
	expect(&stage, false, 1u << DOUBT_LSM,
	       "unknown: tcp 0.0.0.0:8080: a security module confines the process, and may forbid it: "
	       "docker-default (enforce)\n"
	       "    asked as process 7, as user root, without SO_REUSEADDR and SO_REUSEPORT\n");
	expect(&stage, true, 1u << DOUBT_LSM,
	       "{\"row\":\"verdict\",\"network\":{\"transport\":\"tcp\",\"type\":\"ipv4\",\"local\":{"
	       "\"address\":"
	       "\"0.0.0.0\",\"port\":8080}},\"portsnoop\":{\"netns\":4026531840,\"unknown\":\"a security "
	       "module "
	       "confines the process, and may forbid it\"}}\n");
}

static void what_is_refused_early(void **state)
{
	struct stage stage;

	prepare(&stage, *state);
	stage.wish.port = stage.spec.port = 80;
	stage.wish.uid = 1000;
	stage.wish.privileged = false;
	stage.answer.who.list.view.numeric = true;
	expect(&stage, false, 0,
	       "no: tcp 0.0.0.0:80 cannot be bound now (EACCES): ports below 1024 take CAP_NET_BIND_SERVICE "
	       "in the "
	       "user namespace of this network namespace\n"
	       "    asked as user 1000, without SO_REUSEADDR and SO_REUSEPORT\n"
	       "    what helps: give it CAP_NET_BIND_SERVICE (systemd: "
	       "AmbientCapabilities=CAP_NET_BIND_SERVICE)\n"
	       "            or: sysctl net.ipv4.ip_unprivileged_port_start=80 in this network namespace\n"
	       "            or: ask for a port from 1024 on\n");
	stage.wish.privileged = true;
	stage.wish.address_error = EADDRNOTAVAIL;
	expect(&stage, true, 0,
	       "{\"row\":\"verdict\",\"network\":{\"transport\":\"tcp\",\"type\":\"ipv4\",\"local\":{"
	       "\"address\":"
	       "\"0.0.0.0\",\"port\":80}},\"error\":{\"type\":\"EADDRNOTAVAIL\"},\"portsnoop\":{\"netns\":"
	       "4026531840,"
	       "\"would_bind\":false,\"reason\":\"no address of this network namespace\",\"remedies\":[\"ask "
	       "for an "
	       "address "
	       "that `ip address` lists\",\"set IP_FREEBIND in the program that asks, or sysctl "
	       "net.ipv4.ip_nonlocal_bind=1\"]}}\n");
}

/* Of UDP, not that TCP has no multicast. */
static void what_no_interface_is_named_for(void **state)
{
	static const struct {
		uint8_t first, second;
		uint16_t protocol;
		const char *words;
	} cases[] = {
		{0xff, 0x02, IPPROTO_UDP, "(EINVAL): a link-local multicast address needs an interface\n"},
		{0xff, 0x02, IPPROTO_TCP, "(EINVAL): a TCP socket cannot have a multicast address\n"},
		{0xfe, 0x80, IPPROTO_UDP, "(EINVAL): a link-local address needs an interface\n"},
		{0x20, 0x01, IPPROTO_UDP,
		 "(EINVAL): the kernel does not take this address for such a socket\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage stage;
		char *text;

		prepare(&stage, *state);
		stage.wish.family = AF_INET6;
		stage.wish.protocol = cases[i].protocol;
		stage.wish.addr[0] = cases[i].first;
		stage.wish.addr[1] = cases[i].second;
		stage.wish.address_error = EINVAL;
		text = answer(&stage, false, 0);
		assert_non_null(strstr(text, cases[i].words));
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_service_is_stopped_by_its_unit, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_cannot_reach_the_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(many_of_one_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(a_timer_that_nobody_can_read, setup, teardown),
		cmocka_unit_test_setup_teardown(listeners_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(doubts_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_early, setup, teardown),
		cmocka_unit_test_setup_teardown(what_no_interface_is_named_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
