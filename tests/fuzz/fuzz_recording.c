/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recording reader and writer. The first byte chooses what the rest is:
 *   F  a file; its header's checksum is put right, or nothing would get past it
 *   S  the stream of records inside a file that is otherwise in order
 *   R  a program for the writer, whose recording is then read back, whole and cut
 */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <portsnoop/event.h>

#include "io/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
	int fd;
	char path[32];
};

static struct file make_file(void)
{
	struct file file = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

	assert(file.fd >= 0);
	snprintf(file.path, sizeof(file.path), "/proc/self/fd/%d", file.fd);
	return file;
}

static void append(const struct file *file, const void *data, size_t size)
{
	assert(write(file->fd, data, size) == (ssize_t)size);
}

/* Reads to the end, holding the reader to its promises. expected, size bytes, is what the records begin with.
 */
static enum recording_problem read_all(const struct file *file, const uint8_t *expected, size_t size,
				       size_t *ret_total)
{
	struct recording_reader *reader = NULL;
	const void *record = NULL;
	int problem = recording_open(file->path, &reader), got;

	*ret_total = 0;
	assert(problem >= 0 && !problem == !!reader);
	if (problem)
		return problem;
	assert(memchr(recording_get_header(reader)->boot_id, 0,
		      sizeof(((struct recording_header *)0)->boot_id)));
	while ((got = recording_read(reader, &record)) > 0) {
		const struct rec_header *header = record;

		assert((uintptr_t)record % 8 == 0 && header->size == got);
		assert(got >= 16 && got <= REC_SIZE_MAX && got % 8 == 0);
		if (*ret_total + got <= size)
			assert(memcmp(record, expected + *ret_total, got) == 0);
		*ret_total += got;
	}
	assert(got == 0 && recording_read(reader, &record) == 0);
	problem = recording_state(reader);
	assert(problem == RECORDING_OK || problem == RECORDING_TRUNCATED || problem == RECORDING_DAMAGED);
	recording_close(reader);
	return problem;
}

/* F */
static void fuzz_file(const struct file *file, const uint8_t *data, size_t size)
{
	struct recording_header header;
	size_t more, total;

	append(file, data, size);
	if (size >= sizeof(header)) {
		memcpy(&header, data, sizeof(header));
		more = header.header_size - sizeof(header);
		if (more > size - sizeof(header))
			more = 0;
		header.checksum = crc32(recording_checksum(header), data + sizeof(header), more);
		assert(pwrite(file->fd, &header, sizeof(header), 0) == sizeof(header));
	}
	read_all(file, NULL, 0, &total);
}

static void append_compressed(const struct file *file, const uint8_t *data, size_t size)
{
	z_stream deflater = {0};
	size_t bound;
	uint8_t *out;

	assert(deflateInit2(&deflater, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	bound = deflateBound(&deflater, size);
	out = malloc(bound);
	if (!out)
		abort();
	deflater.next_in = (Bytef *)data;
	deflater.avail_in = size;
	deflater.next_out = out;
	deflater.avail_out = bound;
	assert(deflate(&deflater, Z_FINISH) == Z_STREAM_END);
	append(file, out, deflater.total_out);
	deflateEnd(&deflater);
	free(out);
}

/* How many bytes of whole records a stream begins with; *ret_whole: then its end mark and nothing more. */
static size_t judge_stream(const uint8_t *data, size_t size, bool *ret_whole)
{
	static const uint8_t end[] = {8, 0, 't', 'h', 'e', 'e', 'n', 'd'};
	size_t at = 0;

	for (;;) {
		uint16_t length = 0;

		if (size - at >= 8)
			memcpy(&length, data + at, sizeof(length));
		if (length < 16 || length > REC_SIZE_MAX || length % 8 || length > size - at)
			break;
		at += length;
	}
	*ret_whole = size - at == sizeof(end) && memcmp(data + at, end, sizeof(end)) == 0;
	return at;
}

/* S */
static void fuzz_stream(const struct file *file, const uint8_t *data, size_t size)
{
	struct recording_writer *writer;
	size_t total, sound;
	bool whole;

	assert(recording_create(file->path, (struct recording_header){0}, &writer) == 0);
	assert(recording_finish(writer) == 0);
	assert(ftruncate(file->fd, sizeof(struct recording_header)) == 0);
	assert(lseek(file->fd, 0, SEEK_END) == sizeof(struct recording_header));
	append_compressed(file, data, size);
	sound = judge_stream(data, size, &whole);
	assert(read_all(file, data, size, &total) == (whole ? RECORDING_OK : RECORDING_DAMAGED));
	assert(total == sound);
}

/* R: a byte 0xff flushes, any other is a record of so many times 8 bytes, filled from what follows. */
static void fuzz_writer(const struct file *file, const uint8_t *data, size_t size)
{
	uint8_t *records = malloc(size * REC_SIZE_MAX + 1), record[256 * 8];
	size_t length = 0, flushed = 0, flushed_size = 0, total;
	struct recording_writer *writer;
	uint32_t noise = size;

	if (!records)
		abort();
	assert(recording_create(file->path, (struct recording_header){0}, &writer) == 0);
	for (size_t i = 0; i < size; i++) {
		uint16_t record_size = data[i] * 8;
		bool good = record_size >= 16 && record_size <= REC_SIZE_MAX;

		if (data[i] == 0xff) {
			assert(recording_flush(writer) == 0);
			flushed = length;
			flushed_size = lseek(file->fd, 0, SEEK_END);
			continue;
		}
		for (size_t at = 0; at < sizeof(record); at++)
			record[at] = noise = noise * 5 + data[(i + at) % size];
		memcpy(record, &record_size, sizeof(record_size));
		assert(!recording_write(writer, record, record_size) == good);
		if (good)
			memcpy(records + length, record, record_size);
		length += good ? record_size : 0;
	}
	assert(recording_finish(writer) == 0);
	assert(read_all(file, records, length, &total) == RECORDING_OK && total == length);
	if (flushed_size > 0) {
		assert(ftruncate(file->fd, flushed_size) == 0);
		assert(read_all(file, records, length, &total) == RECORDING_TRUNCATED && total == flushed);
	}
	free(records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file file;

	if (size < 1)
		return 0;
	file = make_file();
	if (data[0] == 'F')
		fuzz_file(&file, data + 1, size - 1);
	else if (data[0] == 'S')
		fuzz_stream(&file, data + 1, size - 1);
	else if (data[0] == 'R')
		fuzz_writer(&file, data + 1, size - 1);
	close(file.fd);
	return 0;
}
