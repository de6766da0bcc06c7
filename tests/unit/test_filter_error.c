/* SPDX-License-Identifier: GPL-2.0-only */
/* What the filter language refuses, where it points, and what it says. */
#include "filter_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Parses what must not parse. */
static struct filter_error refuse(const char *const words[])
{
	struct filter *untouched = (struct filter *)&untouched;
	struct filter *filter = untouched;
	struct filter_error error;
	size_t n = 0;

	memset(&error, 0xff, sizeof(error));
	while (words[n])
		n++;
	if (filter_parse((char *const *)words, n, &fixture_resolver, &filter, &error) != -EINVAL)
		fail_msg("should be refused: %s", words[0]);
	assert_ptr_equal(filter, untouched);
	assert_true(memchr(error.text, '\0', sizeof(error.text)));
	assert_true(memchr(error.message, '\0', sizeof(error.message)));
	assert_true(error.column <= strlen(error.text));
	return error;
}

/* text has a ^ where the caret belongs; it is taken out before parsing. */
static const struct {
	const char *text;
	const char *message; /* how it begins */
} refused[] = {
	{"^prot tcp", "unknown key 'prot'; expected port, lport, "},
	{"^PORT 80", "unknown key 'PORT'"},
	{"port 80 ^443", "unknown key '443'"},
	{"^\"port\" 80", "unknown key '\"port\"'"},
	{"^port=80", "unknown key 'port=80'; between 'port' and its value belongs a space"},
	{"^comm:nginx", "unknown key 'comm:nginx'; between 'comm' and its value belongs a space"},
	{"^in=1", "unknown key 'in=1'; expected port, lport, "},
	{"^nort=80", "unknown key 'nort=80'; expected port, lport, "},
	{"port ^65536", "'65536' is above 65535; expected a port from 0 to 65535"},
	{"port ^99999999999999999999", "'99999999999999999999' is above 65535"},
	{"lport ^1-65536", "'1-65536' is above 65535"},
	{"lport ^80x", "'80x' is neither a port nor a known service"},
	{"port ^-1", "'-1' is neither a number nor a range"},
	{"port ^80-", "'80-' is neither a number nor a range"},
	{"port ^1-2-3", "'1-2-3' is neither a number nor a range"},
	{"port ^90-80", "'90-80' is a range from high to low"},
	{"port 80,^nope", "'nope' is neither a port nor a known service"},
	{"port 80,^", "'' is empty; expected a port"},
	{"port 80,^,443", "'' is empty"},
	{"port 80,^ 443", "'' is empty"},
	{"port ^\"80,443\"", "'\"80,443\"' is neither a port"},
	{"port^", "found the end of the filter after 'port'; expected a port"},
	{"comm ^", "found the end of the filter after 'comm'; expected a name"},
	{"comm ^(x)", "found '(' after 'comm'"},
	{"port ^!80", "found '!' after 'port'"},
	{"comm ^|| x", "found '||' after 'comm'"},
	{"port 80 and^", "found the end of the filter; expected a key: port"},
	{"port 80 or^", "found the end of the filter; expected a key"},
	{"port 80 not^", "found the end of the filter; expected a key"},
	{"^and port 80", "found 'and'; expected a key"},
	{"port 80 or ^or in", "found 'or'; expected a key"},
	{"port 80 and ^&& in", "found '&&'; expected a key"},
	{"(^", "found the end of the filter; expected a key"},
	{"(^)", "found ')'; expected a key"},
	{"(port 80^", "found the end of the filter; expected ')'"},
	{"port 80^)", "found ')' without a '('"},
	{"(in)) or out", NULL},
	{"comm ^\"x y", "a quote that does not end"},
	{"comm it^'s", "a quote that does not end"},
	{"comm ^\"\"", "'\"\"' is empty"},
	{"^'in", "a quote that does not end"},
	{"errno ^ENOPE", "'ENOPE' is not an errno name; expected an errno name such as"},
	{"errno ^0", "'0' is not the number of an errno"},
	{"errno ^1-2", "'1-2' is not the number of an errno"},
	{"errno EPERM,^4095", "'4095' is not the number of an errno"},
	{"state ^opened", "'opened' is not known; expected listen, established"},
	{"event bind,^ready", "'ready' is not known; expected bind, listen, attempt"},
	{"proto ^dccp", "'dccp' is not known; expected tcp, udp, sctp, mptcp"},
	{"direction ^up", "'up' is not known; expected in, out"},
	{"class ^high", "'high' is not known; expected well-known, registered, ephemeral"},
	{"user ^nobody-here", "'nobody-here' is not a known user"},
	{"user ^9-1", "'9-1' is a range from high to low"},
	{"uid ^www-data", "'www-data' is neither a number nor a range"},
	{"pid ^4294967296", "'4294967296' is above 4294967295"},
	{"pid ^0x10", "'0x10' is neither a number"},
	{"addr ^localhost", "'localhost' is not an IP address"},
	{"addr ^10.0.0", "'10.0.0' is not an IP address"},
	{"addr ^10.0.0.0/33", "'10.0.0.0/33' has a longer prefix than its family"},
	{"addr ^::/129", "'::/129' has a longer prefix than its family"},
	{"addr ^10.0.0.0/", "'10.0.0.0/' is not an IP address"},
	{"addr ^10.0.0.0/8x", "'10.0.0.0/8x' is not an IP address"},
	{"laddr ^fe80::1%eth0", "'fe80::1%eth0' is not an IP address"},
	{"serves ^10.0.0.5", "'10.0.0.5' is neither a port nor a known service; expected ADDR:PORT"},
	{"serves ^::1", "'::1' is an IPv6 address without brackets"},
	{"serves ^[::1]", "'[::1]' has no port"},
	{"serves ^10.0.0.5:", "'10.0.0.5:' has no port"},
	{"serves ^10.0.0.5:70000", "'10.0.0.5:70000' is above 65535"},
	{"serves ^10.0.0.0/8:443", "'10.0.0.0/8:443' does not begin with an IP address"},
	{"serves ^[*]:443", "'[*]:443' does not begin with an IP address"},
	{"has ^.type", "'.type' is not a field name"},
	{"has ^error..type", "'error..type' is not a field name"},
	{"has ^error.", "'error.' is not a field name"},
	{"has ^error.typo", "'error.typo' is not a field of any line"},
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < N(refused); i++) {
		char *text = strdup(refused[i].text), *caret = strchr(text, '^');
		struct filter_error error;

		if (caret)
			memmove(caret, caret + 1, strlen(caret));
		error = refuse((const char *const[]){text, NULL});
		assert_string_equal(error.text, text);
		if (caret && error.column != (size_t)(caret - text))
			fail_msg("%s: column %zu", refused[i].text, error.column);
		if (refused[i].message &&
		    strncmp(error.message, refused[i].message, strlen(refused[i].message)))
			fail_msg("%s: %s", refused[i].text, error.message);
		free(text);
	}
}

