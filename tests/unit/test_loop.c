/* SPDX-License-Identifier: GPL-2.0-only */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MS 1000000u

/* In place of the C library's function: how often, and for how long the last time. */
static int waited_ms;
static unsigned waits;

int epoll_wait(int fd, struct epoll_event *events, int n_events, int timeout)
{
	waited_ms = timeout;
	waits++;
	return (int)syscall(SYS_epoll_pwait, fd, events, n_events, timeout, NULL, 8);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

struct fixture {
	struct loop loop;
	int pipe[2]; /* to read from, to write to */
	unsigned calls, limit;
	int timer, end;
	uint64_t at_ns;
	char order[8];
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.limit = 1};
	*state = &fixture;
	return pipe(fixture.pipe) || loop_open(&fixture.loop);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_close(&f->loop);
	assert_int_equal(f->loop.epoll_fd, -1);
	loop_close(&f->loop);
	close(f->pipe[0]);
	return close(f->pipe[1]);
}

/* Ends the loop with 7 when it was called as often as the test wants. */
static int called(void *context)
{
	struct fixture *f = context;

	f->at_ns = now_ns();
	return ++f->calls == f->limit ? 7 : 0;
}

static int end(void *context)
{
	return 9;
}

static void end_in(struct fixture *f, unsigned delay_ms)
{
	loop_timer_in(&f->loop, loop_add_timer(&f->loop, end, f), (uint64_t)delay_ms * MS);
}

static void fill(const struct fixture *f)
{
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
}

/* --- timers -----------------------------------------------------------------------------------------------
 */

/* Nor does the loop spin until it is due. */
static void timer_is_never_early(void **state)
{
	struct fixture *f = *state;
	int timer = loop_add_timer(&f->loop, called, f);

	for (unsigned delay = 0; delay < 8; delay++) {
		uint64_t from_ns = now_ns();

		f->calls = 0;
		waits = 0;
		loop_timer_in(&f->loop, timer, delay * MS + 1);
		assert_int_equal(loop_run(&f->loop), 7);
		assert_int_equal(f->calls, 1);
		assert_true(f->at_ns - from_ns > delay * MS);
		assert_true(waits <= 3);
	}
}

static void timer_fires_once(void **state)
{
	struct fixture *f = *state;

	f->limit = 100;
	loop_timer_in(&f->loop, loop_add_timer(&f->loop, called, f), 0);
	loop_add_timer(&f->loop, called, f); /* off until somebody sets it */
	end_in(f, 20);
	assert_int_equal(loop_run(&f->loop), 9);
	assert_int_equal(f->calls, 1);
}

static int note_a(void *context)
{
	struct fixture *f = context;

	f->order[f->calls++] = 'a';
	return 0;
}

static int note_b(void *context)
{
	struct fixture *f = context;

	f->order[f->calls++] = 'b';
	return 0;
}

static void timers_in_order(void **state)
{
	struct fixture *f = *state;
	int a = loop_add_timer(&f->loop, note_a, f), b = loop_add_timer(&f->loop, note_b, f);

	assert_int_not_equal(a, b);
	loop_timer_in(&f->loop, a, 30 * MS);
	loop_timer_in(&f->loop, b, 5 * MS);
	end_in(f, 60);
	assert_int_equal(loop_run(&f->loop), 9);
	assert_string_equal(f->order, "ba");
}

/* Setting a timer again forgets what was before. */
static void timer_is_put_off(void **state)
{
	struct fixture *f = *state;
	int a = loop_add_timer(&f->loop, note_a, f);

	loop_timer_in(&f->loop, a, 0);
	loop_timer_in(&f->loop, a, 1000000ull * MS);
	end_in(f, 10);
	assert_int_equal(loop_run(&f->loop), 9);
	assert_string_equal(f->order, "");
}

static int again(void *context)
{
	struct fixture *f = context;

	loop_timer_in(&f->loop, f->timer, MS);
	return called(f);
}

static void timer_sets_itself(void **state)
{
	struct fixture *f = *state;

	f->limit = 5;
	f->timer = loop_add_timer(&f->loop, again, f);
	loop_timer_in(&f->loop, f->timer, 0);
	assert_int_equal(loop_run(&f->loop), 7);
	assert_int_equal(f->calls, 5);
}

