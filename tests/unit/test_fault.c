// SPDX-License-Identifier: GPL-2.0-only
/* What is said of a kernel that refuses a program. */
#include "source/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

static void expect(int error, const char *meaning)
{
	struct fault fault = {0};
	struct utsname kernel;

	assert_int_equal(fault_set_refused(&fault, error, "the BPF iterators"), error);
	assert_true(fault.unsupported);
	assert_int_equal(uname(&kernel), 0);
	assert_non_null(strstr(fault.text, kernel.release));
	assert_non_null(strstr(fault.text, "refuses the BPF iterators: "));
	assert_non_null(strstr(fault.text, meaning));
}

/* The verifier's ways to say that it does not know something. */
static void test_too_old(void **state)
{
	static const int errors[] = {-EINVAL, -E2BIG, -EACCES, -ESRCH};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		expect(errors[i], "portsnoop needs what Linux 5.10 has; --verbose");
}

static void test_other_reasons(void **state)
{
	expect(-EPERM, "A capability is missing");
	expect(-ENOMEM, "The kernel has no memory for it");
	expect(-ENOSYS, "without CONFIG_BPF_SYSCALL");
	expect(-EINTR, "try again");
}

static void test_descriptors(void **state)
{
	struct fault fault = {0};

	assert_int_equal(fault_set_refused(&fault, -EMFILE, "the BPF iterators"), -EMFILE);
	assert_true(fault.unsupported);
	assert_non_null(strstr(fault.text, "the BPF iterators take more file descriptors than"));
	assert_non_null(strstr(fault.text, "(ulimit -n)"));
	assert_int_equal(fault_set_refused(&fault, -ENFILE, "the BPF iterators"), -ENFILE);
	assert_non_null(strstr(fault.text, "no file descriptors are left for the BPF iterators"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_other_reasons),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
