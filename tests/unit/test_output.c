/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/output.h"
#include "io/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BUFFER	 ((size_t)OUTPUT_BUFFER_BYTES)
#define TEXT_MAX (16 * BUFFER)

struct fixture {
	struct output out;
	int fd; /* in memory */
	char text[TEXT_MAX], found[TEXT_MAX];
};

static int setup(void **state)
{
	static struct fixture fixture;
	uint32_t noise = 1;

	for (size_t i = 0; i < TEXT_MAX; i++)
		fixture.text[i] = (char)((noise = noise * 1664525u + 1013904223u) >> 24);
	fixture.fd = memfd_create("output", MFD_CLOEXEC);
	memset(&fixture.out, 0xff, sizeof(fixture.out));
	output_init(&fixture.out, fixture.fd);
	*state = &fixture;
	return fixture.fd < 0;
}

static int teardown(void **state)
{
	return close(((struct fixture *)*state)->fd);
}

static size_t written(const struct fixture *f)
{
	return (size_t)lseek(f->fd, 0, SEEK_END);
}

static void assert_written(struct fixture *f, size_t size)
{
	assert_int_equal(written(f), size);
	assert_int_equal(pread(f->fd, f->found, TEXT_MAX, 0), size);
	assert_memory_equal(f->found, f->text, size);
}

/* --- to a file --------------------------------------------------------------------------------------------
 */

static void kept_until_flushed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(output_flush(&f->out), 0);
	assert_int_equal(output_put(&f->out, f->text, 5), 0);
	assert_int_equal(output_put(&f->out, f->text + 5, 0), 0);
	assert_int_equal(output_put(&f->out, f->text + 5, 7), 0);
	assert_int_equal(written(f), 0);
	assert_int_equal(output_flush(&f->out), 0);
	assert_written(f, 12);
	assert_int_equal(output_flush(&f->out), 0);
	assert_written(f, 12);
}

static void full_buffer_is_written(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(output_put(&f->out, f->text, BUFFER), 0);
	assert_int_equal(written(f), 0);
	output_init(&f->out, f->fd);
	assert_int_equal(output_put(&f->out, f->text, BUFFER - 1), 0);
	assert_int_equal(output_put(&f->out, f->text + BUFFER - 1, 1), 0);
	assert_int_equal(written(f), 0);
	assert_int_equal(output_put(&f->out, f->text + BUFFER, 1), 0);
	assert_written(f, BUFFER);
	assert_int_equal(output_flush(&f->out), 0);
	assert_written(f, BUFFER + 1);
}

/* What is larger than the buffer comes after what was in it. */
static void large_writes(void **state)
{
	static const size_t sizes[] = {3, BUFFER, BUFFER + 1, 1, 5 * BUFFER, BUFFER - 1, 2};
	struct fixture *f = *state;
	size_t total = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(output_put(&f->out, f->text + total, sizes[i]), 0);
		total += sizes[i];
	}
	assert_int_equal(output_flush(&f->out), 0);
	assert_written(f, total);
}

static void any_sizes(void **state)
{
	struct fixture *f = *state;
	uint32_t noise = 7;

	for (size_t at = 0, size; at < TEXT_MAX; at += size) {
		noise = noise * 1664525u + 1013904223u;
		size = noise % 97 ? noise >> 20 : noise >> 14;
		if (size > TEXT_MAX - at)
			size = TEXT_MAX - at;
		assert_int_equal(output_put(&f->out, f->text + at, size), 0);
	}
	assert_int_equal(output_flush(&f->out), 0);
	assert_written(f, TEXT_MAX);
}

/* --- errors -----------------------------------------------------------------------------------------------
 */

/* The first error stays, and nothing is written any more even if it could be. */
static void assert_sticks(struct fixture *f, int error)
{
	f->out.fd = f->fd;
	assert_int_equal(output_put(&f->out, f->text, 1), error);
	assert_int_equal(output_put(&f->out, f->text, 3 * BUFFER), error);
	assert_int_equal(output_flush(&f->out), error);
	assert_int_equal(written(f), 0);
}

static void full_disk(void **state)
{
	struct fixture *f = *state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0)
		skip();
	f->out.fd = full;
	assert_int_equal(output_put(&f->out, f->text, 100), 0);
	assert_int_equal(output_flush(&f->out), -ENOSPC);
	assert_sticks(f, -ENOSPC);
	output_init(&f->out, full);
	assert_int_equal(output_put(&f->out, f->text, 100), 0);
	assert_int_equal(output_put(&f->out, f->text, BUFFER), -ENOSPC); /* for want of room */
	assert_sticks(f, -ENOSPC);
	output_init(&f->out, full);
	assert_int_equal(output_put(&f->out, f->text, BUFFER + 1), -ENOSPC); /* past the buffer */
	assert_sticks(f, -ENOSPC);
	close(full);
}

static void reader_has_gone(void **state)
{
	struct fixture *f = *state;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	f->out.fd = ends[1];
	assert_int_equal(output_put(&f->out, f->text, 10), 0);
	assert_int_equal(output_flush(&f->out), 0);
	close(ends[0]);
	assert_int_equal(output_put(&f->out, f->text, 10), 0);
	assert_int_equal(output_flush(&f->out), -EPIPE);
	assert_sticks(f, -EPIPE);
	close(ends[1]);
}

