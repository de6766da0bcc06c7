/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts, conflicts and remedies, from tables made by hand. That the rules are the kernel's is shown by
 * live/why_oracle; here each rule has a case, and each mismatch that was found on the way its name.
 */
#include "core/bind_conflict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_MAX 16

struct table {
	struct bind_inventory inventory;
	struct bind_row rows[ROWS_MAX];
	struct bind_conflict conflicts[ROWS_MAX];
	struct bind_verdict verdict;
	struct bind_wish wish;
};

static uint8_t family_of(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

static struct table table_for(const char *wish, uint16_t protocol)
{
	struct table table = {
		.inventory = {.answer = {.features = BIND_HAS_BIND2 | BIND_HAS_MAPPED_BIND2,
					 .unprivileged_start = 1024,
					 .bucket.found = 1},
			      .habits = {HABIT_NO, HABIT_NO}},
		.wish = {.family = family_of(wish), .port = 8080, .protocol = protocol, .privileged = true},
	};

	inet_pton(table.wish.family, wish, table.wish.addr);
	return table;
}

static void map(const uint8_t *v4, uint8_t *to)
{
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, v4, 4);
}

/* As the kernel would have it on the port. */
static struct bind_row *add(struct table *table, const char *address, uint8_t state, uint16_t flags)
{
	static const uint8_t loopback6[] = {127, 0, 0, 6}; /* LOOPBACK4_IPV6 */
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff}, none[16] = {0};
	struct bind_row *row = &table->rows[table->inventory.n_rows++];

	row->family = family_of(address);
	row->state = state;
	row->flags = flags;
	row->chain = table->wish.protocol == IPPROTO_UDP ? BIND_CHAIN_PORT : BIND_CHAIN_OWNERS;
	inet_pton(row->family, address, row->local_addr);
	memcpy(row->filed_addr, row->local_addr, sizeof(row->filed_addr));
	if (row->family == AF_INET) {
		memcpy(&row->local_v4, row->local_addr, 4);
		map(row->local_addr, row->filed_addr);
	} else if (!memcmp(row->local_addr, prefix, sizeof(prefix))) {
		memcpy(&row->local_v4, row->local_addr + 12, 4);
	} else if (memcmp(row->local_addr, none, sizeof(none))) {
		memcpy(&row->local_v4, loopback6, 4);
		row->flags |= BIND_ROW_V6ONLY;
	}
	table->inventory.rows = table->rows;
	return row;
}

static int verdict(struct table *table)
{
	table->inventory.rows = table->rows;
	bind_conflict_judge(&table->wish, &table->inventory, table->conflicts, &table->verdict);
	return table->verdict.error;
}

/* What one socket does to a plain TCP bind. */
static int between(const char *wish, const char *address, uint16_t flags)
{
	struct table table = table_for(wish, IPPROTO_TCP);

	add(&table, address, TCP_LISTEN, flags);
	return verdict(&table);
}

/* --- addresses --------------------------------------------------------------------------------------------
 */

static void wildcards_meet_specific_addresses(void **state)
{
	assert_int_equal(between("127.0.0.1", "127.0.0.1", 0), EADDRINUSE);
	assert_int_equal(between("127.0.0.1", "127.0.0.2", 0), 0);
	assert_int_equal(between("127.0.0.1", "0.0.0.0", 0), EADDRINUSE);
	assert_int_equal(between("0.0.0.0", "127.0.0.1", 0), EADDRINUSE);
	assert_int_equal(between("::1", "::", 0), EADDRINUSE);
	assert_int_equal(between("::", "::1", 0), EADDRINUSE);
	assert_int_equal(between("::1", "fd00::1", 0), 0);
}

