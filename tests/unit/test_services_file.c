/* SPDX-License-Identifier: GPL-2.0-only */
/* /etc/services as it is written, with what people leave in it. */
#include "system/services_file.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static FILE *file_of(const char *text)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(file);
	return file;
}

static void assert_next(FILE *file, const char *name, uint16_t port, uint16_t protocol)
{
	struct service service;

	assert_true(services_next(file, &service));
	assert_string_equal(service.name, name);
	assert_int_equal(service.port, port);
	assert_int_equal(service.protocol, protocol);
}

static void assert_end(FILE *file)
{
	struct service service;

	assert_false(services_next(file, &service));
	fclose(file);
}

static void test_entries(void **state)
{
	FILE *file = file_of("# Network services\n\n"
			     "tcpmux\t\t1/tcp\t\t\t# TCP port service multiplexer\n"
			     "  domain 53/udp\r\n"
			     "http\t\t80/tcp\t\twww\t\t# WorldWideWeb HTTP\n"
			     "sgmp 153/sctp\n"
			     "last 65535/udp");

	assert_next(file, "tcpmux", 1, IPPROTO_TCP);
	assert_next(file, "domain", 53, IPPROTO_UDP);
	assert_next(file, "http", 80, IPPROTO_TCP);
	assert_next(file, "sgmp", 153, 0);
	assert_next(file, "last", 65535, IPPROTO_UDP);
	assert_end(file);
}

static void test_what_is_no_entry(void **state)
{
	FILE *file = file_of("name\nname 80\nname 80/\nname /tcp\nname -1/tcp\nname 65536/tcp\n"
			     "name 80x/tcp\nname 99999999999999999999/tcp\n#http 80/tcp\ngood 7/tcp\n");

	assert_next(file, "good", 7, IPPROTO_TCP);
	assert_end(file);
}

/* What does not fit is not taken for a line of its own. */
static void test_long_line(void **state)
{
	char text[3000];
	FILE *file;

	memset(text, 'x', sizeof(text));
	memcpy(text, "long 9/tcp ", 11);
	strcpy(text + sizeof(text) - 40, " 10/tcp wrong 11/tcp\nnext 12/udp\n");
	file = file_of(text);
	assert_next(file, "long", 9, IPPROTO_TCP);
	assert_next(file, "next", 12, IPPROTO_UDP);
	assert_end(file);
}

static bool first_is_called(const char *text, const char *name)
{
	FILE *file = file_of(text);
	struct service service;
	bool called;

	assert_true(services_next(file, &service));
	called = service_is_called(&service, name);
	fclose(file);
	return called;
}

static void test_aliases(void **state)
{
	static const char line[] = "http 80/tcp www  www-http # web\n";

	assert_true(first_is_called(line, "http"));
	assert_true(first_is_called(line, "www"));
	assert_true(first_is_called(line, "www-http"));
	assert_false(first_is_called(line, "ww"));
	assert_false(first_is_called(line, "web"));
	assert_false(first_is_called(line, "80/tcp"));
	assert_false(first_is_called("alone 80/tcp\n", "www"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_what_is_no_entry),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_aliases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
