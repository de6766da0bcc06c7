/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_FIRST 1024 /* entries; a bucket of the table must fit */
#define BATCH_MAX   32768

/* A table of the kernel, read in pieces. */
struct batch {
	int fd;
	size_t key_size, value_size;
	int (*row)(void *context, const void *key, const void *value);
	void *context;
	uint32_t room; /* entries */
	char *keys, *values;
};

static int batch_grow(struct batch *batch)
{
	uint32_t room = batch->room ? 2 * batch->room : BATCH_FIRST;
	char *keys = room <= BATCH_MAX ? malloc(room * batch->key_size) : NULL;
	char *values = keys ? malloc(room * batch->value_size) : NULL;

	if (!values) {
		free(keys);
		return -ENOMEM;
	}
	free(batch->keys);
	free(batch->values);
	batch->keys = keys;
	batch->values = values;
	batch->room = room;
	return 0;
}

static int batch_hand_out(const struct batch *batch, uint32_t count)
{
	int result = 0;

	for (uint32_t i = 0; i < count && !result; i++)
		result = batch->row(batch->context, batch->keys + i * batch->key_size,
				    batch->values + i * batch->value_size);
	return result;
}

/* From place to place, bucket by bucket (generic part of kernel/bpf/hashtab.c): no entry comes twice. */
static int batch_read_all(struct batch *batch)
{
	uint32_t place = 0, next = 0, count;
	bool begun = false;
	int result = batch_grow(batch), error = 0;

	while (!result && error != ENOENT) {
		count = batch->room;
		error = bpf_map_lookup_batch(batch->fd, begun ? &place : NULL, &next, batch->keys,
					     batch->values, &count, NULL)
				? errno
				: 0;
		if (error == ENOSPC) {
			result = batch_grow(batch);
			continue;
		}
		if (error && error != ENOENT)
			return -error;
		result = batch_hand_out(batch, count);
		begun = true;
		place = next;
	}
	return result;
}

static int batch_read(int fd, size_t key_size, size_t value_size,
		      int (*row)(void *context, const void *key, const void *value), void *context)
{
	struct batch batch = {
		.fd = fd, .key_size = key_size, .value_size = value_size, .row = row, .context = context};
	int result = batch_read_all(&batch);

	free(batch.keys);
	free(batch.values);
	return result;
}

/* --- the tables -------------------------------------------------------------------------------------------
 */

static int take_name(void *context, const void *key, const void *value)
{
	const struct counters_reader *reader = context;
	char text[COUNT_NAME_LEN + 1] = "";

	memcpy(text, key, COUNT_NAME_LEN);
	return reader->name(reader->context, *(const uint32_t *)value, text);
}

static int take_count(void *context, const void *key, const void *value)
{
	const struct counters_reader *reader = context;

	return reader->count(reader->context, key, value, false);
}

static int take_span(void *context, const void *key, const void *value)
{
	const struct counters_reader *reader = context;

	return reader->span(reader->context, key, value, false);
}

static int read_others(const struct counters *counters, const struct counters_reader *reader)
{
	int result = 0;

	for (uint32_t kind = 0; kind < COUNT_KIND_COUNT && !result; kind++) {
		const struct count_key key = {.kind = (uint8_t)kind};
		uint32_t index = kind < COUNT_FIRST_SPAN ? kind : kind - COUNT_FIRST_SPAN;
		struct count count;
		struct span span;

		if (!__atomic_load_n(&counters->counting->other[kind], __ATOMIC_RELAXED))
			continue;
		if (kind < COUNT_FIRST_SPAN &&
		    bpf_map_lookup_elem(counters->counts_other_fd, &index, &count) == 0)
			result = reader->count(reader->context, &key, &count, true);
		else if (kind >= COUNT_FIRST_SPAN &&
			 bpf_map_lookup_elem(counters->spans_other_fd, &index, &span) == 0)
			result = reader->span(reader->context, &key, &span, true);
	}
	return result;
}

int counters_read(const struct counters *counters, const struct counters_reader *reader)
{
	void *context = (void *)(uintptr_t)reader;
	int result = batch_read(counters->names_fd, COUNT_NAME_LEN, sizeof(uint32_t), take_name, context);

	if (!result)
		result = batch_read(counters->counts_fd, sizeof(struct count_key), sizeof(struct count),
				    take_count, context);
	if (!result)
		result = batch_read(counters->spans_fd, sizeof(struct count_key), sizeof(struct span),
				    take_span, context);
	return result ? result : read_others(counters, reader);
}

uint64_t counters_keys(const struct counters *counters)
{
	uint64_t keys = 0;

	for (int kind = 0; kind < COUNT_KIND_COUNT; kind++)
		keys += __atomic_load_n(&counters->counting->keys[kind], __ATOMIC_RELAXED);
	return keys;
}

/* --- keys of who is gone ----------------------------------------------------------------------------------
 */

bool counters_crowded(const struct counters *counters)
{
	static const uint64_t most[] = {
#define X(name, room) [COUNT_##name] = room,
		COUNT_KIND_LIST(X)
#undef X
	};
	const __u64 *keys = counters->counting->keys;

	return 2 * __atomic_load_n(&keys[COUNT_ACCEPT], __ATOMIC_RELAXED) > most[COUNT_ACCEPT] ||
	       2 * __atomic_load_n(&keys[COUNT_CLOSE], __ATOMIC_RELAXED) > most[COUNT_CLOSE];
}

struct retiring {
	const struct counters *counters;
	bool (*gone)(void *context, uint64_t cgroup_id);
	void *context;
	uint64_t last_id; /* neighbours are often of the same */
	bool last_gone;
};

/* What is counted under it just now is lost with it; nobody is left there to count for. */
static int retire_span(void *context, const void *key_bytes, const void *value)
{
	struct retiring *retiring = context;
	const struct count_key *key = key_bytes;

	if (!key->cgroup_id || key->kind >= COUNT_KIND_COUNT)
		return 0;
	if (key->cgroup_id != retiring->last_id) {
		retiring->last_id = key->cgroup_id;
		retiring->last_gone = retiring->gone(retiring->context, key->cgroup_id);
	}
	if (retiring->last_gone && bpf_map_delete_elem(retiring->counters->spans_fd, key) == 0)
		__atomic_fetch_sub(&retiring->counters->counting->keys[key->kind], 1, __ATOMIC_RELAXED);
	return 0;
}

int counters_retire(const struct counters *counters, bool (*gone)(void *context, uint64_t cgroup_id),
		    void *context)
{
	struct retiring retiring = {.counters = counters, .gone = gone, .context = context};

	return batch_read(counters->spans_fd, sizeof(struct count_key), sizeof(struct span), retire_span,
			  &retiring);
}

/* --- programs ---------------------------------------------------------------------------------------------
 */

int counters_each_program(const struct counters *counters,
			  int (*callback)(void *context, const struct counters_program *program),
			  void *context)
{
	struct bpf_program *program;
	int result = 0;

	bpf_object__for_each_program(program, counters->object)
	{
		struct bpf_prog_info info = {};
		uint32_t length = sizeof(info);
		struct counters_program row = {.name = bpf_program__name(program)};

		if (result || bpf_program__fd(program) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
			continue;
		row.missed = info.recursion_misses;
		row.runs = info.run_cnt;
		row.run_time_ns = info.run_time_ns;
		result = callback(context, &row);
	}
	return result;
}

int counters_measure_programs(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	return fd < 0 ? -errno : fd;
}

const char *counters_libbpf_version(void)
{
	const char *version = libbpf_version_string();

	return *version == 'v' ? version + 1 : version;
}
