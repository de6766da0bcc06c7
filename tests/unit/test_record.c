/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything that later code reads without a check of its own is checked here, field by field. */
#include "core/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "records.h"

/* From memory that ends where the record ends, so that a look beyond is seen. */
static int decode(const union any_record *record, size_t size, struct record *ret_record)
{
	void *copy = malloc(size ? size : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, record, size);
	result = record_decode(copy, size, ret_record);
	free(copy);
	return result;
}

static void assert_good(const union any_record *record)
{
	struct record decoded;

	if (decode(record, record->header.size, &decoded))
		fail_msg("kind %u of %u bytes was refused", record->header.kind, record->header.size);
}

static void assert_bad(const union any_record *record)
{
	static const struct record untouched;
	struct record decoded = untouched;

	if (decode(record, record->header.size, &decoded) != -EBADMSG)
		fail_msg("kind %u of %u bytes was taken", record->header.kind, record->header.size);
	assert_memory_equal(&decoded, &untouched, sizeof(decoded));
}

#define FOR_EACH_KIND(kind) for (unsigned kind = REC_NONE + 1; kind < REC_KIND_COUNT; kind++)

/* --- every kind -------------------------------------------------------------------------------------------
 */

static void every_kind_is_taken(void **state)
{
	FOR_EACH_KIND(kind)
	{
		union any_record data;
		struct record record;

		make_record(&data, kind);
		assert_int_equal(record_decode(&data, data.header.size, &record), 0);
		assert_ptr_equal(record.header, &data.header);
		assert_ptr_equal(record.fact, kind_is_fact(kind) ? &data.fact : NULL);
		assert_ptr_equal(record.task,
				 kind_has_task(kind) && !kind_is_fact(kind) ? &data.fact.task : NULL);
		assert_null(record.socket);
	}
}

static void flags_say_what_is_there(void **state)
{
	for (unsigned kind = REC_BIND; kind <= REC_SOCKET; kind++) {
		union any_record data;
		struct record record;

		make_fact(&data, kind, 7, 8, 9);
		assert_int_equal(record_decode(&data, data.header.size, &record), 0);
		assert_ptr_equal(record.task, &data.fact.task);
		assert_ptr_equal(record.socket, &data.fact.socket);
	}
}

/* In kinds without a task or a socket, the flags mean nothing: what is there is something else. */
static void flags_make_no_parts(void **state)
{
	for (unsigned kind = REC_HOLDER; kind < REC_KIND_COUNT; kind++) {
		union any_record data;
		struct record record;

		if (kind_is_fact(kind))
			continue;
		make_record(&data, kind);
		data.header.flags = REC_F_TASK | REC_F_SOCKET;
		assert_int_equal(record_decode(&data, data.header.size, &record), 0);
		assert_true(!record.task == (kind != REC_HOLDER && kind != REC_EXEC));
		assert_null(record.socket);
	}
}

/* Somebody did it, or there is nothing to tell. */
static void processes_need_a_task(void **state)
{
	static const enum rec_kind kinds[] = {REC_PROCESS, REC_FORK, REC_EXIT, REC_HOLDER};
	union any_record data;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		make_record(&data, kinds[i]);
		data.header.flags &= ~REC_F_TASK;
		assert_bad(&data);
	}
}

/* --- sizes ------------------------------------------------------------------------------------------------
 */

static void size_fits_the_kind(void **state)
{
	FOR_EACH_KIND(kind)
	{
		for (size_t size = 0; size <= REC_SIZE_MAX; size++) {
			union any_record data;
			bool good = size == size_of_kind(kind);

			make_record(&data, kind);
			data.header.size = (uint16_t)size;
			if (kind == REC_META)
				good = size > sizeof(struct rec_meta) && size % 8 == 0;
			good ? assert_good(&data) : assert_bad(&data);
		}
	}
}