static void no_timer_no_wake_up(void **state)
{
	struct fixture *f = *state;

	loop_add_timer(&f->loop, called, f);
	assert_int_equal(loop_add_fd(&f->loop, f->pipe[0], LOOP_READABLE, end, f), 0);
	fill(f);
	assert_int_equal(loop_run(&f->loop), 9);
	assert_int_equal(waited_ms, -1);
}

/* --duration 1000h is more milliseconds than an int has: a negative timeout would be none at all. */
static void longest_timers(void **state)
{
	static const uint64_t delays_ns[] = {2147483647ull * MS, 2147483648ull * MS, 3600000000ull * MS,
					     4294967297ull * MS, 9000000000000000000ull};
	struct fixture *f = *state;
	int timer = loop_add_timer(&f->loop, called, f);

	assert_int_equal(loop_add_fd(&f->loop, f->pipe[0], LOOP_READABLE, end, f), 0);
	fill(f);
	for (size_t i = 0; i < sizeof(delays_ns) / sizeof(delays_ns[0]); i++) {
		loop_timer_in(&f->loop, timer, delays_ns[i]);
		assert_int_equal(loop_run(&f->loop), 9);
		assert_in_range(waited_ms, 2147480000, 2147483647);
	}
	assert_int_equal(f->calls, 0);
}

/* Each of them fires; one more is refused and writes nothing. */
static void room_for_so_many_timers(void **state)
{
	struct fixture *f = *state;
	struct loop before;

	assert_int_equal(loop_timer_in(&f->loop, 0, 0), -EINVAL);
	for (int i = 0; i < LOOP_TIMERS_MAX; i++) {
		assert_int_equal(loop_add_timer(&f->loop, called, f), i);
		assert_int_equal(loop_timer_in(&f->loop, i, 0), 0);
	}
	before = f->loop;
	assert_int_equal(loop_add_timer(&f->loop, end, f), -ENOSPC);
	assert_int_equal(loop_timer_in(&f->loop, -ENOSPC, 0), -EINVAL);
	assert_int_equal(loop_timer_in(&f->loop, LOOP_TIMERS_MAX, 0), -EINVAL);
	assert_memory_equal(&before, &f->loop, sizeof(before));
	f->limit = LOOP_TIMERS_MAX;
	assert_int_equal(loop_run(&f->loop), 7);
}

/* --- descriptors ------------------------------------------------------------------------------------------
 */

static void readable_again_and_again(void **state)
{
	struct fixture *f = *state;

	f->limit = 5;
	assert_int_equal(loop_add_fd(&f->loop, f->pipe[0], LOOP_READABLE, called, f), 0);
	fill(f);
	assert_int_equal(loop_run(&f->loop), 7);
	assert_int_equal(f->calls, 5);
}

static void once_for_each_arming(void **state)
{
	struct fixture *f = *state;

	f->limit = 100;
	assert_int_equal(loop_add_fd(&f->loop, f->pipe[0], LOOP_ONCE, called, f), 0);
	f->end = loop_add_timer(&f->loop, end, f);
	fill(f);
	for (unsigned arming = 0; arming < 4; arming++) {
		loop_timer_in(&f->loop, f->end, 5 * MS);
		assert_int_equal(loop_run(&f->loop), 9);
		assert_int_equal(f->calls, arming);
		assert_int_equal(loop_rearm(&f->loop, f->pipe[0]), 0);
	}
	assert_int_equal(loop_rearm(&f->loop, f->pipe[1]), -ENOENT);
	assert_int_equal(loop_rearm(&f->loop, 12345), -ENOENT);
}

/* Whoever reads our output goes; that it could be written to wakes nobody. */
static void hangup_of_a_pipe(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_add_fd(&f->loop, f->pipe[1], LOOP_HANGUP, called, f), 0);
	f->end = loop_add_timer(&f->loop, end, f);
	loop_timer_in(&f->loop, f->end, 5 * MS);
	assert_int_equal(loop_run(&f->loop), 9);
	assert_int_equal(f->calls, 0);
	close(f->pipe[0]);
	loop_timer_in(&f->loop, f->end, 5000ull * MS);
	assert_int_equal(loop_run(&f->loop), 7);
	f->pipe[0] = dup(f->pipe[1]); /* teardown() closes it */
}