static void families_meet_where_one_takes_both(void **state)
{
	assert_int_equal(between("127.0.0.1", "::", 0), EADDRINUSE);
	assert_int_equal(between("0.0.0.0", "::", 0), EADDRINUSE);
	assert_int_equal(between("::", "127.0.0.1", 0), EADDRINUSE);
	assert_int_equal(between("127.0.0.1", "::", BIND_ROW_V6ONLY), 0);
	assert_int_equal(between("0.0.0.0", "::", BIND_ROW_V6ONLY), 0);
	assert_int_equal(between("127.0.0.1", "::1", 0), 0);
	assert_int_equal(between("::1", "0.0.0.0", 0), 0);
	assert_int_equal(between("127.0.0.1", "::ffff:127.0.0.1", 0), EADDRINUSE);
	assert_int_equal(between("::ffff:127.0.0.1", "127.0.0.1", 0), EADDRINUSE);
	assert_int_equal(between("::ffff:127.0.0.1", "0.0.0.0", 0), EADDRINUSE);
}

static void v6only_of_the_wish_leaves_ipv4_alone(void **state)
{
	struct table table = table_for("::", IPPROTO_TCP);

	add(&table, "0.0.0.0", TCP_LISTEN, 0);
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_int_equal(table.conflicts[0].overlap, OVERLAP_OUR_DUAL);
	assert_int_equal(table.verdict.remedies, REMEDY_V6ONLY);
	table.wish.v6only = true;
	assert_int_equal(verdict(&table), 0);
}

/* A dual-stack socket that connected to an IPv6 peer has 127.0.0.6 as its IPv4 address, for the kernel. */
static void a_wildcard_meets_what_stands_for_no_ipv4_address(void **state)
{
	struct table table = table_for("0.0.0.0", IPPROTO_TCP);

	add(&table, "::1", TCP_ESTABLISHED, 0)->flags = 0;
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.wish.addr[0] = 127;
	table.wish.addr[3] = 6;
	assert_int_equal(verdict(&table), 0); /* looked for by address */
	table.inventory.answer.features = 0;
	assert_int_equal(verdict(&table), EADDRINUSE);
}

static void other_devices_are_out_of_the_way(void **state)
{
	struct table table = table_for("0.0.0.0", IPPROTO_TCP);

	add(&table, "0.0.0.0", TCP_LISTEN, 0)->device = 2;
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.wish.device = 3;
	assert_int_equal(verdict(&table), 0);
	table.wish.device = 2;
	assert_int_equal(verdict(&table), EADDRINUSE);
}

/* --- sharing ----------------------------------------------------------------------------------------------
 */

static int with_reuseaddr(uint8_t state, uint16_t flags)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);

	table.wish.reuseaddr = true;
	add(&table, "127.0.0.1", state, flags);
	return verdict(&table);
}

static void reuseaddr_shares_with_all_but_listeners(void **state)
{
	assert_int_equal(with_reuseaddr(TCP_LISTEN, BIND_ROW_REUSEADDR), EADDRINUSE);
	assert_int_equal(with_reuseaddr(TCP_CLOSE, BIND_ROW_REUSEADDR), 0);
	assert_int_equal(with_reuseaddr(TCP_ESTABLISHED, BIND_ROW_REUSEADDR), 0);
	assert_int_equal(with_reuseaddr(TCP_TIME_WAIT, BIND_ROW_REUSEADDR), 0);
	assert_int_equal(with_reuseaddr(TCP_TIME_WAIT, 0), EADDRINUSE);
	assert_int_equal(with_reuseaddr(TCP_CLOSE, BIND_ROW_REUSEPORT), EADDRINUSE);
}

static void reuseport_shares_with_the_same_user(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);
	struct bind_row *row = add(&table, "127.0.0.1", TCP_LISTEN, BIND_ROW_REUSEPORT);

	row->uid = 1000;
	table.wish.reuseport = true;
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_int_equal(table.conflicts[0].rule, RULE_REUSEPORT_USER);
	assert_int_equal(table.conflicts[0].remedies, REMEDY_USER);
	assert_int_equal(table.verdict.remedies, 0);
	table.wish.uid = 1000;
	assert_int_equal(verdict(&table), 0);
	table.wish.uid = 1001;
	row->state = TCP_TIME_WAIT; /* belongs to nobody any more */
	assert_int_equal(verdict(&table), 0);
}