/* The header says how long it is; so does who hands it in. */
static void both_sizes_agree(void **state)
{
	FOR_EACH_KIND(kind)
	{
		union any_record data;
		struct record record;
		size_t size;

		make_record(&data, kind);
		size = data.header.size;
		for (size_t given = 0; given <= size; given++)
			assert_int_equal(decode(&data, given, &record), given == size ? 0 : -EBADMSG);
		data.header.size = (uint16_t)(size + 8);
		assert_int_equal(decode(&data, size, &record), -EBADMSG);
	}
}

static void nothing_beyond_the_longest(void **state)
{
	static _Alignas(8) unsigned char room[sizeof(union any_record) + 64];
	union any_record *data = (union any_record *)room;

	make_meta(data, META_HOST, 0, "x");
	data->header.size = REC_SIZE_MAX;
	assert_good(data);
	data->header.size = REC_SIZE_MAX + 8;
	assert_int_equal(record_decode(room, REC_SIZE_MAX + 8, &(struct record){0}), -EBADMSG);
}

/* --- the header -------------------------------------------------------------------------------------------
 */

static void enumerations_of_the_header(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		union any_record data;

		make_record(&data, REC_LOST);
		data.header.source = (uint8_t)value;
		value < SOURCE_COUNT ? assert_good(&data) : assert_bad(&data);
		make_record(&data, REC_LOST);
		data.header.probe = (uint8_t)value;
		value < PROBE_COUNT ? assert_good(&data) : assert_bad(&data);
	}
}

static void unknown_kinds(void **state)
{
	union any_record data;

	for (size_t size = 16; size <= REC_SIZE_MAX; size += 8) {
		make_record(&data, REC_LOST);
		data.header.size = (uint16_t)size;
		data.header.kind = REC_NONE;
		assert_bad(&data);
		data.header.kind = REC_KIND_COUNT;
		assert_bad(&data);
		data.header.kind = 255;
		assert_bad(&data);
	}
}

/* --- what is in it ----------------------------------------------------------------------------------------
 */

static void comm_ends_inside(void **state)
{
	FOR_EACH_KIND(kind)
	{
		union any_record data;

		if (!kind_has_task(kind))
			continue;
		make_record(&data, kind);
		set_task(&data, 1);
		memset(data.fact.task.comm, 'x', REC_COMM_LEN);
		assert_bad(&data);
		data.fact.task.comm[REC_COMM_LEN - 1] = '\0';
		assert_good(&data);
		if (!kind_is_fact(kind))
			continue;
		data.header.flags &= ~REC_F_TASK;
		data.fact.task.comm[REC_COMM_LEN - 1] = 'x';
		assert_good(&data); /* nobody will look */
	}
}

static void family_of_a_socket(void **state)
{
	for (unsigned family = 0; family < 256; family++) {
		for (unsigned kind = REC_BIND; kind <= REC_SOCKET; kind++) {
			union any_record data;

			make_fact(&data, kind, 1, 2, 3);
			data.fact.socket.family = (uint8_t)family;
			family == AF_INET || family == AF_INET6 ? assert_good(&data) : assert_bad(&data);
			data.header.flags &= ~REC_F_SOCKET;
			assert_good(&data);
		}
	}
}

static void texts_of_a_process(void **state)
{
	union any_record data;

	make_record(&data, REC_PROCESS);
	memset(data.process.path, 'x', REC_PATH_MAX + REC_ARGS_MAX);
	data.process.args_length = REC_ARGS_MAX;
	assert_good(&data);
	data.process.args_length = REC_ARGS_MAX + 1;
	assert_bad(&data);
	data.process.args_length = UINT16_MAX;
	assert_bad(&data);
	data.process.args_length = 0;
	data.header.flags |= PROCESS_F_TEXT_PATH;
	data.process.path_length = REC_PATH_MAX;
	assert_good(&data);
	data.process.path_length = REC_PATH_MAX + 1;
	assert_bad(&data);
	data.process.path_length = UINT16_MAX;
	assert_bad(&data);
}

