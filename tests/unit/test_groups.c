/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups of links: each entirely or not at all, and what is to blame. Links are numbers here. */
#include "source/groups.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct bpf_link *link_of(uintptr_t number)
{
	return (struct bpf_link *)number;
}

static uint32_t destroyed; /* a bit for each number */

/* In place of libbpf's. */
int bpf_link__destroy(struct bpf_link *link)
{
	uint32_t bit = 1u << (uintptr_t)link;

	assert_false(destroyed & bit);
	destroyed |= bit;
	return 0;
}

static int begin(void **state)
{
	destroyed = 0;
	return 0;
}

/* Behind those that are there already. */
static void test_whole(void **state)
{
	struct bpf_link *links[8] = {link_of(9)};
	struct functions_told told;
	struct groups groups = {0};
	unsigned n_links = 1;

	groups_add(&groups, TOLD_BIND | TOLD_BIND_ERROR, link_of(1));
	groups_add(&groups, TOLD_LISTEN, link_of(2));
	told = groups_settle(&groups, TOLD_BIND | TOLD_BIND_ERROR | TOLD_LISTEN, links, &n_links);
	assert_int_equal(told.told, TOLD_BIND | TOLD_BIND_ERROR | TOLD_LISTEN);
	assert_int_equal(n_links, 3);
	assert_ptr_equal(links[0], link_of(9));
	assert_ptr_equal(links[1], link_of(1));
	assert_ptr_equal(links[2], link_of(2));
	assert_int_equal(destroyed, 0);
	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		assert_int_equal(told.errors[group], 0);
}

/* What lacks a part goes, whether that failed before or after; the others stay. */
static void test_part_missing(void **state)
{
	struct functions_told told;
	struct groups groups = {0};
	struct bpf_link *links[8];
	unsigned n_links = 0;

	groups_add(&groups, TOLD_LISTEN, link_of(1));
	groups_fail(&groups, TOLD_LISTEN, EPERM);
	groups_fail(&groups, TOLD_LISTEN, EINVAL); /* the first counts */
	groups_add(&groups, TOLD_LISTEN, link_of(2));
	groups_add(&groups, TOLD_ACCEPT, link_of(3));
	told = groups_settle(&groups, TOLD_LISTEN | TOLD_ACCEPT, links, &n_links);
	assert_int_equal(told.told, TOLD_ACCEPT);
	assert_int_equal(told.errors[1], EPERM);
	assert_int_equal(told.errors[4], 0);
	assert_int_equal(n_links, 1);
	assert_ptr_equal(links[0], link_of(3));
	assert_int_equal(destroyed, 1u << 1 | 1u << 2);
}

/* A link of two groups is of no use to one. */
static void test_two_groups(void **state)
{
	struct functions_told told;
	struct groups groups = {0};
	struct bpf_link *links[8];
	unsigned n_links = 0;

	groups_add(&groups, TOLD_BIND | TOLD_BIND_ERROR, link_of(4));
	groups_fail(&groups, TOLD_BIND | TOLD_BIND_ERROR, ENOENT);
	told = groups_settle(&groups, TOLD_BIND | TOLD_BIND_ERROR, links, &n_links);
	assert_int_equal(told.told, 0);
	assert_int_equal(told.errors[0], ENOENT);
	assert_int_equal(told.errors[5], ENOENT);
	assert_int_equal(n_links, 0);
	assert_int_equal(destroyed, 1u << 4);
}

/* Wanted, and nothing of it was there to attach; what nobody wants has no error. */
static void test_nothing_there(void **state)
{
	struct groups groups = {0};
	struct functions_told told;
	struct bpf_link *links[8];
	unsigned n_links = 0;

	told = groups_settle(&groups, TOLD_CONNECT, links, &n_links);
	assert_int_equal(told.told, 0);
	assert_int_equal(told.errors[2], ENOENT);
	assert_int_equal(told.errors[3], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_whole, begin),
		cmocka_unit_test_setup(test_part_missing, begin),
		cmocka_unit_test_setup(test_two_groups, begin),
		cmocka_unit_test_setup(test_nothing_there, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
