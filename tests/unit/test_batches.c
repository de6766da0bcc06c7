/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/batches.h"

#include <errno.h>
#include <poll.h>
#include <portsnoop/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MANY 20000 /* 96 bytes each: more than what may wait */

struct numbered {
	struct rec_header header;
	uint64_t number;
	uint64_t filling[8];
};

struct putter {
	struct batches *batches;
	pthread_t thread;
	uint64_t count, put;
	int error, end_error;
};

static void *put_all(void *context)
{
	struct putter *putter = context;

	for (uint64_t i = 0; i < putter->count && !putter->error; i++) {
		struct numbered record = {.header = {.size = sizeof(record)}, .number = i};

		putter->error = batches_put(putter->batches, &record, sizeof(record));
		putter->put += !putter->error;
	}
	batches_end(putter->batches, putter->end_error);
	return NULL;
}

static void start(struct putter *putter)
{
	assert_int_equal(batches_new(2, &putter->batches), 0);
	batches_begin(putter->batches);
	assert_int_equal(pthread_create(&putter->thread, NULL, put_all, putter), 0);
}

static void finish(struct putter *putter)
{
	pthread_join(putter->thread, NULL);
	batches_free(putter->batches);
}

struct taker {
	uint64_t next, refused_at;
	bool in_order;
};

static int take(void *context, const void *record, size_t size)
{
	const struct numbered *numbered = record;
	struct taker *taker = context;

	if (taker->refused_at && numbered->number == taker->refused_at)
		return -EPIPE;
	taker->in_order = size == sizeof(*numbered) && numbered->number == taker->next++;
	return taker->in_order ? 0 : -EBADMSG;
}

static void all_in_order(void **state)
{
	struct putter putter = {.count = MANY};
	struct taker taker = {0};
	const struct sink sink = {.take = take, .context = &taker};

	start(&putter);
	assert_int_equal(batches_take_all(putter.batches, &sink), 0);
	assert_int_equal(taker.next, MANY);
	finish(&putter);
}

static void the_error_comes_last(void **state)
{
	struct putter putter = {.count = 3, .end_error = -EIO};
	struct taker taker = {0};
	const struct sink sink = {.take = take, .context = &taker};

	start(&putter);
	assert_int_equal(batches_take_all(putter.batches, &sink), -EIO);
	assert_int_equal(taker.next, 3);
	finish(&putter);
}

static void what_the_sink_says_ends_it(void **state)
{
	struct putter putter = {.count = MANY};
	struct taker taker = {.refused_at = 5};
	const struct sink sink = {.take = take, .context = &taker};

	start(&putter);
	assert_int_equal(batches_take_all(putter.batches, &sink), -EPIPE);
	batches_cancel(putter.batches);
	pthread_join(putter.thread, NULL);
	assert_int_equal(putter.error, -ECANCELED);
	assert_true(putter.put < MANY); /* no more than may wait */
	batches_free(putter.batches);
}

/* A budget that is over at once: some records, and it stays readable as long as there are more. */
static void piece_by_piece(void **state)
{
	struct putter putter = {.count = MANY};
	struct taker taker = {0};
	const struct sink sink = {.take = take, .context = &taker};
	unsigned pieces = 0;
	bool ended = false;

	start(&putter);
	for (; !ended; pieces++) {
		struct pollfd news = {.fd = batches_fd(putter.batches), .events = POLLIN};

		assert_int_equal(poll(&news, 1, 60000), 1);
		assert_int_equal(batches_take(putter.batches, &sink, 0, &ended), 0);
	}
	assert_int_equal(taker.next, MANY);
	assert_true(pieces > 10);
	finish(&putter);
}

static void again_after_the_end(void **state)
{
	struct putter putter = {.count = 10};
	struct taker taker = {0};
	const struct sink sink = {.take = take, .context = &taker};

	start(&putter);
	assert_int_equal(batches_take_all(putter.batches, &sink), 0);
	pthread_join(putter.thread, NULL);
	taker.next = 0;
	batches_begin(putter.batches);
	assert_int_equal(pthread_create(&putter.thread, NULL, put_all, &putter), 0);
	assert_int_equal(batches_take_all(putter.batches, &sink), 0);
	assert_int_equal(taker.next, 10);
	finish(&putter);
}

static void hushed(void **state)
{
	struct putter putter = {.count = 1};
	struct pollfd news = {.events = POLLIN};

	start(&putter);
	pthread_join(putter.thread, NULL);
	news.fd = batches_fd(putter.batches);
	assert_int_equal(poll(&news, 1, 0), 1);
	assert_int_equal(batches_hush(putter.batches), 0);
	assert_int_equal(poll(&news, 1, 0), 0);
	batches_free(putter.batches);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_in_order),
		cmocka_unit_test(the_error_comes_last),
		cmocka_unit_test(what_the_sink_says_ends_it),
		cmocka_unit_test(piece_by_piece),
		cmocka_unit_test(again_after_the_end),
		cmocka_unit_test(hushed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