static void hangup_of_a_socket(void **state)
{
	struct fixture *f = *state;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(loop_add_fd(&f->loop, pair[0], LOOP_HANGUP, called, f), 0);
	f->end = loop_add_timer(&f->loop, end, f);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_timer_in(&f->loop, f->end, 5 * MS);
	assert_int_equal(loop_run(&f->loop), 9); /* what it says is no hangup */
	close(pair[1]);
	loop_timer_in(&f->loop, f->end, 5000ull * MS);
	assert_int_equal(loop_run(&f->loop), 7);
	close(pair[0]);
}

static void what_cannot_be_waited_for(void **state)
{
	struct fixture *f = *state;
	int file = memfd_create("file", MFD_CLOEXEC);

	assert_int_equal(loop_add_fd(&f->loop, file, LOOP_HANGUP, called, f), -EPERM);
	close(file);
	assert_int_equal(loop_add_fd(&f->loop, file, LOOP_HANGUP, called, f), -EBADF);
	assert_int_equal(f->loop.n_fds, 0);
}

static void room_for_so_many(void **state)
{
	struct fixture *f = *state;
	int fds[LOOP_FDS_MAX];

	for (unsigned i = 0; i < LOOP_FDS_MAX; i++) {
		fds[i] = dup(f->pipe[0]);
		assert_int_equal(loop_add_fd(&f->loop, fds[i], LOOP_READABLE, called, f), 0);
	}
	assert_int_equal(loop_add_fd(&f->loop, f->pipe[0], LOOP_READABLE, called, f), -ENOSPC);
	f->limit = LOOP_FDS_MAX;
	fill(f);
	assert_int_equal(loop_run(&f->loop), 7); /* each of them was called */
	for (unsigned i = 0; i < LOOP_FDS_MAX; i++)
		close(fds[i]);
}

/* --- ending -----------------------------------------------------------------------------------------------
 */

/* Nobody is called after the one who ended it. */
static void first_end_counts(void **state)
{
	struct fixture *f = *state;
	int other = dup(f->pipe[0]);

	assert_int_equal(loop_add_fd(&f->loop, f->pipe[0], LOOP_READABLE, called, f), 0);
	assert_int_equal(loop_add_fd(&f->loop, other, LOOP_READABLE, called, f), 0);
	loop_timer_in(&f->loop, loop_add_timer(&f->loop, called, f), 0);
	fill(f);
	assert_int_equal(loop_run(&f->loop), 7);
	assert_int_equal(f->calls, 1);
	close(other);
}

static int fail_with_eio(void *context)
{
	return -EIO;
}

static void errors_end_it(void **state)
{
	struct fixture *f = *state;

	loop_timer_in(&f->loop, loop_add_timer(&f->loop, fail_with_eio, f), 0);
	assert_int_equal(loop_run(&f->loop), -EIO);
	loop_close(&f->loop);
	assert_int_equal(loop_run(&f->loop), -EBADF);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal_number)
{
	alarms++;
}

static void signals_do_not_end_it(void **state)
{
	struct sigaction action = {.sa_handler = count_alarm}, before;
	struct itimerval soon = {.it_value.tv_usec = 5000}, off = {.it_value.tv_usec = 0};

	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &soon, NULL);
	end_in(*state, 40);
	assert_int_equal(loop_run(&((struct fixture *)*state)->loop), 9);
	assert_int_equal(alarms, 1);
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &before, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timer_is_never_early, setup, teardown),
		cmocka_unit_test_setup_teardown(timer_fires_once, setup, teardown),
		cmocka_unit_test_setup_teardown(timers_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(timer_is_put_off, setup, teardown),
		cmocka_unit_test_setup_teardown(timer_sets_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(no_timer_no_wake_up, setup, teardown),
		cmocka_unit_test_setup_teardown(longest_timers, setup, teardown),
		cmocka_unit_test_setup_teardown(room_for_so_many_timers, setup, teardown),
		cmocka_unit_test_setup_teardown(readable_again_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(once_for_each_arming, setup, teardown),
		cmocka_unit_test_setup_teardown(hangup_of_a_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(hangup_of_a_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(room_for_so_many, setup, teardown),
		cmocka_unit_test_setup_teardown(first_end_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_end_it, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_do_not_end_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