/* Columns count over all words, whole values included. */
static void test_column_over_words(void **state)
{
	struct filter_error error;

	error = refuse((const char *const[]){"in", "port", "80,70000", "out", NULL});
	assert_string_equal(error.text, "in port 80,70000 out");
	assert_int_equal(error.column, 11);
	error = refuse((const char *const[]){"comm", "a b", "port", NULL});
	assert_string_equal(error.text, "comm a b port");
	assert_int_equal(error.column, 13);
	error = refuse((const char *const[]){"port", "", NULL});
	assert_string_equal(error.text, "port ");
	assert_int_equal(error.column, 5);
	error = refuse((const char *const[]){"port", "80 and in", NULL});
	assert_int_equal(error.column, 5);
	error = refuse((const char *const[]){"comm", "5\"disk", NULL});
	assert_int_equal(error.column, 6);
}

static void test_without_resolver(void **state)
{
	const char *const words[] = {"port", "http", NULL}, *const user[] = {"user", "root", NULL};
	const char *const field[] = {"has", "any.thing_2", NULL};
	struct filter_resolver empty = {0};
	struct filter *filter = NULL;

	assert_int_equal(filter_parse((char *const *)words, 2, NULL, &filter, NULL), -EINVAL);
	assert_int_equal(filter_parse((char *const *)words, 2, &empty, &filter, NULL), -EINVAL);
	assert_int_equal(filter_parse((char *const *)user, 2, &empty, &filter, NULL), -EINVAL);
	assert_int_equal(filter_parse((char *const *)field, 2, &empty, &filter, NULL), 0);
	filter_free(filter);
}

