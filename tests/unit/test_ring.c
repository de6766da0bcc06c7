/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a ring, one step after the other. That wake-ups are not lost is the subject of test_ring_wakeup.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ring_fixture.h"

struct fixture {
	struct fake fake;
	size_t n; /* records taken in the last drain */
	size_t sizes[600];
	char taken[600][256];
	size_t stop_at;
	int drained; /* what ring_drain() returned */
};

static int setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fake_open(&fixture.fake);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ring_close(&f->fake.ring);
	assert_null(f->fake.ring.data);
	ring_close(&f->fake.ring);
	return 0;
}

static int take(void *context, const void *record, size_t size)
{
	struct fixture *f = context;

	assert_true(f->n < 600 && size <= 256);
	assert_int_equal((uintptr_t)record % 8, 0);
	f->sizes[f->n] = size;
	memcpy(f->taken[f->n], record, size);
	return ++f->n == f->stop_at ? 42 : 0;
}

static size_t drain(struct fixture *f, size_t limit)
{
	size_t count = 77;

	f->n = 0;
	f->drained = ring_drain(&f->fake.ring, limit, take, f, &count);
	assert_int_equal(count, f->n);
	return count;
}

static char *reserve(struct fixture *f, const char *text)
{
	char *record = fake_reserve(&f->fake, (uint32_t)strlen(text) + 1);

	assert_non_null(record);
	strcpy(record, text);
	return record;
}

static void put(struct fixture *f, const char *text)
{
	fake_commit(reserve(f, text));
}

static void assert_taken(const struct fixture *f, size_t index, const char *text)
{
	assert_true(index < f->n);
	assert_int_equal(f->sizes[index], strlen(text) + 1);
	assert_string_equal(f->taken[index], text);
}

static bool all_consumed(const struct fixture *f)
{
	return *f->fake.ring.consumer_pos == *f->fake.producer_pos;
}

/* --- records ----------------------------------------------------------------------------------------------
 */

static void in_order(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(drain(f, 0), 0);
	put(f, "one");
	put(f, "seven77");
	put(f, "eight888"); /* nine bytes with its NUL: not a multiple of 8 */
	assert_int_equal(drain(f, 0), 3);
	assert_int_equal(f->drained, 0);
	assert_taken(f, 0, "one");
	assert_taken(f, 1, "seven77");
	assert_taken(f, 2, "eight888");
	assert_int_equal(*f->fake.ring.consumer_pos, 16 + 16 + 24);
	assert_true(all_consumed(f));
	assert_int_equal(drain(f, 0), 0);
}

/* One that is still being written holds back those behind it. */
static void busy_record_stops(void **state)
{
	struct fixture *f = *state;
	char *busy;

	put(f, "one");
	busy = reserve(f, "two");
	put(f, "three");
	assert_int_equal(drain(f, 0), 1);
	assert_taken(f, 0, "one");
	assert_int_equal(drain(f, 0), 0);
	assert_false(all_consumed(f));
	fake_commit(busy);
	assert_int_equal(drain(f, 0), 2);
	assert_taken(f, 0, "two");
	assert_taken(f, 1, "three");
	assert_true(all_consumed(f));
}

struct writer {
	const struct fixture *f;
	void *record;
};

/* When the reader has come as far as it can. */
static void *commit_later(void *context)
{
	const struct writer *writer = context;

	while (!__atomic_load_n(writer->f->fake.ring.consumer_pos, __ATOMIC_RELAXED))
		sched_yield();
	fake_commit(writer->record);
	return NULL;
}

static size_t catch_up(struct fixture *f, uint64_t patience_ns)
{
	size_t count = 77;

	f->n = 0;
	f->drained = ring_catch_up(&f->fake.ring, patience_ns, take, f, &count);
	assert_int_equal(count, f->n);
	return count;
}

/* ... unless all that was begun is wanted. */
static void busy_record_is_waited_for(void **state)
{
	struct writer writer = {.f = *state};
	struct fixture *f = *state;
	pthread_t thread;

	assert_int_equal(catch_up(f, 0), 0);
	put(f, "one");
	writer.record = reserve(f, "two");
	put(f, "three");
	assert_int_equal(pthread_create(&thread, NULL, commit_later, &writer), 0);
	assert_int_equal(catch_up(f, UINT64_MAX / 2), 3);
	assert_taken(f, 2, "three");
	assert_true(all_consumed(f));
	pthread_join(thread, NULL);
}

