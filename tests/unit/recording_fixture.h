/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of recordings share: records that say which one they are, files in memory (memfd), so that
 * thousands of them are cheap, and reading a file with every promise of recording_read() checked.
 */
#ifndef TESTS_UNIT_RECORDING_FIXTURE_H
#define TESTS_UNIT_RECORDING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include <portsnoop/event.h>

#include "io/recording.h"

#define HEADER_SIZE sizeof(struct recording_header)
#define FILE_MAX    (16 * 1024)

struct bytes {
	unsigned char data[FILE_MAX];
	size_t size;
};

struct file {
	int fd;
	char path[32];
};

static inline struct file make_file(void)
{
	struct file file = {.fd = memfd_create("recording", MFD_CLOEXEC)};

	assert_true(file.fd >= 0);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

static inline void set_content(const struct file *file, const void *data, size_t size)
{
	assert_int_equal(ftruncate(file->fd, 0), 0);
	assert_int_equal(pwrite(file->fd, data, size, 0), size);
}

static inline void get_content(const struct file *file, struct bytes *ret_bytes)
{
	ssize_t got = pread(file->fd, ret_bytes->data, sizeof(ret_bytes->data), 0);

	assert_in_range(got, 0, sizeof(ret_bytes->data) - 1);
	ret_bytes->size = got;
}

static inline size_t get_size(const struct file *file)
{
	struct stat info;

	assert_int_equal(fstat(file->fd, &info), 0);
	return info.st_size;
}

/* The i-th record: sizes 16, 24 ... 1280 and round again; content that says which one it is. */
static inline size_t make_record(unsigned char *record, size_t i)
{
	size_t size = 16 + i * 8 % (REC_SIZE_MAX - 8);
	struct rec_header header = {.size = size, .kind = i % REC_KIND_COUNT, .time_ns = i};
	uint32_t noise = i * 2654435761u + 1;

	for (size_t at = sizeof(header); at < size; at++) {
		noise = noise * 1664525u + 1013904223u;
		record[at] = noise >> 24;
	}
	memcpy(record, &header, sizeof(header));
	return size;
}

static inline void write_records(struct recording_writer *writer, size_t first, size_t end)
{
	unsigned char record[REC_SIZE_MAX];

	for (size_t i = first; i < end; i++) {
		size_t size = make_record(record, i);

		assert_int_equal(recording_write(writer, record, size), 0);
	}
}

/* Reads to the end and counts. The first ones, sure many, have to be those of make_record(). */
static inline size_t read_records(struct recording_reader *reader, size_t sure)
{
	unsigned char expected[REC_SIZE_MAX];
	const void *record;
	size_t count = 0;
	int size;

	while ((size = recording_read(reader, &record)) > 0) {
		const struct rec_header *header = record;

		assert_int_equal((uintptr_t)record % 8, 0);
		assert_int_equal(header->size, size);
		assert_true(size >= 16 && size <= REC_SIZE_MAX && size % 8 == 0);
		if (count < sure) {
			assert_int_equal(size, make_record(expected, count));
			assert_memory_equal(record, expected, size);
		}
		count++;
	}
	assert_int_equal(size, 0);
	assert_int_equal(recording_read(reader, &record), 0);
	return count;
}

/* Opens, reads all, closes. Returns the problem, of opening or of reading. */
static inline enum recording_problem read_file(const struct file *file, size_t sure, size_t *ret_count)
{
	struct recording_reader *reader = NULL;
	int problem = recording_open(file->path, &reader);

	*ret_count = 0;
	assert_true(problem >= 0);
	if (problem) {
		assert_null(reader);
		return problem;
	}
	*ret_count = read_records(reader, sure);
	problem = recording_state(reader);
	recording_close(reader);
	return problem;
}

static inline void assert_problem(const struct file *file, enum recording_problem problem, size_t count)
{
	size_t got;

	assert_int_equal(read_file(file, SIZE_MAX, &got), problem);
	assert_int_equal(got, count);
}

static const struct recording_header example = {
	.boot_id = "6d5f77c0-0000-4000-8000-0123456789ab",
	.clock_offset_ns = 1700000000123456789,
	.range_low = 32768,
	.range_high = 60999,
};

static inline struct recording_writer *create(const struct file *file)
{
	struct recording_writer *writer = NULL;

	assert_int_equal(recording_create(file->path, example, &writer), 0);
	assert_non_null(writer);
	return writer;
}

static inline void write_file(const struct file *file, size_t count)
{
	struct recording_writer *writer = create(file);

	write_records(writer, 0, count);
	assert_int_equal(recording_finish(writer), 0);
}

/* Twelve records, flushed after 4 and 9: where the file ended then goes to ret_flushed. */
static inline void write_small(const struct file *file, size_t ret_flushed[2])
{
	struct recording_writer *writer = create(file);

	write_records(writer, 0, 4);
	assert_int_equal(recording_flush(writer), 0);
	ret_flushed[0] = get_size(file);
	write_records(writer, 4, 9);
	assert_int_equal(recording_flush(writer), 0);
	ret_flushed[1] = get_size(file);
	write_records(writer, 9, 12);
	assert_int_equal(recording_finish(writer), 0);
}

static inline void set_header(const struct file *file, struct recording_header header)
{
	header.checksum = recording_checksum(header);
	assert_int_equal(pwrite(file->fd, &header, sizeof(header), 0), sizeof(header));
}

static inline struct recording_header get_header(const struct file *file)
{
	struct recording_header header;

	assert_int_equal(pread(file->fd, &header, sizeof(header), 0), sizeof(header));
	return header;
}

/* A file with a good header and a good gzip stream of whatever stream says. */
static inline void craft_file(const struct file *file, const void *stream, size_t size)
{
	z_stream deflater = {0};
	unsigned char out[FILE_MAX];

	write_file(file, 0);
	assert_int_equal(deflateInit2(&deflater, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	deflater.next_in = (Bytef *)stream;
	deflater.avail_in = size;
	deflater.next_out = out;
	deflater.avail_out = sizeof(out);
	assert_int_equal(deflate(&deflater, Z_FINISH), Z_STREAM_END);
	assert_int_equal(ftruncate(file->fd, HEADER_SIZE), 0);
	assert_int_equal(pwrite(file->fd, out, deflater.total_out, HEADER_SIZE), deflater.total_out);
	deflateEnd(&deflater);
}

/* How many whole records of make_record() zlib alone finds in what follows the header. */
static inline size_t count_whole(const unsigned char *data, size_t size)
{
	unsigned char out[FILE_MAX], record[REC_SIZE_MAX];
	z_stream inflater = {
		.next_in = (Bytef *)data, .avail_in = size, .next_out = out, .avail_out = sizeof(out)};
	size_t count = 0, at = 0;

	assert_int_equal(inflateInit2(&inflater, 15 + 16), Z_OK);
	inflate(&inflater, Z_SYNC_FLUSH);
	for (;;) {
		size_t length = make_record(record, count);

		if (at + length > inflater.total_out || memcmp(out + at, record, length) != 0)
			break;
		at += length;
		count++;
	}
	inflateEnd(&inflater);
	return count;
}

static inline int setup(void **state)
{
	struct file *file = malloc(sizeof(*file));

	if (!file)
		return -1;
	*file = make_file();
	*state = file;
	return 0;
}

static inline int teardown(void **state)
{
	struct file *file = *state;

	close(file->fd);
	free(file);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