/* The text repeated, so many times, and then the tail. The caller frees. */
static char *repeat(const char *text, size_t times, const char *tail)
{
	size_t length = strlen(text);
	char *all = malloc(length * times + strlen(tail) + 1);

	assert_non_null(all);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * length, text, length);
	strcpy(all + length * times, tail);
	return all;
}

static int parse_one(char *text, struct filter_error *error)
{
	struct filter *filter = NULL;
	int r = filter_parse(&text, 1, &fixture_resolver, &filter, error);

	filter_free(filter);
	return r;
}

static void check_limit(const char *text, size_t good, const char *tail, const char *tail_of_more,
			const char *message)
{
	char *fits = repeat(text, good, tail), *more = repeat(text, good + 1, tail_of_more);
	struct filter_error error;

	assert_int_equal(parse_one(fits, &error), 0);
	assert_int_equal(parse_one(more, &error), -EINVAL);
	if (!strstr(error.message, message))
		fail_msg("%s", error.message);
	assert_true(error.column <= strlen(error.text));
	free(fits);
	free(more);
}

static void test_limits(void **state)
{
	char *closing = repeat(")", FILTER_DEPTH_MAX, ""), *one_more = repeat(")", FILTER_DEPTH_MAX + 1, "");
	char *open = repeat("(", FILTER_DEPTH_MAX, "in"), *fits = malloc(3 * FILTER_DEPTH_MAX);

	snprintf(fits, 3 * FILTER_DEPTH_MAX, "%s%s", open, closing);
	assert_int_equal(parse_one(fits, NULL), 0);
	/* n comparisons have n - 1 operators between them */
	check_limit("in ", FILTER_SIZE_MAX / 2, "", "", "too long");
	check_limit("in or ", FILTER_SIZE_MAX / 2 - 1, "in", "in", "too long");
	check_limit("not not ", 10000, "in", "", "end of the filter");
	free(fits);
	free(open);
	open = repeat("(", FILTER_DEPTH_MAX + 1, "in");
	fits = malloc(3 * FILTER_DEPTH_MAX + 8);
	snprintf(fits, 3 * FILTER_DEPTH_MAX + 8, "%s%s", open, one_more);
	struct filter_error error;
	assert_int_equal(parse_one(fits, &error), -EINVAL);
	assert_int_equal(error.column, FILTER_DEPTH_MAX);
	free(fits);
	free(open);
	free(closing);
	free(one_more);
}

static void test_too_many_values(void **state)
{
	char *ports = repeat("80,", FILTER_SIZE_MAX - 1, "80"), *more = repeat("80,", FILTER_SIZE_MAX, "80");
	char *fits[] = {(char[]){"port"}, ports}, *refused_words[] = {(char[]){"port"}, more};
	struct filter *filter = NULL;
	struct filter_error error;

	assert_int_equal(filter_parse(fits, 2, NULL, &filter, &error), 0);
	filter_free(filter);
	assert_int_equal(filter_parse(refused_words, 2, NULL, &filter, &error), -EINVAL);
	assert_non_null(strstr(error.message, "too many values"));
	free(ports);
	free(more);
}

/* Of a long filter, the part around the error is shown, and the caret is still under it. */
static void test_long_text(void **state)
{
	char *text = repeat("port 80 or ", 40, "prot 1 or ");
	char *long_text = malloc(2000);
	struct filter_error error;

	snprintf(long_text, 2000, "%s%s", text, text);
	assert_int_equal(parse_one(long_text, &error), -EINVAL);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	assert_memory_equal(error.text + error.column, "prot 1 or port", 14);
	assert_memory_equal(error.text, "...", 3);
	assert_string_equal(error.text + strlen(error.text) - 3, "...");
	free(long_text);
	/* At the end nothing is cut behind. */
	assert_int_equal(parse_one(text, &error), -EINVAL);
	assert_string_equal(error.text + error.column, "prot 1 or ");
	free(text);
	/* At the beginning nothing is cut before. */
	text = repeat("port 80,443 ", 40, "");
	text[3] = 'x';
	assert_int_equal(parse_one(text, &error), -EINVAL);
	assert_int_equal(error.column, 0);
	assert_memory_equal(error.text, "porx 80", 7);
	free(text);
}