/* A writer that does not come back holds nobody up for ever; nor does one that stops. */
static void nobody_waits_for_ever(void **state)
{
	struct fixture *f = *state;
	char *busy;

	put(f, "one");
	busy = reserve(f, "two");
	assert_int_equal(catch_up(f, 1), 1);
	assert_int_equal(f->drained, 0);
	fake_commit(busy);
	f->stop_at = 1;
	put(f, "three");
	assert_int_equal(catch_up(f, 1), 1);
	assert_int_equal(f->drained, 42);
	assert_taken(f, 0, "two");
}

static void discarded_are_skipped(void **state)
{
	struct fixture *f = *state;

	fake_discard(reserve(f, "never"));
	put(f, "one");
	fake_discard(reserve(f, "never, and it is longer"));
	put(f, "two");
	fake_discard(reserve(f, "never"));
	assert_int_equal(drain(f, 2), 2);
	assert_taken(f, 0, "one");
	assert_taken(f, 1, "two");
	assert_int_equal(drain(f, 0), 0);
	assert_true(all_consumed(f));
}

static void limit(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++)
		put(f, (char[]){(char)('a' + i), '\0'});
	assert_int_equal(drain(f, 2), 2);
	assert_taken(f, 1, "b");
	assert_int_equal(*f->fake.ring.consumer_pos, 2 * 16);
	assert_int_equal(drain(f, 1), 1);
	assert_taken(f, 0, "c");
	assert_int_equal(drain(f, 0), 2);
	assert_taken(f, 1, "e");
}

/* Whoever stops has taken that record; the next one waits. */
static void callback_stops(void **state)
{
	struct fixture *f = *state;

	put(f, "one");
	put(f, "two");
	put(f, "three");
	f->stop_at = 2;
	assert_int_equal(drain(f, 0), 2);
	assert_int_equal(f->drained, 42);
	f->stop_at = 0;
	assert_int_equal(drain(f, 0), 1);
	assert_int_equal(f->drained, 0);
	assert_taken(f, 0, "three");
}

struct peek {
	struct fixture *f;
	unsigned long positions[3];
	size_t n;
};

static int note_position(void *context, const void *record, size_t size)
{
	struct peek *peek = context;

	peek->positions[peek->n++] = *peek->f->fake.ring.consumer_pos;
	return 0;
}

/* Room is given back record by record, so that a long drain does not make the kernel drop; and never before
 * the record was taken, or the kernel would write over it. */
static void room_is_given_back_at_once(void **state)
{
	struct fixture *f = *state;
	struct peek peek = {.f = f};
	size_t count;

	for (int i = 0; i < 3; i++)
		put(f, "x");
	assert_int_equal(ring_drain(&f->fake.ring, 0, note_position, &peek, &count), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(peek.positions[i], i * 16);
}

/* Records of all sizes, for ever round and round, with one that crosses the end in nearly every round. */
static void wraps_around(void **state)
{
	struct fixture *f = *state;
	unsigned long laps = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t length = 1 + i * 7 % 250;
		unsigned long at = *f->fake.producer_pos & (f->fake.ring.size - 1);
		char *record = fake_reserve(&f->fake, length);

		assert_non_null(record);
		memset(record, (int)i, length);
		fake_commit(record);
		laps += at + 8 + length > f->fake.ring.size;
		assert_int_equal(drain(f, 0), 1);
		assert_int_equal(f->sizes[0], length);
		for (uint32_t k = 0; k < length; k++)
			assert_int_equal((unsigned char)f->taken[0][k], (unsigned char)i);
	}
	assert_true(laps > 50);
	assert_true(all_consumed(f));
}

static void full_ring(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	while (fake_reserve(&f->fake, 8)) {
		fake_commit(f->fake.data + 16 * n + 8);
		n++;
	}
	assert_int_equal(n, f->fake.ring.size / 16 - 1);
	assert_int_equal(drain(f, 0), n);
	put(f, "goes on");
	assert_int_equal(drain(f, 0), 1);
	assert_taken(f, 0, "goes on");
}