/* Components end with a NUL each; the last one too. */
static void components_of_a_path(void **state)
{
	union any_record data;

	make_process(&data, 1, "nginx\0sbin\0usr", "");
	assert_good(&data);
	data.process.path_length--;
	assert_bad(&data);
	data.header.flags |= PROCESS_F_TEXT_PATH;
	assert_good(&data);
}

static void text_of_a_meta(void **state)
{
	union any_record data;

	make_meta(&data, META_USER, 0, "seven77");
	assert_int_equal(data.header.size, sizeof(struct rec_meta) + 8);
	assert_good(&data);
	data.meta.text[7] = 'x';
	assert_bad(&data);
	for (unsigned length = 8; length <= UINT16_MAX; length++) {
		data.meta.length = (uint16_t)length;
		assert_bad(&data);
	}
	data.meta.length = 7;
	data.meta.text[7] = '\0';
	data.meta.text[2] = '\0'; /* shorter than it says: no harm */
	assert_good(&data);
}

static void type_of_a_meta(void **state)
{
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		union any_record data;

		make_record(&data, REC_META);
		data.meta.type = (uint16_t)type;
		type > META_NONE &&type < META_TYPE_COUNT ? assert_good(&data) : assert_bad(&data);
	}
}

static void enumerations_of_a_close(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		union any_record data;

		make_fact(&data, REC_CLOSE, 1, 2, 3);
		data.close.reason = (uint8_t)value;
		value < CLOSE_REASON_COUNT ? assert_good(&data) : assert_bad(&data);
		data.close.reason = 0;
		data.close.direction = (uint8_t)value;
		value <= DIRECTION_OUT ? assert_good(&data) : assert_bad(&data);
	}
}

static void enumerations_of_a_ready(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		union any_record data;

		for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
			make_record(&data, REC_READY);
			data.ready.probes[fact] = (uint8_t)value;
			value < PROBE_COUNT ? assert_good(&data) : assert_bad(&data);
		}
		make_record(&data, REC_READY);
		data.ready.scope = (uint8_t)value;
		value <= SCOPE_CONTAINER ? assert_good(&data) : assert_bad(&data);
	}
}

static void stage_of_a_loss(void **state)
{
	union any_record data;

	make_record(&data, REC_LOST);
	for (unsigned stage = 0; stage < 64; stage++) {
		data.lost.stage = stage;
		stage < LOSS_STAGE_COUNT ? assert_good(&data) : assert_bad(&data);
	}
	data.lost.stage = UINT32_MAX;
	assert_bad(&data);
}

/* --- names ------------------------------------------------------------------------------------------------
 */

static void part_of_a_walk(void **state)
{
	union any_record data;
	struct record record;

	make_record(&data, REC_WALK);
	data.walk.part = WALK_PART_COUNT - 1;
	assert_int_equal(decode(&data, data.header.size, &record), 0);
	data.walk.part = WALK_PART_COUNT;
	assert_int_equal(decode(&data, data.header.size, &record), -EBADMSG);
}

static void public_kinds(void **state)
{
	static const enum rec_kind hidden[] = {REC_PROCESS, REC_FORK, REC_EXIT,	      REC_SOCKET,
					       REC_HOLDER,  REC_META, REC_EXEC,	      REC_WALK,
					       REC_PAST,    REC_ASK,  REC_DESTINATION};
	unsigned n_public = 0;

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		assert_false(record_is_public(hidden[i]));
	FOR_EACH_KIND(kind)
	n_public += record_is_public(kind);
	assert_int_equal(n_public, REC_KIND_COUNT - 1 - sizeof(hidden) / sizeof(hidden[0]));
	assert_false(record_is_public(REC_NONE));
	assert_false(record_is_public(REC_KIND_COUNT));
}