/* Made of whole snakes, and of ASCII where it was cut. */
static void assert_whole_characters(const char *text)
{
	static const char snake[] = "\xf0\x9f\x90\x8d";

	while (*text) {
		bool is_snake = !strncmp(text, snake, strlen(snake));

		if (!is_snake && (*text & 0x80))
			fail_msg("half a character: %s", text);
		text += is_snake ? strlen(snake) : 1;
	}
}

/* A cut never leaves half a character, wherever in it either end of the text falls. */
static void test_long_utf8(void **state)
{
	for (size_t shift = 0; shift < 4; shift++) {
		char *before = repeat("\xf0\x9f\x90\x8d", 200, &"xxx"[shift]);
		char *after = repeat("\xf0\x9f\x90\x8d", 200, "");
		char *words[] = {(char[]){"comm"}, before, (char[]){"prot"}, after + shift};
		struct filter_error error;

		memset(after, 'x', 4);
		assert_int_equal(filter_parse(words, 4, NULL, &(struct filter *){NULL}, &error), -EINVAL);
		assert_memory_equal(error.text + error.column, "prot ", 5);
		assert_memory_equal(error.text, "...", 3);
		assert_string_equal(error.text + strlen(error.text) - 3, "...");
		assert_whole_characters(error.text);
		free(before);
		free(after);
	}
}

/* What a message quotes neither. */
static void test_long_utf8_quoted(void **state)
{
	for (size_t shift = 0; shift < 4; shift++) {
		char key[64];
		struct filter_error error;

		snprintf(key, sizeof(key), "%.*s%s", (int)shift, "xxx",
			 "\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d"
			 "\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d\xf0\x9f\x90\x8d");
		error = refuse((const char *const[]){key, NULL});
		assert_non_null(strstr(error.message, "...'; expected port, "));
		assert_whole_characters(error.message);
	}
}

static void test_control_characters(void **state)
{
	struct filter_error error = refuse((const char *const[]){"port\n80\x1b[31m", "\xc2\x9b", NULL});

	assert_string_equal(error.text, "port 80 [31m   ");
	assert_null(strpbrk(error.message, "\n\x1b"));
}

static void test_format(void **state)
{
	struct filter_error error = refuse((const char *const[]){"comm", "zażółć", "lport", "80x", NULL});
	char buf[FILTER_ERROR_SIZE], small[8];
	int length = filter_error_format(&error, buf, sizeof(buf));

	assert_string_equal(buf,
			    "'80x' is neither a port nor a known service; expected a port from 0 to 65535, a "
			    "range such as 80-90 or a service name\n"
			    "  comm zażółć lport 80x\n"
			    "                    ^");
	assert_int_equal(length, strlen(buf));
	assert_int_equal(filter_error_format(&error, small, sizeof(small)), length);
	assert_string_equal(small, "'80x' i");
	assert_int_equal(filter_error_format(&error, NULL, 0), length);
}

/* Long lists of what was expected still fit behind a long value. */
static void test_message_fits(void **state)
{
	static const char value[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	struct filter_error error = refuse((const char *const[]){"state", value, NULL});

	assert_non_null(strstr(error.message, "xxx...' is not known"));
	assert_string_equal(error.message + strlen(error.message) - strlen("unconnected"), "unconnected");
	error = refuse((const char *const[]){value, NULL});
	assert_string_equal(error.message + strlen(error.message) - strlen(", has"), ", has");
	error = refuse((const char *const[]){"event", value, NULL});
	assert_string_equal(error.message + strlen(error.message) - strlen("conflicts"), "conflicts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_column_over_words),
		cmocka_unit_test(test_without_resolver),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_long_utf8),
		cmocka_unit_test(test_long_utf8_quoted),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_message_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
