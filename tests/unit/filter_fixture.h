/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the filter share: a resolver that knows two names of each sort, and ways to parse. */
#ifndef PORTSNOOP_TESTS_FILTER_FIXTURE_H
#define PORTSNOOP_TESTS_FILTER_FIXTURE_H

#include "core/filter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static inline int fixture_user(void *context, const char *name, uint32_t *ret_uid)
{
	if (strcmp(name, "www-data"))
		return -ENOENT;
	*ret_uid = 33;
	return 0;
}

static inline int fixture_service(void *context, const char *name, uint16_t *ret_port)
{
	if (!strcmp(name, "http"))
		*ret_port = 80;
	else if (!strcmp(name, "http-alt"))
		*ret_port = 8080;
	else
		return -ENOENT;
	return 0;
}

static inline int fixture_field(void *context, const char *name)
{
	return strcmp(name, "error.type") && strcmp(name, "portsnoop.port.requested") ? -ENOENT : 0;
}

static inline int fixture_netns(void *context, const char *name)
{
	return strcmp(name, "blue") && strcmp(name, "green") ? -ENOENT : 0;
}

static const struct filter_resolver fixture_resolver = {
	.user = fixture_user, .service = fixture_service, .field = fixture_field, .netns = fixture_netns};

#define WORDS_MAX 16

/* Up to the first NULL of words. Fails the test when they do not parse. */
static inline struct filter *parse_words(const char *const words[])
{
	struct filter *filter = NULL;
	struct filter_error error;
	size_t n = 0;

	while (words[n])
		n++;
	if (filter_parse((char *const *)words, n, &fixture_resolver, &filter, &error))
		fail_msg("%s\n%s\n%*s^", error.message, error.text, (int)error.column, "");
	return filter;
}

static inline bool match_words(const char *const words[], const struct filter_subject *subject)
{
	struct filter *filter = parse_words(words);
	bool matches = filter_match(filter, subject);

	filter_free(filter);
	return matches;
}

/* One word, lexed. */
static inline bool match(const char *text, const struct filter_subject *subject)
{
	return match_words((const char *const[]){text, NULL}, subject);
}

#define assert_match(text, subject)                                                                          \
	do {                                                                                                 \
		if (!match(text, subject))                                                                   \
			fail_msg("should match: %s", text);                                                  \
	} while (0)
#define assert_no_match(text, subject)                                                                       \
	do {                                                                                                 \
		if (match(text, subject))                                                                    \
			fail_msg("should not match: %s", text);                                              \
	} while (0)

#endif
