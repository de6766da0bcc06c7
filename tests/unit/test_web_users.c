/* SPDX-License-Identifier: GPL-2.0-only */
/* Passwords: right, wrong, remembered, limited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/web_users.h"

#include <stdio.h>
#include <string.h>

#define SECOND 1000000000ull
#define T0     (1000 * SECOND)

static const char text[] = "basic_auth_users:\n"
			   /* secret, horse: of cost 4, for the test's sake */
			   "  alice: $2y$04$HFDiZKkTgKkofmQQzcoJZeHyJoK6n8UaFyo.MSK1vffwgsyUNen3q\n"
			   "  bob: $2y$04$tGYO4cyEYOMpQrdcuSwvTux1RyTu3YPDFUhYDF31mRnuGCHa.TkkK\n";

struct fixture {
	struct web_config *config;
	struct web_users *users;
};

static int setup(void **state)
{
	static struct fixture f;
	char message[256];

	if (web_config_parse(text, strlen(text), "test", ".", &f.config, message, sizeof(message))) {
		fprintf(stderr, "%s\n", message);
		return -1;
	}
	*state = &f;
	return web_users_new(f.config, &f.users);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	web_users_free(f->users);
	web_config_free(f->config);
	return 0;
}

static void right_and_wrong(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(web_users_check(f->users, "alice", "secret", T0), WEB_ALLOWED);
	assert_int_equal(web_users_check(f->users, "bob", "horse", T0), WEB_ALLOWED);
	assert_int_equal(web_users_check(f->users, "alice", "horse", T0), WEB_DENIED);
	assert_int_equal(web_users_check(f->users, "bob", "secret", T0), WEB_DENIED);
	assert_int_equal(web_users_check(f->users, "carol", "secret", T0), WEB_DENIED);
	assert_int_equal(web_users_check(f->users, "", "", T0), WEB_DENIED);
	assert_int_equal(web_users_check(f->users, "alice", NULL, T0), WEB_DENIED);
	assert_int_equal(web_users_check(f->users, NULL, NULL, T0), WEB_DENIED);
}

/* A flood of guesses neither gets in nor keeps out who was let in before. */
static void guesses_are_limited(void **state)
{
	struct fixture *f = *state;
	char guess[24];

	assert_int_equal(web_users_check(f->users, "alice", "secret", T0), WEB_ALLOWED);
	for (int i = 1; i < WEB_TRIES_BURST; i++) {
		snprintf(guess, sizeof(guess), "guess%d", i);
		assert_int_equal(web_users_check(f->users, "alice", guess, T0), WEB_DENIED);
	}
	assert_int_equal(web_users_check(f->users, "alice", "guess", T0), WEB_LATER);
	assert_int_equal(web_users_check(f->users, "nobody", "guess", T0), WEB_LATER);
	assert_int_equal(web_users_check(f->users, "bob", "horse", T0), WEB_LATER);
	for (int i = 0; i < 100; i++)
		assert_int_equal(web_users_check(f->users, "alice", "secret", T0), WEB_ALLOWED);
	assert_int_equal(web_users_check(f->users, "bob", "horse", T0 + SECOND), WEB_ALLOWED);
	assert_int_equal(web_users_check(f->users, "alice", "guess", T0 + SECOND), WEB_LATER);
	for (int i = 0; i < WEB_TRIES_BURST; i++)
		assert_int_equal(web_users_check(f->users, "alice", "guess", T0 + 1000 * SECOND), WEB_DENIED);
	assert_int_equal(web_users_check(f->users, "alice", "guess", T0 + 1000 * SECOND), WEB_LATER);
}

/* Somebody else's name with a password that is remembered. */
static void memory_is_each_ones_own(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(web_users_check(f->users, "alice", "secret", T0), WEB_ALLOWED);
	assert_int_equal(web_users_check(f->users, "bob", "secret", T0), WEB_DENIED);
	assert_int_equal(web_users_check(f->users, "carol", "secret", T0), WEB_DENIED);
}

static void endless_passwords(void **state)
{
	struct fixture *f = *state;
	static char endless[100000];

	memset(endless, 'a', sizeof(endless) - 1);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(web_users_check(f->users, "alice", endless, T0), WEB_DENIED);
		assert_int_equal(web_users_check(f->users, endless, "secret", T0), WEB_DENIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(right_and_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(guesses_are_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_each_ones_own, setup, teardown),
		cmocka_unit_test_setup_teardown(endless_passwords, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