static void an_orphan_was_roots_once(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);

	add(&table, "127.0.0.1", TCP_FIN_WAIT2, BIND_ROW_REUSEPORT | BIND_ROW_ORPHAN)->uid = 1000;
	table.wish.reuseport = true;
	table.wish.uid = 1000;
	assert_int_equal(verdict(&table), 0);
	table.inventory.orphans_are_root = true;
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.wish.uid = 0;
	assert_int_equal(verdict(&table), 0);
}

/* --- the bucket -------------------------------------------------------------------------------------------
 */

static void the_bucket_remembers_what_options_no_longer_say(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);

	add(&table, "127.0.0.1", TCP_CLOSE, 0); /* had SO_REUSEADDR when it was bound */
	table.wish.reuseaddr = true;
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.inventory.answer.bucket.fastreuse = 1;
	assert_int_equal(verdict(&table), 0);
	table.inventory.answer.bucket.fastreuse = -1; /* made by connect() */
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.inventory.answer.bucket.fastreuse = 1;
	table.wish.reuseaddr = false;
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_int_equal(table.verdict.remedies, REMEDY_REUSEADDR);
	assert_int_equal(table.conflicts[0].remedies, 0); /* nothing of it, that is: the bucket */
}

static void the_bucket_lets_one_user_in_without_looking(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);
	struct bind_bucket *bucket = &table.inventory.answer.bucket;

	add(&table, "127.0.0.1", TCP_LISTEN, 0);
	table.wish.reuseport = true;
	bucket->fastreuseport = 1; /* FASTREUSEPORT_ANY */
	assert_int_equal(verdict(&table), 0);
	bucket->fast_uid = 7;
	assert_int_equal(verdict(&table), EADDRINUSE);
	bucket->fast_uid = 0;
	bucket->fastreuseport = 2; /* FASTREUSEPORT_STRICT: only on that address */
	bucket->fast_family = AF_INET;
	bucket->fast_v4 = inet_addr("127.0.0.2");
	assert_int_equal(verdict(&table), EADDRINUSE);
	bucket->fast_v4 = inet_addr("127.0.0.1");
	assert_int_equal(verdict(&table), 0);
	bucket->fast_v4 = 0;
	assert_int_equal(verdict(&table), 0);
}

static void a_port_without_a_bucket_is_free(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);

	table.inventory.answer.bucket.found = 0;
	assert_int_equal(verdict(&table), 0);
}

/* --- before the port --------------------------------------------------------------------------------------
 */

static void low_ports_take_a_privilege(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);

	table.wish.privileged = false;
	assert_int_equal(verdict(&table), 0);
	table.wish.port = 80;
	assert_int_equal(verdict(&table), EACCES);
	assert_int_equal(table.verdict.remedies, REMEDY_PRIVILEGE);
	add(&table, "127.0.0.1", TCP_LISTEN, 0);
	assert_int_equal(verdict(&table), EACCES);
	assert_int_equal(table.verdict.remedies, 0);
	table.inventory.answer.unprivileged_start = 80;
	assert_int_equal(verdict(&table), EADDRINUSE);
}

static void each_family_refuses_in_its_own_order(void **state)
{
	struct table v4 = table_for("192.0.2.7", IPPROTO_TCP), v6 = table_for("2001:db8::7", IPPROTO_TCP);
	struct table group = table_for("ff02::1", IPPROTO_TCP);

	v4.wish.port = v6.wish.port = group.wish.port = 80;
	v4.wish.address_error = v6.wish.address_error = EADDRNOTAVAIL;
	group.wish.address_error = EINVAL;
	assert_int_equal(verdict(&v6), EADDRNOTAVAIL);
	v4.wish.privileged = v6.wish.privileged = group.wish.privileged = false;
	assert_int_equal(verdict(&v4), EADDRNOTAVAIL);
	assert_int_equal(verdict(&v6), EACCES);
	assert_int_equal(verdict(&group), EINVAL);
}

