/* SPDX-License-Identifier: GPL-2.0-only */
/* The writer and the reader where system calls fail, stop short or are interrupted. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "recording_fixture.h"

static void what_is_no_record_is_refused(void **state)
{
	unsigned char record[REC_SIZE_MAX + 16] = {0};
	static const uint16_t sizes[] = {0, 2, 8, 12, 20, REC_SIZE_MAX + 8};
	struct recording_writer *writer = create(*state);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memcpy(record, &sizes[i], sizeof(sizes[i]));
		assert_int_equal(recording_write(writer, record, sizes[i]), -EINVAL);
	}
	make_record(record, 1);
	assert_int_equal(recording_write(writer, record, 16), -EINVAL);
	write_records(writer, 0, 2);
	assert_int_equal(recording_finish(writer), 0);
	assert_problem(*state, RECORDING_OK, 2);
}

static void a_full_disk_is_reported_and_sticks(void **state)
{
	struct recording_writer *writer;
	unsigned char record[REC_SIZE_MAX];
	size_t size = make_record(record, 100);
	int error = 0;

	assert_int_equal(recording_create("/dev/full", example, &writer), 0);
	for (int i = 0; i < 1000000 && !error; i++)
		error = recording_write(writer, record, make_record(record, i));
	assert_int_equal(error, -ENOSPC);
	assert_int_equal(recording_write(writer, record, size), -ENOSPC);
	assert_int_equal(recording_write(writer, record, 3), -ENOSPC);
	assert_int_equal(recording_flush(writer), -ENOSPC);
	assert_int_equal(recording_finish(writer), -ENOSPC);

	assert_int_equal(recording_create("/dev/full", example, &writer), 0);
	assert_int_equal(recording_write(writer, record, size), -EINVAL);
	assert_int_equal(recording_flush(writer), -ENOSPC);
	assert_int_equal(recording_flush(writer), -ENOSPC);
	assert_int_equal(recording_finish(writer), -ENOSPC);

	assert_int_equal(recording_create("/dev/full", example, &writer), 0);
	assert_int_equal(recording_finish(writer), -ENOSPC);
}

#define PIPE_RECORDS 4000

struct slow_reader {
	int fd;
	size_t count;
	enum recording_problem problem;
};

/* Moves a few bytes at a time from a pipe to another, so that neither end ever gets what it asked for. */
struct trickle {
	int from, to;
};

static void *run_trickle(void *argument)
{
	const struct trickle *trickle = argument;
	char buffer[3001];

	for (;;) {
		ssize_t got = read(trickle->from, buffer, sizeof(buffer)), done = 0;

		if (got == 0)
			break;
		usleep(30);
		while (done < got) {
			ssize_t written = write(trickle->to, buffer + done, got - done);

			done += written > 0 ? written : 0;
		}
	}
	close(trickle->to);
	return NULL;
}

static void *run_reader(void *argument)
{
	struct slow_reader *slow = argument;
	const void *record;
	struct recording_reader *reader;
	char path[32];
	int size;

	slow->problem = RECORDING_NOT_ONE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", slow->fd);
	if (recording_open(path, &reader) != 0)
		return NULL;
	while ((size = recording_read(reader, &record)) > 0)
		slow->count++;
	if (size == 0)
		slow->problem = recording_state(reader);
	recording_close(reader);
	return NULL;
}

struct pest {
	pthread_t victims[2];
	atomic_bool stop;
};

static void on_signal(int number)
{
}

/* Interrupts the system calls of its victims. */
static void *run_pest(void *argument)
{
	struct pest *pest = argument;

	while (!pest->stop) {
		pthread_kill(pest->victims[0], SIGUSR1);
		pthread_kill(pest->victims[1], SIGUSR1);
		usleep(100);
	}
	return NULL;
}

static void write_to_pipe(int fd)
{
	struct recording_writer *writer;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(recording_create(path, example, &writer), 0);
	assert_int_equal(close(fd), 0);
	write_records(writer, 0, PIPE_RECORDS);
	assert_int_equal(recording_finish(writer), 0);
}

/* The smallest pipe: every write stops short. */
static void make_small_pipe(int ret_ends[2])
{
	assert_int_equal(pipe2(ret_ends, O_CLOEXEC), 0);
	assert_true(fcntl(ret_ends[1], F_SETPIPE_SZ, 4096) >= 4096);
}

