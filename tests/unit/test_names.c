/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct names *make_names(size_t max_names)
{
	struct names *names = names_new(max_names);

	assert_non_null(names);
	return names;
}

static void put(struct names *names, enum meta_type type, uint64_t key, const char *text)
{
	assert_int_equal(names_put(names, type, key, text), 0);
}

static void type_and_key(void **state)
{
	struct names *names = make_names(100);

	assert_null(names_get(names, META_USER, 0));
	put(names, META_USER, 0, "root");
	put(names, META_USER, 33, "www-data");
	put(names, META_CGROUP, 33, "/system.slice");
	put(names, META_USER, 1ull << 32, "far away");
	assert_string_equal(names_get(names, META_USER, 0), "root");
	assert_string_equal(names_get(names, META_USER, 33), "www-data");
	assert_string_equal(names_get(names, META_CGROUP, 33), "/system.slice");
	assert_string_equal(names_get(names, META_USER, 1ull << 32), "far away");
	assert_null(names_get(names, META_SERVICE, 33));
	assert_null(names_get(names, META_USER, 34));
	names_free(names);
	names_free(NULL);
}

static void text_is_kept_apart(void **state)
{
	struct names *names = make_names(100);
	char text[] = "first";

	put(names, META_HOST, 0, text);
	text[0] = 'F';
	assert_string_equal(names_get(names, META_HOST, 0), "first");
	put(names, META_HOST, 0, names_get(names, META_HOST, 0)); /* its own text */
	assert_string_equal(names_get(names, META_HOST, 0), "first");
	put(names, META_HOST, 0, "");
	assert_string_equal(names_get(names, META_HOST, 0), "");
	names_free(names);
}

static void later_names_replace(void **state)
{
	struct names *names = make_names(2);

	put(names, META_USER, 1, "old");
	put(names, META_USER, 2, "two");
	put(names, META_USER, 1, "new");
	assert_string_equal(names_get(names, META_USER, 1), "new");
	assert_string_equal(names_get(names, META_USER, 2), "two");
	names_free(names);
}

static void find_by_text(void **state)
{
	struct names *names = make_names(100);
	uint64_t key = 77;

	put(names, META_SERVICE, 80, "http");
	put(names, META_USER, 33, "www");
	put(names, META_SERVICE, 8080, "www");
	put(names, META_SERVICE, 8081, "www");
	assert_int_equal(names_find(names, META_SERVICE, "ssh", &key), -ENOENT);
	assert_int_equal(names_find(names, META_HOST, "www", &key), -ENOENT);
	assert_int_equal(names_find(names, META_SERVICE, "ww", &key), -ENOENT);
	assert_int_equal(key, 77);
	assert_int_equal(names_find(names, META_SERVICE, "www", &key), 0);
	assert_int_equal(key, 8080);
	assert_int_equal(names_find(names, META_USER, "www", &key), 0);
	assert_int_equal(key, 33);
	names_free(names);
}

/* --- when full --------------------------------------------------------------------------------------------
 */

static void oldest_makes_room(void **state)
{
	struct names *names = make_names(3);

	put(names, META_USER, 1, "one");
	put(names, META_USER, 2, "two");
	put(names, META_USER, 3, "three");
	put(names, META_USER, 1, "one again");
	put(names, META_USER, 4, "four");
	assert_null(names_get(names, META_USER, 2));
	assert_string_equal(names_get(names, META_USER, 1), "one again");
	assert_string_equal(names_get(names, META_USER, 3), "three");
	assert_string_equal(names_get(names, META_USER, 4), "four");
	names_free(names);
}

/* Whoever watches a host for months sees cgroups without end; its users and services must stay. */
static void names_in_use_stay(void **state)
{
	struct names *names = make_names(16);
	char path[32];

	put(names, META_USER, 33, "www-data");
	for (uint64_t cgroup = 0; cgroup < 1000; cgroup++) {
		snprintf(path, sizeof(path), "/pod%u", (unsigned)cgroup);
		put(names, META_CGROUP, cgroup, path);
		assert_string_equal(names_get(names, META_CGROUP, cgroup), path);
		assert_string_equal(names_get(names, META_USER, 33), "www-data");
	}
	assert_null(names_get(names, META_CGROUP, 984));
	assert_non_null(names_get(names, META_CGROUP, 985));
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_and_key),	       cmocka_unit_test(text_is_kept_apart),
		cmocka_unit_test(later_names_replace), cmocka_unit_test(find_by_text),
		cmocka_unit_test(oldest_makes_room),   cmocka_unit_test(names_in_use_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