/* --- UDP --------------------------------------------------------------------------------------------------
 */

static void udp_knows_no_listeners(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_UDP);

	add(&table, "127.0.0.1", TCP_CLOSE, BIND_ROW_REUSEADDR);
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_int_equal(table.conflicts[0].rule, RULE_UDP);
	assert_int_equal(table.verdict.remedies, REMEDY_REUSEADDR);
	table.wish.reuseaddr = true;
	assert_int_equal(verdict(&table), 0);
}

/* udp_lib_lport_inuse() ends at the first that meets it, either way. */
static void udp_asks_the_first_in_the_chain(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_UDP);

	table.wish.reuseport = true;
	add(&table, "127.0.0.1", TCP_CLOSE, BIND_ROW_REUSEPORT);
	add(&table, "127.0.0.1", TCP_CLOSE, 0);
	assert_int_equal(verdict(&table), 0);
	table.rows[0].uid = 7;
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_int_equal(table.verdict.n_conflicts, 2);
}

static void make_long(struct table *table)
{
	table->inventory.answer.chain_length[BIND_CHAIN_PORT] = 11;
	table->inventory.answer.chain_length[BIND_CHAIN_ADDRESS] = 1;
	table->inventory.answer.chain_length[BIND_CHAIN_ANY] = 1;
}

static void udp_looks_by_address_in_a_long_slot(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_UDP);

	add(&table, "127.0.0.1", TCP_CLOSE, 0)->chain = BIND_CHAIN_PORT;
	make_long(&table);
	assert_int_equal(verdict(&table), 0); /* it is not where it is looked for: no kernel has that */
	add(&table, "127.0.0.1", TCP_CLOSE, 0)->chain = BIND_CHAIN_ADDRESS;
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_int_equal(table.verdict.n_conflicts, 1);
	table.rows[1].chain = BIND_CHAIN_ANY;
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.inventory.n_rows = 1;
	table.inventory.answer.chain_length[BIND_CHAIN_ADDRESS] = 12; /* longer still: by port after all */
	assert_int_equal(verdict(&table), EADDRINUSE);
}

/* Found by the oracle on 6.18 (WHY_SEED=49234088910758). */
static void udp_wildcards_in_a_long_slot_depend_on_the_kernel(void **state)
{
	struct table table = table_for("::ffff:0.0.0.0", IPPROTO_UDP);

	add(&table, "127.0.0.1", TCP_CLOSE, 0);
	make_long(&table);
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_false(table.verdict.unknown);
	table.inventory.habits.udp_wildcards_by_address = HABIT_YES;
	assert_int_equal(verdict(&table), 0);
	table.inventory.habits.udp_wildcards_by_address = HABIT_UNKNOWN;
	verdict(&table);
	assert_true(table.verdict.unknown);
	table.inventory.answer.chain_length[BIND_CHAIN_PORT] = 10;
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_false(table.verdict.unknown);
}

/* --- kernels ----------------------------------------------------------------------------------------------
 */

/* Found by the oracle on 6.1. */
static void a_mapped_address_beside_the_mapped_wildcard_depends_on_the_kernel(void **state)
{
	struct table table = table_for("::ffff:127.0.0.1", IPPROTO_TCP);

	add(&table, "::ffff:0.0.0.0", TCP_CLOSE, 0);
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.inventory.answer.features = BIND_HAS_BIND2;
	assert_int_equal(verdict(&table), EADDRINUSE);
	table.inventory.habits.mapped_by_address = HABIT_YES;
	assert_int_equal(verdict(&table), 0);
	table.inventory.habits.mapped_by_address = HABIT_UNKNOWN;
	verdict(&table);
	assert_true(table.verdict.unknown);
	table.rows[0].family = AF_INET;
	table.rows[0].flags |= BIND_ROW_FILED_V4; /* 0.0.0.0 it does not pass by */
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_false(table.verdict.unknown);
}

/* Found by the oracle on 6.1: 127.0.0.1 and ::ffff:127.0.0.1 share a bucket, of the family that came first.
 */