static void closed_descriptor(void **state)
{
	struct fixture *f = *state;

	f->out.fd = -1;
	assert_int_equal(output_put(&f->out, f->text, 10), 0);
	assert_int_equal(output_flush(&f->out), -EBADF);
	assert_sticks(f, -EBADF);
}

/* --- a slow reader ----------------------------------------------------------------------------------------
 */

struct reader {
	pthread_t thread;
	int fd;
	struct timespec begin_after;
	char *found;
	size_t size;
};

static void *read_slowly(void *context)
{
	struct reader *reader = context;
	struct timespec pause = {.tv_nsec = 200000};
	sigset_t signals;
	ssize_t n;

	sigfillset(&signals); /* they are for the writer */
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	nanosleep(&reader->begin_after, NULL);
	do {
		n = read(reader->fd, reader->found + reader->size, 9999);
		if (n > 0)
			reader->size += (size_t)n;
		nanosleep(&pause, NULL);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return NULL;
}

/* Through a pipe that holds less than the text: writes are partial, or find no room. */
static void assert_gets_through(struct fixture *f, int pipe_flags, unsigned begin_after_ms)
{
	struct reader reader = {.found = malloc(TEXT_MAX + 9999),
				.begin_after = {begin_after_ms / 1000, begin_after_ms % 1000 * 1000000l}};
	int ends[2];

	assert_non_null(reader.found);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, pipe_flags), 0);
	reader.fd = ends[0];
	f->out.fd = ends[1];
	assert_int_equal(pthread_create(&reader.thread, NULL, read_slowly, &reader), 0);
	assert_int_equal(output_put(&f->out, f->text, 100), 0);
	assert_int_equal(output_put(&f->out, f->text + 100, TEXT_MAX - 200), 0);
	assert_int_equal(output_put(&f->out, f->text + TEXT_MAX - 100, 100), 0);
	assert_int_equal(output_flush(&f->out), 0);
	close(ends[1]);
	pthread_join(reader.thread, NULL);
	close(ends[0]);
	assert_int_equal(reader.size, TEXT_MAX);
	assert_memory_equal(reader.found, f->text, TEXT_MAX);
	free(reader.found);
}

/* A shell's other jobs may have made the terminal so. */
static void non_blocking(void **state)
{
	assert_gets_through(*state, O_NONBLOCK, 0);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal_number)
{
	alarms++;
}

/* Ten milliseconds apart: a machine that is slow, or valgrind, must still get on between two. Until the
 * reader begins there are several, while it waits for room. */
static void interrupted(void **state)
{
	struct sigaction action = {.sa_handler = count_alarm};
	struct itimerval often = {{.tv_usec = 10000}, {.tv_usec = 10000}}, off = {.it_value.tv_usec = 0};

	alarms = 0;
	sigaction(SIGALRM, &action, NULL); /* and it stays: a last alarm may still be on its way */
	setitimer(ITIMER_REAL, &often, NULL);
	assert_gets_through(*state, 0, 80);
	setitimer(ITIMER_REAL, &off, NULL);
}

/* --- a reader who does not read ---------------------------------------------------------------------------
 */

/* Blocked, as by whoever hears of it elsewhere. */
static void set_pending(int signal_number, sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, signal_number);
	sigprocmask(SIG_BLOCK, ret_set, NULL);
	raise(signal_number);
}

static void take_pending(int signal_number, const sigset_t *set)
{
	int taken;

	assert_int_equal(sigwait(set, &taken), 0);
	assert_int_equal(taken, signal_number);
}

static void ends_nevertheless(void **state)
{
	static const int signals[] = {SIGTERM, SIGHUP};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigset_t set;
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		output_init(&f->out, ends[1]);
		set_pending(signals[i], &set);
		assert_int_equal(output_put(&f->out, f->text, TEXT_MAX), -ETIMEDOUT);
		assert_sticks(f, -ETIMEDOUT);
		take_pending(signals[i], &set);
		close(ends[0]);
		close(ends[1]);
	}
}

/* Ctrl-C: whoever pages goes on reading, after more time than the others have. */
static void waits_for_pager(void **state)
{
	sigset_t set;

	set_pending(SIGINT, &set);
	assert_gets_through(*state, 0, 1500);
	take_pending(SIGINT, &set);
}

/* The signal was taken before; for good, so this comes last. */
static void ends_as_told(void **state)
{
	struct fixture *f = *state;
	int ends[2];

	write_all_hurry();
	assert_int_equal(output_put(&f->out, f->text, TEXT_MAX), 0);
	assert_written(f, TEXT_MAX);
	assert_int_equal(pipe(ends), 0);
	output_init(&f->out, ends[1]);
	assert_int_equal(output_put(&f->out, f->text, TEXT_MAX), -ETIMEDOUT);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_until_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(full_buffer_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(large_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(any_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(reader_has_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(closed_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(non_blocking, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_nevertheless, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_pager, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_as_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