/* --- sleeping ---------------------------------------------------------------------------------------------
 */

static bool may_sleep(struct fixture *f)
{
	bool may;

	f->fake.control.need_wakeup = 0;
	may = ring_may_sleep(&f->fake.ring);
	assert_int_equal(f->fake.control.need_wakeup, 1);
	return may;
}

static void sleeps_only_when_empty(void **state)
{
	struct fixture *f = *state;
	char *busy;

	assert_true(may_sleep(f));
	put(f, "one");
	assert_false(may_sleep(f));
	drain(f, 0);
	assert_true(may_sleep(f));
	busy = reserve(f, "two");
	assert_false(may_sleep(f));
	drain(f, 0);
	assert_false(may_sleep(f));
	fake_commit(busy);
	assert_false(may_sleep(f));
	drain(f, 0);
	assert_true(may_sleep(f));
	fake_discard(reserve(f, "three"));
	assert_false(may_sleep(f));
	assert_int_equal(drain(f, 0), 0);
	assert_true(may_sleep(f));
}

static void asks_again_and_again(void **state)
{
	struct fixture *f = *state;

	assert_true(ring_may_sleep(&f->fake.ring));
	assert_true(ring_may_sleep(&f->fake.ring));
	assert_int_equal(f->fake.control.need_wakeup, 1);
	assert_int_equal(f->fake.control.stopped, 0);
	assert_int_equal(f->fake.control.refuse_pending, 0);
}

/* --- mapping ----------------------------------------------------------------------------------------------
 */

static unsigned count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned n = 0;
	char line[512];

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		n += strstr(line, "memfd:ring") != NULL;
	fclose(maps);
	return n;
}

static void where_things_lie(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	int fd = memfd_create("ring", MFD_CLOEXEC);
	unsigned long producer = 4711, consumer = 0;
	struct control control = {0};
	struct ring ring;

	assert_int_equal(ftruncate(fd, 2 * page + 2 * RING_SIZE), 0);
	assert_int_equal(pwrite(fd, &producer, sizeof(producer), page), sizeof(producer));
	assert_int_equal(pwrite(fd, "data", 5, 2 * page), 5);
	assert_int_equal(ring_open(&ring, fd, RING_SIZE, &control), 0);
	assert_int_equal(ring.size, RING_SIZE);
	assert_ptr_equal(ring.control, &control);
	assert_int_equal(*ring.producer_pos, 4711);
	assert_string_equal(ring.data, "data");
	*ring.consumer_pos = 42;
	assert_int_equal(pread(fd, &consumer, sizeof(consumer), 0), sizeof(consumer));
	assert_int_equal(consumer, 42);
	assert_int_equal(count_mappings(), 2);
	ring_close(&ring);
	assert_int_equal(count_mappings(), 0);
	close(fd);
}

static void mapping_fails(void **state)
{
	struct ring ring = {.size = 77};
	struct control control;
	int fd = memfd_create("ring", MFD_CLOEXEC), read_only;
	char path[64];

	assert_int_equal(ring_open(&ring, -1, RING_SIZE, &control), -EBADF);
	assert_int_equal(ftruncate(fd, RING_SIZE), 0);
	assert_true(ring_open(&ring, fd, (size_t)1 << 60, &control) < 0); /* only the second one */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(ring_open(&ring, read_only, RING_SIZE, &control), -EACCES);
	assert_int_equal(ring.size, 77);
	assert_int_equal(count_mappings(), 0);
	close(read_only);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(busy_record_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(busy_record_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_waits_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(discarded_are_skipped, setup, teardown),
		cmocka_unit_test_setup_teardown(limit, setup, teardown),
		cmocka_unit_test_setup_teardown(callback_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(room_is_given_back_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(wraps_around, setup, teardown),
		cmocka_unit_test_setup_teardown(full_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(sleeps_only_when_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_again_and_again, setup, teardown),
		cmocka_unit_test(where_things_lie),
		cmocka_unit_test(mapping_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