static void both_forms_of_an_address_share_a_bucket(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);
	struct bind_row *row = add(&table, "::ffff:127.0.0.1", TCP_LISTEN, 0);

	table.inventory.answer.features = BIND_HAS_BIND2;
	row->flags |= BIND_ROW_FILED_V4;
	assert_int_equal(verdict(&table), EADDRINUSE);
	row->flags &= (uint16_t)~BIND_ROW_FILED_V4;
	assert_int_equal(verdict(&table), EADDRINUSE);
}

/* --- who is in the way ------------------------------------------------------------------------------------
 */

static void all_in_the_way_are_listed(void **state)
{
	static const enum bind_rule rules[] = {RULE_LISTENER, RULE_BOUND, RULE_CONNECTION, RULE_TIME_WAIT};
	static const uint8_t states[] = {TCP_LISTEN, TCP_CLOSE, TCP_ESTABLISHED, TCP_TIME_WAIT};
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);

	add(&table, "127.0.0.2", TCP_LISTEN, 0); /* not in the way */
	for (size_t i = 0; i < 4; i++)
		add(&table, i % 2 ? "0.0.0.0" : "127.0.0.1", states[i], BIND_ROW_REUSEADDR);
	assert_int_equal(verdict(&table), EADDRINUSE);
	assert_int_equal(table.verdict.n_conflicts, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(table.conflicts[i].row, i + 1);
		assert_int_equal(table.conflicts[i].rule, rules[i]);
		assert_int_equal(table.conflicts[i].overlap, i % 2 ? OVERLAP_THEIR_WILDCARD : OVERLAP_SAME);
		assert_int_equal(table.conflicts[i].remedies, i ? REMEDY_REUSEADDR : 0);
		assert_non_null(bind_rule_name(table.conflicts[i].rule));
		assert_non_null(bind_overlap_name(table.conflicts[i].overlap));
	}
	assert_int_equal(table.verdict.remedies, 0); /* the listener stays */
}

static void the_verdict_alone_needs_no_room(void **state)
{
	struct table table = table_for("127.0.0.1", IPPROTO_TCP);
	struct bind_verdict alone;

	add(&table, "127.0.0.1", TCP_LISTEN, 0);
	bind_conflict_judge(&table.wish, &table.inventory, NULL, &alone);
	assert_int_equal(alone.error, EADDRINUSE);
	assert_int_equal(alone.n_conflicts, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_meet_specific_addresses),
		cmocka_unit_test(families_meet_where_one_takes_both),
		cmocka_unit_test(v6only_of_the_wish_leaves_ipv4_alone),
		cmocka_unit_test(a_wildcard_meets_what_stands_for_no_ipv4_address),
		cmocka_unit_test(other_devices_are_out_of_the_way),
		cmocka_unit_test(reuseaddr_shares_with_all_but_listeners),
		cmocka_unit_test(reuseport_shares_with_the_same_user),
		cmocka_unit_test(an_orphan_was_roots_once),
		cmocka_unit_test(the_bucket_remembers_what_options_no_longer_say),
		cmocka_unit_test(the_bucket_lets_one_user_in_without_looking),
		cmocka_unit_test(a_port_without_a_bucket_is_free),
		cmocka_unit_test(low_ports_take_a_privilege),
		cmocka_unit_test(each_family_refuses_in_its_own_order),
		cmocka_unit_test(udp_knows_no_listeners),
		cmocka_unit_test(udp_asks_the_first_in_the_chain),
		cmocka_unit_test(udp_looks_by_address_in_a_long_slot),
		cmocka_unit_test(udp_wildcards_in_a_long_slot_depend_on_the_kernel),
		cmocka_unit_test(a_mapped_address_beside_the_mapped_wildcard_depends_on_the_kernel),
		cmocka_unit_test(both_forms_of_an_address_share_a_bucket),
		cmocka_unit_test(all_in_the_way_are_listed),
		cmocka_unit_test(the_verdict_alone_needs_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
