/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/destinations.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define BEGIN  (1000 * SECOND)

static struct rec_socket to(uint8_t host, uint16_t port)
{
	return (struct rec_socket){.netns = 7,
				   .family = AF_INET,
				   .protocol = IPPROTO_TCP,
				   .local_addr = {10, 0, 0, 1},
				   .peer_addr = {10, 0, 0, host},
				   .peer_port = port,
				   .local_port = 40000};
}

static int setup(void **state)
{
	*state = destinations_new(4);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	destinations_free(*state);
	return 0;
}

static void many(struct destinations *destinations, unsigned count, uint64_t time_ns)
{
	struct rec_socket socket = to(2, 80);

	while (count--)
		destinations_connected(destinations, &socket, time_ns);
}

static void told_apart(void **state)
{
	struct rec_socket socket = to(2, 80), other = to(2, 81), third = to(3, 80);

	destinations_failed(*state, &socket, BEGIN);
	destinations_failed(*state, &socket, BEGIN + 5);
	destinations_failed(*state, &other, BEGIN);
	assert_int_equal(destinations_find(*state, &socket)->failed, 2);
	assert_int_equal(destinations_find(*state, &socket)->failed_ns, BEGIN + 5);
	assert_int_equal(destinations_find(*state, &other)->failed, 1);
	assert_null(destinations_find(*state, &third));
	socket.local_port++; /* one of many ports towards the same place */
	assert_non_null(destinations_find(*state, &socket));
	socket.netns++;
	assert_null(destinations_find(*state, &socket));
}

static void the_oldest_goes_first(void **state)
{
	struct rec_socket socket;

	for (uint8_t i = 1; i <= 6; i++) {
		socket = to(i, 80);
		destinations_connected(*state, &socket, BEGIN + i);
		socket = to(1, 80);
		destinations_connected(*state, &socket, BEGIN + i); /* is used again and again */
	}
	socket = to(1, 80);
	assert_non_null(destinations_find(*state, &socket));
	socket = to(2, 80);
	assert_null(destinations_find(*state, &socket));
}

static double rate(void *destinations, uint64_t now_ns)
{
	struct rec_socket socket = to(2, 80);

	return destination_rate(destinations_find(destinations, &socket), now_ns);
}

static void rates(void **state)
{
	for (unsigned i = 0; i < 30; i++)
		many(*state, 20, BEGIN + i * SECOND);
	assert_float_equal(rate(*state, BEGIN + 30 * SECOND - 1), 20, 0.001);
	assert_float_equal(rate(*state, BEGIN + 35 * SECOND - 1), 10,
			   0.001); /* five of ten seconds were quiet */
	assert_float_equal(rate(*state, BEGIN + 60 * SECOND), 0, 0.001);
	assert_float_equal(rate(*state, BEGIN + 1000 * SECOND), 0, 0.001);
}

static void the_first_seconds(void **state)
{
	many(*state, 30, BEGIN);
	assert_float_equal(rate(*state, BEGIN), 30, 0.001); /* as if it were one second */
	assert_float_equal(rate(*state, BEGIN + 3 * SECOND), 10, 0.001);
}

static bool exhausted(void *destinations, uint64_t now_ns, unsigned available, unsigned *ret_seconds)
{
	struct rec_socket socket = to(2, 80);

	return destination_exhausted_in(destinations_find(destinations, &socket), now_ns, available, false,
					ret_seconds);
}

static void all_that_come_stay(void **state)
{
	unsigned seconds;

	for (unsigned i = 0; i < 10; i++)
		many(*state, 20, BEGIN + i * SECOND);
	assert_true(exhausted(*state, BEGIN + 10 * SECOND - 1, 1000, &seconds));
	assert_int_equal(seconds, 50);
	assert_true(exhausted(*state, BEGIN + 10 * SECOND - 1, 0, &seconds));
	assert_int_equal(seconds, 0);
	assert_false(exhausted(*state, BEGIN + 10 * SECOND - 1, 3600 * 20 + 100,
			       &seconds));				    /* not within an hour */
	assert_false(exhausted(*state, BEGIN + 60 * SECOND, 10, &seconds)); /* none come any more */
}

/* 20 a second, closed at once: TIME_WAIT has 1200 of them in the long run, and no more. */
static void time_wait_gives_back(void **state)
{
	struct rec_socket socket = to(2, 80);
	unsigned seconds;

	for (unsigned i = 0; i < 30; i++) {
		many(*state, 20, BEGIN + i * SECOND);
		for (unsigned j = 0; j < 20; j++)
			destinations_closed(*state, &socket, true, BEGIN + i * SECOND);
	}
	/* 600 wait, the first come free in 30 s. */
	assert_true(exhausted(*state, BEGIN + 30 * SECOND - 1, 580, &seconds));
	assert_int_equal(seconds, 29);
	assert_false(exhausted(*state, BEGIN + 30 * SECOND - 1, 700, &seconds));
}

/* Where TIME_WAIT is taken over, only what stays counts. */
static void taken_over(void **state)
{
	struct rec_socket socket = to(2, 80);
	const struct destination_use *use;
	unsigned seconds;

	for (unsigned i = 0; i < 10; i++) {
		many(*state, 20, BEGIN + i * SECOND);
		for (unsigned j = 0; j < 18; j++)
			destinations_closed(*state, &socket, true, BEGIN + i * SECOND);
	}
	use = destinations_find(*state, &socket);
	assert_true(destination_exhausted_in(use, BEGIN + 10 * SECOND - 1, 100, true, &seconds));
	assert_in_range(seconds, 49, 51);
	assert_true(destination_exhausted_in(use, BEGIN + 10 * SECOND - 1, 100, false, &seconds));
	assert_in_range(seconds, 4, 6);
}

static void ended_otherwise(void **state)
{
	struct rec_socket socket = to(2, 80);
	unsigned seconds;

	for (unsigned i = 0; i < 10; i++) {
		many(*state, 20, BEGIN + i * SECOND);
		for (unsigned j = 0; j < 20; j++)
			destinations_closed(*state, &socket, false, BEGIN + i * SECOND);
	}
	assert_false(exhausted(*state, BEGIN + 10 * SECOND - 1, 5, &seconds));
}

static int take(void *context, const void *record, size_t size)
{
	assert_int_equal(size, sizeof(struct rec_destination));
	destinations_put(context, record);
	return 0;
}

static void another_has_the_same(void **state)
{
	const struct rec_header header = {.size = sizeof(struct rec_destination), .kind = REC_DESTINATION};
	struct destinations *other = destinations_new(4);
	struct rec_socket socket = to(2, 80);

	for (unsigned i = 0; i < 70; i++)
		many(*state, i, BEGIN + i * SECOND);
	destinations_failed(*state, &socket, BEGIN + 1);
	destinations_closed(*state, &socket, true, BEGIN + 70 * SECOND);
	assert_int_equal(destinations_each(*state, &header, take, other), 0);
	assert_memory_equal(destinations_find(other, &socket), destinations_find(*state, &socket),
			    sizeof(struct destination_use));
	destinations_free(other);
}

/* Time that stands still or goes back loses nothing. */
static void late_events(void **state)
{
	many(*state, 5, BEGIN + 5 * SECOND);
	many(*state, 5, BEGIN);
	assert_float_equal(rate(*state, BEGIN + 5 * SECOND), 10, 0.001);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(told_apart),	 TEST(the_oldest_goes_first), TEST(rates),
		TEST(the_first_seconds), TEST(all_that_come_stay),    TEST(time_wait_gives_back),
		TEST(ended_otherwise),	 TEST(another_has_the_same),  TEST(late_events),
		TEST(taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
