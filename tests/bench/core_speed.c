/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pure part alone: records a second through record_decode() and model_apply(), what a line of text or
 * JSON costs on top, and how much memory a connection takes in the tables. No kernel, no privileges.
 *
 * usage: core_speed ROUNDS CONNECTIONS
 *
 * {"records":…,"apply_ns":[…],"json_ns":[…],"text_ns":[…],"json_bytes":…,"text_bytes":…,
 *  "connections":…,"heap_bytes":…,"rss_anon_bytes":…}
 * The *_ns are CPU time by round for the whole mix of `records` records; json and text include applying.
 */
#include "mix.h"

#include "core/model.h"
#include "view/event.h"

#include <malloc.h>

/* --- the tables -------------------------------------------------------------------------------------------
 */

static void apply(struct model *model, const void *data, size_t size, struct change *ret_change)
{
	struct record record;

	if (record_decode(data, size, &record) || model_apply(model, &record, ret_change))
		die("a record was refused");
}

static void describe_process(struct model *model, unsigned pid)
{
	static const char args[] = "/usr/sbin/program\0--with\0some=arguments\0-v";
	struct rec_process record = {
		.header = header_of(REC_PROCESS, sizeof(record), 0),
		.task = task_of(pid),
		.parent_pid = 1,
		.path_length = sizeof("/usr/sbin/program") - 1,
		.args_length = sizeof(args),
		.path = "/usr/sbin/program",
	};
	struct change change;

	record.header.flags = REC_F_TASK | PROCESS_F_TEXT_PATH;
	memcpy(record.args, args, sizeof(args));
	apply(model, &record, sizeof(record), &change);
}

static void tell(struct model *model, enum meta_type type, uint64_t key, const char *text)
{
	union {
		struct rec_meta meta;
		char room[sizeof(struct rec_meta) + 64];
	} u = {.meta = {.key = key, .type = (uint16_t)type, .length = (uint16_t)strlen(text)}};
	struct change change;

	u.meta.header.kind = REC_META;
	u.meta.header.size = sizeof(u);
	memcpy(u.meta.text, text, strlen(text));
	apply(model, &u, sizeof(u), &change);
}

static struct model *model_with_names(void)
{
	struct model *model = model_new(NULL);

	if (!model)
		die("out of memory");
	tell(model, META_CLOCK, UINT64_C(1790000000000000000), "");
	tell(model, META_RANGE, NETNS, "32768 60999");
	tell(model, META_USER, 33, "www-data");
	tell(model, META_USER, 1000, "somebody");
	tell(model, META_SERVICE, (uint64_t)IPPROTO_TCP << 16 | 443, "https");
	tell(model, META_CGROUP, 42, "/system.slice/program.service");
	describe_process(model, SERVER_PID);
	for (unsigned i = 0; i < CLIENTS; i++)
		describe_process(model, CLIENT_PID(i));
	return model;
}

/* --- speed ------------------------------------------------------------------------------------------------
 */

enum view { VIEW_NONE, VIEW_JSON, VIEW_TEXT, VIEW_COUNT };

struct bench {
	struct model *model;
	struct mix mix;
	struct json_writer json;
	struct view_tally tally;
	struct view_options options;
	char line[EVENT_TEXT_MAX];
	size_t bytes[VIEW_COUNT]; /* printed in the last pass */
};

static size_t show(struct bench *bench, const struct change *change, enum view view)
{
	if (view == VIEW_NONE)
		return 0;
	if (view == VIEW_TEXT)
		return event_text(bench->line, sizeof(bench->line), bench->model, change, &bench->tally,
				  &bench->options);
	json_begin(&bench->json);
	event_json(&bench->json, bench->model, change, &bench->tally, &bench->options);
	if (json_finish(&bench->json))
		die("no JSON came of an event");
	return bench->json.length + 1;
}

static uint64_t pass(struct bench *bench, enum view view)
{
	uint64_t began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct change change;
	size_t bytes = 0;

	for (size_t at = 0; at < bench->mix.length;) {
		const struct rec_header *header = (const void *)(bench->mix.data + at);

		apply(bench->model, header, header->size, &change);
		bytes += show(bench, &change, view);
		at += header->size;
	}
	bench->bytes[view] = bytes;
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
}

static void print_times(const char *name, const uint64_t *times, unsigned rounds)
{
	printf("\"%s\":[", name);
	for (unsigned i = 0; i < rounds; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)times[i]);
	printf("],");
}

static void measure_speed(unsigned rounds)
{
	static struct bench bench;
	uint64_t *times = calloc(rounds * (size_t)VIEW_COUNT, sizeof(*times));

	if (!times)
		die("out of memory");
	bench.model = model_with_names();
	bench.mix = mix_of_connections();
	pass(&bench, VIEW_NONE);
	for (unsigned i = 0; i < rounds; i++)
		for (unsigned view = 0; view < VIEW_COUNT; view++)
			times[view * rounds + i] = pass(&bench, (enum view)view);
	printf("{\"records\":%u,", bench.mix.count);
	print_times("apply_ns", times + VIEW_NONE * rounds, rounds);
	print_times("json_ns", times + VIEW_JSON * rounds, rounds);
	print_times("text_ns", times + VIEW_TEXT * rounds, rounds);
	printf("\"json_bytes\":%zu,\"text_bytes\":%zu,", bench.bytes[VIEW_JSON], bench.bytes[VIEW_TEXT]);
	json_free(&bench.json);
	model_free(bench.model);
	free(bench.mix.data);
	free(times);
}

/* --- memory -----------------------------------------------------------------------------------------------
 */

static size_t heap_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static size_t rss_anon(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "RssAnon:", 8))
			kib = strtoul(line + 8, NULL, 10);
	if (file)
		fclose(file);
	return kib * 1024;
}

/* Accepted connections with peers elsewhere: one socket each. */
static void measure_memory(unsigned connections)
{
	struct mix one = {.capacity = sizeof(struct rec_accept)};
	struct model *model = model_with_names();
	size_t heap, anon;
	struct change change;

	one.data = malloc(one.capacity);
	if (!one.data)
		die("out of memory");
	malloc_trim(0);
	heap = heap_in_use();
	anon = rss_anon();
	for (unsigned i = 0; i < connections; i++) {
		one.length = 0;
		put_accept(&one, i);
		apply(model, one.data, one.length, &change);
	}
	if (model_socket_count(model) != connections)
		die("%zu of %u connections are in the table", model_socket_count(model), connections);
	printf("\"connections\":%u,\"heap_bytes\":%zu,\"rss_anon_bytes\":%zu}\n", connections,
	       heap_in_use() - heap, rss_anon() - anon);
	free(one.data);
	model_free(model);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: core_speed ROUNDS CONNECTIONS");
	measure_speed(count_of(argv[1]));
	measure_memory(count_of(argv[2]));
	return 0;
}
