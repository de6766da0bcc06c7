/* SPDX-License-Identifier: GPL-2.0-only */
/* Containers and network namespaces by name. */
#include "filter_fixture.h"

/* A container without an ID has a name, and hexadecimal digits are a name like any other. */
static void test_container_names(void **state)
{
	static const struct filter_process processes[] = {
		{.pid = 1, .cgroup = "/lxc.payload.web-1/init.scope"},
		{.pid = 2, .cgroup = "/machine.slice/machine-cafe\\x2d2.scope/payload"},
		{.pid = 3, .cgroup = "/system.slice/ssh.service"},
	};
	struct filter_subject subject = {.processes = processes, .n_processes = 1};

	assert_match("container web-1", &subject);
	assert_match("container web-*", &subject);
	assert_no_match("container web", &subject);
	subject.processes = &processes[1];
	assert_match("container cafe-2", &subject);
	assert_no_match("container cafe", &subject);
	subject.processes = &processes[2];
	assert_no_match("container *", &subject);
	assert_match("not container *", &subject);
}

/* A namespace that nobody knows is a slip of the pen; a pattern, a number and a recording's name are not. */
static void test_unknown_netns(void **state)
{
	static const struct filter_resolver knows_none = {.user = fixture_user};
	char words[] = "netns nowhere", *word = words;
	struct filter *filter = NULL;
	struct filter_error error;

	assert_int_equal(filter_parse(&word, 1, &fixture_resolver, &filter, &error), -EINVAL);
	assert_null(filter);
	assert_int_equal(error.column, strlen("netns "));
	assert_non_null(strstr(error.message, "'nowhere' is not a known network namespace; expected"));
	assert_int_equal(filter_parse(&word, 1, &knows_none, &filter, &error), 0);
	filter_free(filter);
	filter_free(parse_words((const char *const[]){"netns", "nowher?,4026532999", NULL}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_container_names),
		cmocka_unit_test(test_unknown_netns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
