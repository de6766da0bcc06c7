/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wake-up handshake under stress: producers as bpf/emit.h has them (reserve, exchange need_wakeup,
 * commit, signal if it was set), the reader as command/session.c has it (drain, sleep if the ring says so,
 * otherwise come back by itself), everybody with random pauses.
 *
 * After each few records a producer waits until they were taken, so that no later record can hide that the
 * wake-up of an earlier one was lost: it was when the reader sleeps, nothing has been signalled to it, and
 * the record is still there.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include <cmocka.h>

#include "ring_fixture.h"

#define PRODUCERS_MAX 2
#define RUN_NS	      1500000000u
#define PATIENCE_NS   2000000000u /* a machine under load may stop a thread for long */
#define BURST_MAX     3

struct message {
	uint32_t producer;
	uint32_t number;
	char rest[160];
};

struct stress {
	struct fake fake;
	pthread_mutex_t reserving; /* the kernel's ring has a spinlock there */
	int wake_fd;
	int running;  /* producers */
	int sleeping; /* the reader waits for wake_fd, or is about to */
	uint64_t lost;
	/* The reader's own. */
	uint32_t next[PRODUCERS_MAX], out_of_order;
	uint64_t taken, slept, refused;
};

struct producer {
	struct stress *stress;
	pthread_t thread;
	uint32_t id, number, noise;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t random_below(uint32_t *noise, uint32_t bound)
{
	*noise = *noise * 1664525u + 1013904223u;
	return (*noise >> 8) % bound;
}

/* Mostly none, so that both sides meet; or some cycles, the rest of a time slice, up to 60 µs. */
static void pause_randomly(uint32_t *noise)
{
	struct timespec pause = {.tv_nsec = random_below(noise, 60000)};

	switch (random_below(noise, 16)) {
	case 0:
		nanosleep(&pause, NULL);
		break;
	case 1:
		sched_yield();
		break;
	case 2:
	case 3:
	case 4:
		for (uint32_t i = random_below(noise, 300); i > 0; i--)
			__asm__ volatile("" ::: "memory");
		break;
	default:
		break;
	}
}

/* --- producers --------------------------------------------------------------------------------------------
 */

static void signal_reader(struct stress *stress)
{
	eventfd_write(stress->wake_fd, 1);
}

/* Returns the position behind the record. */
static unsigned long produce(struct producer *producer)
{
	struct stress *stress = producer->stress;
	struct message message = {.producer = producer->id, .number = producer->number++};
	uint32_t length = 8 + random_below(&producer->noise, sizeof(message.rest));
	unsigned long end;
	bool wake;
	void *record;

	pthread_mutex_lock(&stress->reserving);
	record = fake_reserve(&stress->fake, length);
	end = *stress->fake.producer_pos;
	pthread_mutex_unlock(&stress->reserving);
	if (!record)
		abort(); /* there are never that many at once */
	pause_randomly(&producer->noise);
	memcpy(record, &message, length);
	wake = __atomic_exchange_n(&stress->fake.control.need_wakeup, 0, __ATOMIC_SEQ_CST);
	pause_randomly(&producer->noise);
	fake_commit(record);
	if (wake)
		signal_reader(stress);
	return end;
}

static bool is_taken(const struct stress *stress, unsigned long end)
{
	return __atomic_load_n(stress->fake.ring.consumer_pos, __ATOMIC_SEQ_CST) >= end;
}

static bool nobody_will_wake(const struct stress *stress)
{
	struct pollfd signalled = {.fd = stress->wake_fd, .events = POLLIN};

	return __atomic_load_n(&stress->sleeping, __ATOMIC_SEQ_CST) && poll(&signalled, 1, 0) == 0;
}

/* False: the reader sleeps over it. */
static bool wait_until_taken(struct stress *stress, unsigned long end)
{
	uint64_t deadline_ns = now_ns() + PATIENCE_NS;

	while (!is_taken(stress, end)) {
		sched_yield();
		if (now_ns() < deadline_ns || !nobody_will_wake(stress))
			continue;
		if (is_taken(stress, end))
			break;
		return false;
	}
	return true;
}

static void *produce_all(void *context)
{
	struct producer *producer = context;
	struct stress *stress = producer->stress;
	uint64_t until_ns = now_ns() + RUN_NS;
	bool lost = false;

	while (!lost && now_ns() < until_ns) {
		unsigned long end = 0;

		for (uint32_t n = 1 + random_below(&producer->noise, BURST_MAX); n > 0; n--)
			end = produce(producer);
		lost = !wait_until_taken(stress, end);
		pause_randomly(&producer->noise);
	}
	if (lost)
		__atomic_add_fetch(&stress->lost, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&stress->running, 1, __ATOMIC_SEQ_CST);
	signal_reader(stress);
	return NULL;
}

/* --- the reader -------------------------------------------------------------------------------------------
 */

static int take(void *context, const void *record, size_t size)
{
	struct stress *stress = context;
	const struct message *message = record;

	if (size < 8 || message->producer >= PRODUCERS_MAX ||
	    message->number != stress->next[message->producer]++)
		stress->out_of_order++;
	stress->taken++;
	return 0;
}

static void sleep_until_woken(struct stress *stress)
{
	struct pollfd signalled = {.fd = stress->wake_fd, .events = POLLIN};
	eventfd_t n;

	stress->slept++;
	__atomic_store_n(&stress->sleeping, 1, __ATOMIC_SEQ_CST);
	poll(&signalled, 1, -1);
	__atomic_store_n(&stress->sleeping, 0, __ATOMIC_SEQ_CST);
	eventfd_read(stress->wake_fd, &n);
}

static void read_all(struct stress *stress)
{
	struct timespec interval = {.tv_nsec = 20000};
	uint32_t noise = 99;

	while (__atomic_load_n(&stress->running, __ATOMIC_SEQ_CST)) {
		size_t count;

		ring_drain(&stress->fake.ring, 0, take, stress, &count);
		pause_randomly(&noise);
		if (!count && ring_may_sleep(&stress->fake.ring)) {
			pause_randomly(&noise);
			sleep_until_woken(stress);
			continue;
		}
		stress->refused += !count;
		if (random_below(&noise, 2))
			nanosleep(&interval, NULL);
	}
	ring_drain(&stress->fake.ring, 0, take, stress, &(size_t){0});
}

static void run(uint32_t n_producers)
{
	struct stress stress = {.reserving = PTHREAD_MUTEX_INITIALIZER, .running = (int)n_producers};
	struct producer producers[PRODUCERS_MAX];
	uint64_t produced = 0;

	fake_open(&stress.fake);
	stress.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(stress.wake_fd >= 0);
	for (uint32_t id = 0; id < n_producers; id++) {
		producers[id] = (struct producer){.stress = &stress, .id = id, .noise = id * 77 + 1};
		assert_int_equal(pthread_create(&producers[id].thread, NULL, produce_all, &producers[id]), 0);
	}
	read_all(&stress);
	for (uint32_t id = 0; id < n_producers; id++) {
		pthread_join(producers[id].thread, NULL);
		produced += producers[id].number;
	}
	print_message("%llu records, slept %llu times, told not to sleep %llu times, %llu wake-ups lost\n",
		      (unsigned long long)stress.taken, (unsigned long long)stress.slept,
		      (unsigned long long)stress.refused, (unsigned long long)stress.lost);
	ring_close(&stress.fake.ring);
	close(stress.wake_fd);
	assert_int_equal(stress.lost, 0);
	assert_int_equal(stress.out_of_order, 0);
	assert_int_equal(stress.taken, produced);
	assert_true(stress.slept > 20 && stress.refused > 0); /* or it has shown nothing */
}

static void one_producer(void **state)
{
	run(1);
}

static void two_producers(void **state)
{
	run(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_producer),
		cmocka_unit_test(two_producers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
