/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole recordings, flushed and cut ones, and files that are none or are from another version. */
#include <errno.h>

#include "recording_fixture.h"

/* --- a run that failed --- */

static void nothing_to_record_leaves_the_file_alone(void **state)
{
	const struct file *file = *state;
	char folder[] = "/tmp/test_recording_XXXXXX", path[64];
	struct recording_writer *writer;
	size_t count;

	write_file(file, 3);
	assert_int_equal(recording_abandon(create(file), file->path), 0);
	assert_int_equal(read_file(file, 0, &count), RECORDING_OK);
	assert_int_equal(count, 3);

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/new", folder);
	assert_int_equal(recording_create(path, example, &writer), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(recording_abandon(writer, path), 0);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(folder);

	writer = create(file);
	assert_int_equal(recording_write(writer, &(struct rec_header){.size = sizeof(struct rec_header)},
					 sizeof(struct rec_header)),
			 0);
	assert_int_equal(recording_abandon(writer, file->path), 0);
	assert_int_equal(read_file(file, 0, &count), RECORDING_OK);
	assert_int_equal(count, 1);
}

/* --- whole files --- */

static void an_empty_recording_is_whole(void **state)
{
	write_file(*state, 0);
	assert_problem(*state, RECORDING_OK, 0);
}

/* Many times the buffers of writer and reader. */
static void all_records_come_back(void **state)
{
	write_file(*state, 3000);
	assert_problem(*state, RECORDING_OK, 3000);
}

/* Compressible data makes the reader's output buffer the narrow place, not its input. */
static void long_runs_come_back(void **state)
{
	struct rec_header header = {.size = REC_SIZE_MAX};
	unsigned char record[REC_SIZE_MAX] = {0};
	struct recording_writer *writer = create(*state);
	size_t count;

	memcpy(record, &header, sizeof(header));
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(recording_write(writer, record, sizeof(record)), 0);
	assert_int_equal(recording_finish(writer), 0);
	assert_in_range(get_size(*state), 1, 5000 * sizeof(record) / 50);
	assert_int_equal(read_file(*state, 0, &count), RECORDING_OK);
	assert_int_equal(count, 5000);
}

static void the_header_comes_back(void **state)
{
	const struct file *file = *state;
	struct recording_reader *reader;
	const struct recording_header *header;

	write_file(file, 1);
	assert_int_equal(recording_open(file->path, &reader), 0);
	header = recording_get_header(reader);
	assert_int_equal(header->version, RECORDING_VERSION);
	assert_int_equal(header->schema, PORTSNOOP_SCHEMA);
	assert_string_equal(header->boot_id, example.boot_id);
	assert_int_equal(header->clock_offset_ns, example.clock_offset_ns);
	assert_int_equal(header->range_low, example.range_low);
	assert_int_equal(header->range_high, example.range_high);
	recording_close(reader);
}

static void boot_id_always_ends(void **state)
{
	const struct file *file = *state;
	struct recording_header header = example;
	struct recording_reader *reader;

	write_file(file, 0);
	header = get_header(file);
	memset(header.boot_id, 'x', sizeof(header.boot_id));
	set_header(file, header);
	assert_int_equal(recording_open(file->path, &reader), 0);
	assert_int_equal(recording_get_header(reader)->boot_id[sizeof(header.boot_id) - 1], '\0');
	recording_close(reader);
}

static void a_recording_is_private(void **state)
{
	char path[] = "/tmp/test_recording.XXXXXX";
	struct recording_writer *writer;
	struct stat info;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(recording_create(path, example, &writer), 0);
	assert_int_equal(recording_finish(writer), 0);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	unlink(path);
}

/* --- flushing and cutting --- */

static void a_flush_makes_it_readable(void **state)
{
	struct recording_writer *writer = create(*state);

	assert_int_equal(recording_flush(writer), 0);
	assert_problem(*state, RECORDING_TRUNCATED, 0);
	write_records(writer, 0, 3);
	assert_problem(*state, RECORDING_TRUNCATED, 0);
	assert_int_equal(recording_flush(writer), 0);
	assert_problem(*state, RECORDING_TRUNCATED, 3);
	write_records(writer, 3, 500);
	assert_int_equal(recording_flush(writer), 0);
	assert_problem(*state, RECORDING_TRUNCATED, 500);
	assert_int_equal(recording_finish(writer), 0);
	assert_problem(*state, RECORDING_OK, 500);
}

static void an_idle_flush_writes_nothing(void **state)
{
	struct recording_writer *writer = create(*state);
	size_t size;

	write_records(writer, 0, 3);
	assert_int_equal(recording_flush(writer), 0);
	size = get_size(*state);
	for (int i = 0; i < 100; i++)
		assert_int_equal(recording_flush(writer), 0);
	assert_int_equal(get_size(*state), size);
	assert_int_equal(recording_finish(writer), 0);
}

static void a_cut_anywhere_is_read_up_to_it(void **state)
{
	const struct file *file = *state;
	struct bytes whole;
	size_t flushed[2];

	write_small(file, flushed);
	get_content(file, &whole);
	for (size_t cut = whole.size - 1; cut > 0; cut--) {
		size_t before =
			cut > HEADER_SIZE ? count_whole(whole.data + HEADER_SIZE, cut - HEADER_SIZE) : 0;

		assert_int_equal(ftruncate(file->fd, cut), 0);
		assert_problem(file, RECORDING_TRUNCATED, before);
		assert_true(before >= (cut >= flushed[1] ? 9 : cut >= flushed[0] ? 4 : 0));
	}
	assert_int_equal(ftruncate(file->fd, 0), 0);
	assert_problem(file, RECORDING_TRUNCATED, 0);
	set_content(file, whole.data, whole.size);
	assert_problem(file, RECORDING_OK, 12);
}

/* How many records of 16 bytes zlib alone finds in what follows the header. */
static size_t count_short(const struct bytes *file, size_t cut)
{
	static unsigned char out[256 * 1024];
	z_stream inflater = {.next_out = out, .avail_out = sizeof(out)};

	assert_int_equal(inflateInit2(&inflater, 15 + 16), Z_OK);
	inflater.next_in = (Bytef *)file->data + HEADER_SIZE;
	inflater.avail_in = cut - HEADER_SIZE;
	inflate(&inflater, Z_SYNC_FLUSH);
	inflateEnd(&inflater);
	return inflater.total_out / 16;
}

/* Where one compressed byte stands for much, the reader's buffer is full while zlib still has more to give.
 */
static void a_cut_in_a_long_run_loses_nothing(void **state)
{
	const struct file *file = *state;
	struct recording_writer *writer = create(file);
	const struct rec_header record = {.size = sizeof(record)};
	struct bytes whole;
	size_t count;

	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(recording_write(writer, &record, sizeof(record)), 0);
	assert_int_equal(recording_finish(writer), 0);
	get_content(file, &whole);
	for (size_t cut = whole.size - 9; cut > HEADER_SIZE; cut--) {
		assert_int_equal(ftruncate(file->fd, cut), 0);
		assert_int_equal(read_file(file, 0, &count), RECORDING_TRUNCATED);
		assert_int_equal(count, count_short(&whole, cut));
	}
}

/* --- foreign files --- */

static void other_files_are_refused(void **state)
{
	set_content(*state, "#!/bin/sh\n", 10);
	assert_problem(*state, RECORDING_NOT_ONE, 0);
	set_content(*state, "p0rt", 4);
	assert_problem(*state, RECORDING_NOT_ONE, 0);
	/* What a transfer in text mode leaves of the magic. */
	write_file(*state, 1);
	assert_int_equal(pwrite(((struct file *)*state)->fd, "portsnoop\n\x1a\n", 13, 0), 13);
	assert_problem(*state, RECORDING_NOT_ONE, 0);
}

static void files_that_cannot_be_opened_say_why(void **state)
{
	struct recording_reader *reader = NULL;
	struct recording_writer *writer = NULL;

	assert_int_equal(recording_open("/proc/nonexistent/file", &reader), -ENOENT);
	assert_int_equal(recording_open("/proc", &reader), -EISDIR);
	assert_null(reader);
	assert_int_equal(recording_create("/proc/nonexistent/file", example, &writer), -ENOENT);
	assert_int_equal(recording_create("/proc", example, &writer), -EISDIR);
	assert_null(writer);
}

static void another_byte_order_is_refused(void **state)
{
	struct recording_header header;

	write_file(*state, 1);
	header = get_header(*state);
	header.endian = __builtin_bswap32(header.endian);
	header.version = __builtin_bswap32(header.version);
	header.header_size = __builtin_bswap32(header.header_size);
	set_header(*state, header);
	assert_problem(*state, RECORDING_OTHER_ENDIAN, 0);
}

static void a_newer_format_is_refused(void **state)
{
	struct recording_header header, old;

	write_file(*state, 1);
	old = header = get_header(*state);
	header.version++;
	set_header(*state, header);
	assert_problem(*state, RECORDING_TOO_NEW, 0);
	header = old;
	header.schema = PORTSNOOP_SCHEMA + 1;
	set_header(*state, header);
	assert_problem(*state, RECORDING_TOO_NEW, 0);
	set_header(*state, old);
	assert_problem(*state, RECORDING_OK, 1);
}

/* As a later version might write it: more behind our header, under the same checksum. */
static void lengthen_header(const struct file *file, size_t more)
{
	struct recording_header header = get_header(file);
	unsigned char rest[8192];
	struct bytes whole;

	get_content(file, &whole);
	memset(rest, 0xa5, more);
	header.header_size += more;
	header.checksum = crc32(recording_checksum(header), rest, more);
	assert_int_equal(pwrite(file->fd, &header, HEADER_SIZE, 0), HEADER_SIZE);
	assert_int_equal(pwrite(file->fd, rest, more, HEADER_SIZE), more);
	assert_int_equal(
		pwrite(file->fd, whole.data + HEADER_SIZE, whole.size - HEADER_SIZE, HEADER_SIZE + more),
		whole.size - HEADER_SIZE);
}

static void a_longer_header_is_skipped(void **state)
{
	const struct file *file = *state;

	write_file(file, 5);
	lengthen_header(file, 24);
	assert_problem(file, RECORDING_OK, 5);
	assert_int_equal(pwrite(file->fd, "x", 1, HEADER_SIZE + 7), 1);
	assert_problem(file, RECORDING_DAMAGED, 0);
	assert_int_equal(ftruncate(file->fd, HEADER_SIZE + 23), 0);
	assert_problem(file, RECORDING_TRUNCATED, 0);
}

static void an_implausible_header_size_is_damage(void **state)
{
	struct recording_header header;

	write_file(*state, 1);
	lengthen_header(*state, 8192);
	assert_problem(*state, RECORDING_DAMAGED, 0);
	header = get_header(*state);
	header.header_size = HEADER_SIZE - 8;
	set_header(*state, header);
	assert_problem(*state, RECORDING_DAMAGED, 0);
}

static void every_problem_has_words(void **state)
{
	for (int a = RECORDING_OK; a <= RECORDING_TRUNCATED; a++) {
		assert_string_not_equal(recording_strerror(a), recording_strerror(RECORDING_TRUNCATED + 1));
		for (int b = RECORDING_OK; b < a; b++)
			assert_string_not_equal(recording_strerror(a), recording_strerror(b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_to_record_leaves_the_file_alone),
		TEST(an_empty_recording_is_whole),
		TEST(all_records_come_back),
		TEST(long_runs_come_back),
		TEST(the_header_comes_back),
		TEST(boot_id_always_ends),
		TEST(a_recording_is_private),
		TEST(a_flush_makes_it_readable),
		TEST(an_idle_flush_writes_nothing),
		TEST(a_cut_anywhere_is_read_up_to_it),
		TEST(a_cut_in_a_long_run_loses_nothing),
		TEST(other_files_are_refused),
		TEST(files_that_cannot_be_opened_say_why),
		TEST(another_byte_order_is_refused),
		TEST(a_newer_format_is_refused),
		TEST(a_longer_header_is_skipped),
		TEST(an_implausible_header_size_is_damage),
		TEST(every_problem_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