/* Every value in range has a name of its own, every other one is unknown. */
static void check_names(const char *(*name)(unsigned), unsigned first, unsigned count)
{
	for (unsigned value = first; value < count; value++) {
		assert_string_not_equal(name(value), "unknown");
		for (unsigned other = first; other < value; other++)
			assert_string_not_equal(name(value), name(other));
	}
	assert_string_equal(name(count), "unknown");
	assert_string_equal(name(UINT32_MAX), "unknown");
	if (first)
		assert_string_equal(name(0), "unknown");
}

static void names_of_values(void **state)
{
	check_names(record_kind_name, REC_NONE + 1, REC_KIND_COUNT);
	check_names(record_source_name, 0, SOURCE_COUNT);
	check_names(record_probe_name, 0, PROBE_COUNT);
	check_names(record_fact_name, 0, FACT_COUNT);
	check_names(record_stage_name, 0, LOSS_STAGE_COUNT);
	check_names(record_stage_advice, 0, LOSS_STAGE_COUNT);
	check_names(record_state_name, TCP_ESTABLISHED, 13);
	assert_string_equal(record_kind_name(REC_BIND), "bind");
	assert_string_equal(record_kind_name(REC_SUMMARY), "summary");
	assert_string_equal(record_source_name(SOURCE_POLL), "poll");
	assert_string_equal(record_probe_name(PROBE_PROC), "proc");
	assert_string_equal(record_fact_name(FACT_PROCESS), "process");
	assert_string_equal(record_stage_name(LOSS_TABLE), "table");
	assert_string_equal(record_state_name(TCP_LISTEN), "listen");
	assert_string_equal(record_state_name(TCP_TIME_WAIT), "time_wait");
	assert_string_equal(record_state_name(TCP_CLOSING), "closing");
}

static void names_that_may_be_missing(void **state)
{
	assert_null(record_reason_name(CLOSE_UNKNOWN));
	assert_string_equal(record_reason_name(CLOSE_LOCAL), "local");
	assert_string_equal(record_reason_name(CLOSE_PEER), "peer");
	assert_string_equal(record_reason_name(CLOSE_RESET), "reset");
	assert_string_equal(record_reason_name(CLOSE_TIMEOUT), "timeout");
	assert_null(record_reason_name(CLOSE_REASON_COUNT));
	assert_string_equal(record_transport_name(IPPROTO_TCP), "tcp");
	assert_string_equal(record_transport_name(IPPROTO_UDP), "udp");
	assert_string_equal(record_transport_name(IPPROTO_SCTP), "sctp");
	assert_string_equal(record_transport_name(IPPROTO_MPTCP), "mptcp");
	assert_null(record_transport_name(0));
	assert_null(record_transport_name(IPPROTO_UDPLITE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_taken),
		cmocka_unit_test(flags_say_what_is_there),
		cmocka_unit_test(flags_make_no_parts),
		cmocka_unit_test(processes_need_a_task),
		cmocka_unit_test(size_fits_the_kind),
		cmocka_unit_test(both_sizes_agree),
		cmocka_unit_test(nothing_beyond_the_longest),
		cmocka_unit_test(enumerations_of_the_header),
		cmocka_unit_test(unknown_kinds),
		cmocka_unit_test(comm_ends_inside),
		cmocka_unit_test(family_of_a_socket),
		cmocka_unit_test(texts_of_a_process),
		cmocka_unit_test(components_of_a_path),
		cmocka_unit_test(text_of_a_meta),
		cmocka_unit_test(type_of_a_meta),
		cmocka_unit_test(enumerations_of_a_close),
		cmocka_unit_test(enumerations_of_a_ready),
		cmocka_unit_test(stage_of_a_loss),
		cmocka_unit_test(part_of_a_walk),
		cmocka_unit_test(public_kinds),
		cmocka_unit_test(names_of_values),
		cmocka_unit_test(names_that_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