/* Partial reads and writes at both ends, and signals without SA_RESTART all the while. */
static void a_slow_pipe_loses_nothing(void **state)
{
	int first[2], second[2];
	struct sigaction action = {.sa_handler = on_signal};
	struct slow_reader slow = {0};
	struct trickle trickle;
	struct pest pest = {.victims = {pthread_self()}};
	pthread_t reader, trickler, pester;

	make_small_pipe(first);
	make_small_pipe(second);
	trickle = (struct trickle){first[0], second[1]};
	slow.fd = second[0];
	sigaction(SIGUSR1, &action, NULL);
	assert_int_equal(pthread_create(&trickler, NULL, run_trickle, &trickle), 0);
	assert_int_equal(pthread_create(&reader, NULL, run_reader, &slow), 0);
	pest.victims[1] = reader;
	assert_int_equal(pthread_create(&pester, NULL, run_pest, &pest), 0);
	write_to_pipe(first[1]);
	pest.stop = true;
	pthread_join(pester, NULL);
	pthread_join(trickler, NULL);
	pthread_join(reader, NULL);
	close(first[0]);
	close(second[0]);
	assert_int_equal(slow.problem, RECORDING_OK);
	assert_int_equal(slow.count, PIPE_RECORDS);
}

static int replace_fd(int fd, int with)
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	assert_true(saved >= 0);
	assert_int_equal(dup2(with, fd), fd);
	return saved;
}

static void restore_fd(int fd, int saved)
{
	assert_int_equal(dup2(saved, fd), fd);
	close(saved);
}

static void *drain_later(void *argument)
{
	struct slow_reader *slow = argument;

	usleep(20000);
	return run_reader(slow);
}

/* "-", and on a standard output that somebody made non-blocking. */
static void standard_output_may_be_non_blocking(void **state)
{
	int ends[2], saved, error;
	struct slow_reader slow = {0};
	struct recording_writer *writer;
	pthread_t thread;
	unsigned char record[REC_SIZE_MAX];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	slow.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, drain_later, &slow), 0);
	fflush(stdout);
	saved = replace_fd(STDOUT_FILENO, ends[1]);
	close(ends[1]);
	error = recording_create("-", example, &writer);
	for (int i = 0; i < PIPE_RECORDS && !error; i++)
		error = recording_write(writer, record, make_record(record, i));
	if (!error)
		error = recording_finish(writer);
	restore_fd(STDOUT_FILENO, saved);
	pthread_join(thread, NULL);
	close(ends[0]);
	assert_int_equal(error, 0);
	assert_int_equal(slow.problem, RECORDING_OK);
	assert_int_equal(slow.count, PIPE_RECORDS);
}

static void *write_later(void *argument)
{
	usleep(20000);
	write_to_pipe(*(int *)argument);
	return NULL;
}

static void standard_input_may_be_non_blocking(void **state)
{
	int ends[2], saved;
	struct recording_reader *reader;
	pthread_t thread;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	saved = replace_fd(STDIN_FILENO, ends[0]);
	assert_int_equal(pthread_create(&thread, NULL, write_later, &ends[1]), 0);
	assert_int_equal(recording_open("-", &reader), 0);
	assert_int_equal(read_records(reader, SIZE_MAX), PIPE_RECORDS);
	assert_int_equal(recording_state(reader), RECORDING_OK);
	recording_close(reader);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	pthread_join(thread, NULL);
	restore_fd(STDIN_FILENO, saved);
	close(ends[0]);
}

/* A live pipe: what was flushed is handed out before more comes. */
static void records_come_as_they_arrive(void **state)
{
	int ends[2];
	char path[32];
	struct recording_writer *writer;
	struct recording_reader *reader;
	const void *record;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	assert_int_equal(recording_create(path, example, &writer), 0);
	assert_int_equal(recording_flush(writer), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	assert_int_equal(recording_open(path, &reader), 0);
	close(ends[0]);
	close(ends[1]);
	for (size_t i = 0; i < 20; i++) {
		write_records(writer, i, i + 1);
		assert_int_equal(recording_flush(writer), 0);
		assert_true(recording_read(reader, &record) > 0);
		assert_int_equal(((const struct rec_header *)record)->time_ns, i);
	}
	assert_int_equal(recording_finish(writer), 0);
	assert_int_equal(recording_read(reader, &record), 0);
	assert_int_equal(recording_state(reader), RECORDING_OK);
	recording_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_record_is_refused),	  TEST(a_full_disk_is_reported_and_sticks),
		TEST(a_slow_pipe_loses_nothing),	  TEST(standard_output_may_be_non_blocking),
		TEST(standard_input_may_be_non_blocking), TEST(records_come_as_they_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
