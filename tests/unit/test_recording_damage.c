/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings with any bit changed, and streams that say what no writer would. */
#include "recording_fixture.h"

/*
 * Every bit of the file, flipped. Only a bit that means nothing (padding of the compressed stream) may go
 * unnoticed, and then all must be as it was. What was flushed before the flip is handed out unharmed.
 */
static void a_flipped_bit_is_noticed(void **state)
{
	const struct file *file = *state;
	struct bytes whole;
	size_t flushed[2], count, unnoticed = 0;

	write_small(file, flushed);
	get_content(file, &whole);
	for (size_t bit = 0; bit < whole.size * 8; bit++) {
		size_t at = bit / 8, unharmed = at >= flushed[1] ? 9 : at >= flushed[0] ? 4 : 0;
		enum recording_problem problem;

		whole.data[at] ^= 1u << bit % 8;
		set_content(file, whole.data, whole.size);
		problem = read_file(file, unharmed, &count);
		assert_true(count >= unharmed);
		if (problem == RECORDING_OK) {
			assert_true(at >= HEADER_SIZE);
			assert_problem(file, RECORDING_OK, 12);
			unnoticed++;
		}
		whole.data[at] ^= 1u << bit % 8;
	}
	/* Up to 7 bits at each flush and at the end. */
	assert_in_range(unnoticed, 0, 21);
}

/* Within our header, the problem is the right one for each field. */
static void a_damaged_header_is_refused(void **state)
{
	const struct file *file = *state;
	struct bytes whole;

	write_file(file, 3);
	get_content(file, &whole);
	for (size_t at = 0; at < HEADER_SIZE; at++) {
		enum recording_problem problem = RECORDING_DAMAGED;

		if (at < offsetof(struct recording_header, endian))
			problem = RECORDING_NOT_ONE;
		else if (at >= offsetof(struct recording_header, version) &&
			 at < offsetof(struct recording_header, schema))
			problem = RECORDING_TOO_NEW;
		whole.data[at] ^= 0x20;
		set_content(file, whole.data, whole.size);
		assert_problem(file, problem, 0);
		whole.data[at] ^= 0x20;
	}
}

static void a_wrong_crc_is_damage(void **state)
{
	const struct file *file = *state;
	struct bytes whole;

	write_file(file, 12);
	get_content(file, &whole);
	for (size_t at = whole.size - 8; at < whole.size; at++) {
		whole.data[at] ^= 1;
		set_content(file, whole.data, whole.size);
		assert_problem(file, RECORDING_DAMAGED, 12);
		whole.data[at] ^= 1;
	}
}

static void anything_behind_the_end_is_damage(void **state)
{
	const struct file *file = *state;

	write_file(file, 12);
	assert_int_equal(pwrite(file->fd, "", 1, get_size(file)), 1);
	assert_problem(file, RECORDING_DAMAGED, 12);
}

/* What a stream of two good records and then this says. */
static void assert_tail(const struct file *file, const void *tail, size_t size,
			enum recording_problem problem)
{
	unsigned char stream[4096];
	size_t at = make_record(stream, 0);

	at += make_record(stream + at, 1);
	assert_true(at + size <= sizeof(stream));
	memcpy(stream + at, tail, size);
	craft_file(file, stream, at + size);
	assert_problem(file, problem, 2);
}

static void an_implausible_size_is_damage(void **state)
{
	static const uint16_t sizes[] = {0,	 1,	 7,	8, 9, 12, 15, 17, 20, REC_SIZE_MAX + 8,
					 0x8000, 0xfff8, 0xffff};
	unsigned char tail[REC_SIZE_MAX + 64] = {0};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memcpy(tail, &sizes[i], sizeof(sizes[i]));
		assert_tail(*state, tail, sizeof(tail), RECORDING_DAMAGED);
	}
}

static void the_end_mark_must_be_right(void **state)
{
	struct recording_end end = {.size = sizeof(end), .text = {'t', 'h', 'e', 'e', 'n', 'd'}};
	unsigned char tail[64] = {0};

	assert_tail(*state, &end, sizeof(end), RECORDING_OK);
	memcpy(tail, &end, sizeof(end));
	make_record(tail + sizeof(end), 2);
	/* Another record behind it, one byte behind it, none of it, a part of it, a wrong letter. */
	assert_tail(*state, tail, sizeof(end) + 32, RECORDING_DAMAGED);
	assert_tail(*state, tail, sizeof(end) + 1, RECORDING_DAMAGED);
	assert_tail(*state, tail, 0, RECORDING_DAMAGED);
	assert_tail(*state, tail, sizeof(end) - 1, RECORDING_DAMAGED);
	tail[7] ^= 1;
	assert_tail(*state, tail, sizeof(end), RECORDING_DAMAGED);
}

static void a_record_cut_by_the_stream_is_damage(void **state)
{
	unsigned char record[REC_SIZE_MAX];

	make_record(record, 2);
	assert_tail(*state, record, 24, RECORDING_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flipped_bit_is_noticed),
		TEST(a_damaged_header_is_refused),
		TEST(a_wrong_crc_is_damage),
		TEST(anything_behind_the_end_is_damage),
		TEST(an_implausible_size_is_damage),
		TEST(the_end_mark_must_be_right),
		TEST(a_record_cut_by_the_stream_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
