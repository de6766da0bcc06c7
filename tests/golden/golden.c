/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records in, lines out: each cases/NAME.in is applied to a model; what is printed must be NAME.txt and
 * NAME.json, `has FIELD` must agree with every JSON line, and every JSON line must be valid by the schema.
 *
 * usage: golden [--update] [DIRECTORY]      from the top of the tree; --update writes what should have come
 *
 * A line of a case is a record (text_record.h) or
 *     at SECONDS                time since boot of the next record; each one is 1 ms behind the one before
 *     options [WORD...]         numeric no_args verbose colour utc=SECONDS: from here on these and no others
 *     show ports|processes|connections [FILTER...]
 *     who PORT [FILTER...]
 *     ephemeral
 *     tick                      a refresh of top is due: folds its rates
 *     top VIEW [FILTER...]      as `top --batch` prints it
 *     details VIEW ROW          what Enter shows of that row, counted from 1
 */
#include "text_record.h"

#include <dirent.h>
#include <sys/wait.h>

#include "core/filter.h"
#include "core/model.h"
#include "core/subject.h"
#include "core/subject_field.h"
#include "json_paths.h"
#include "top_case.h"
#include "view/ephemeral.h"
#include "view/event.h"
#include "view/list.h"
#include "view/port_table.h"
#include "view/who.h"

#define STEP_NS	      1000000
#define PATH_TEXT_MAX 512
#define HOLDERS_ROOM  64

struct run {
	struct model *model;
	struct view_options options;
	struct view_tally tally;
	struct json_writer json;
	uint64_t time_ns;
	FILE *text_out, *json_out;
	struct top_collection top;
	unsigned disagreements; /* between `has` and the lines */
};

/* --- `has` against the lines ------------------------------------------------------------------------------
 */

static bool path_is_there(const struct json_paths *paths, const char *name)
{
	for (size_t i = 0; i < paths->n; i++)
		if (!strcmp(paths->path[i], name))
			return true;
	return false;
}

static void disagree(struct run *run, const char *what, const char *name, const char *line)
{
	fprintf(stderr, "%s: %s\n    %.400s\n", what, name, line);
	run->disagreements++;
}

static void compare_fields(struct run *run, const struct filter_subject *subject, const char *line)
{
	struct json_paths paths = json_paths_of(line);

	/* These options leave fields out of a line that has them. */
	if (run->options.numeric || run->options.no_args)
		return;
	for (size_t i = 0; i < paths.n; i++)
		if (!subject->has_field(subject->has_field_context, paths.path[i]))
			disagree(run, "in the line, but `has` says no", paths.path[i], line);
	for (size_t i = 0; subject_field_name(i); i++)
		if (subject->has_field(subject->has_field_context, subject_field_name(i)) &&
		    !path_is_there(&paths, subject_field_name(i)))
			disagree(run, "not in the line, but `has` says yes", subject_field_name(i), line);
}

/* --- events -----------------------------------------------------------------------------------------------
 */

static bool is_about_trace(unsigned kind)
{
	return kind == REC_READY || kind == REC_LOST || kind == REC_RESYNC || kind == REC_SUMMARY;
}

static void print_change(struct run *run, const struct change *change)
{
	char line[EVENT_TEXT_MAX];
	size_t length = event_text(line, sizeof(line), run->model, change, &run->tally, &run->options);
	struct subject_storage storage;

	fwrite(line, 1, length, run->text_out);
	json_begin(&run->json);
	event_json(&run->json, run->model, change, &run->tally, &run->options);
	if (json_finish(&run->json))
		give_up("event_json() wrote no JSON value");
	fprintf(run->json_out, "%s\n", run->json.data);
	if (!is_about_trace(change->record.header->kind))
		compare_fields(run, subject_of_change(run->model, change, &storage), run->json.data);
}

static void do_record(struct run *run, const struct words *words)
{
	static union any_record data;
	struct record record;
	struct change change;

	run->time_ns += STEP_NS;
	read_record(&data, words, run->time_ns);
	if (record_decode(&data, data.header.size, &record))
		give_up("this record is not valid");
	if (model_apply(run->model, &record, &change))
		give_up("model_apply() failed");
	top_collect(&run->top, run->model, &change);
	if (!record_is_public(data.header.kind))
		return;
	if (data.header.kind == REC_READY)
		run->tally.ready_ns = run->time_ns;
	if (!is_about_trace(data.header.kind))
		run->tally.events[data.header.kind]++;
	print_change(run, &change);
}

/* --- tables -----------------------------------------------------------------------------------------------
 */

static void compare_row(struct run *run, const struct socket_row *row, int direction, const char *line)
{
	struct filter_process room[HOLDERS_ROOM];
	struct subject_storage storage;

	subject_of_row(run->model, row, NULL, room, HOLDERS_ROOM, &storage);
	if (direction >= 0)
		storage.subject.direction = direction;
	compare_fields(run, &storage.subject, line);
}

/* The rows stand in the order of the table that they were made from, ports first. */
static void compare_rows(struct run *run, const struct port_table *table, char *lines)
{
	size_t i = 0;

	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"), i++) {
		const struct connection_row *connection = &table->connections[i - table->n_ports];

		if (i < table->n_ports)
			compare_row(run, table->ports[i].socket, -1, line);
		else
			compare_row(run, connection->socket, connection->direction, line);
	}
}

static void compare_list(struct run *run, enum list_what what, const struct filter *filter, char *lines)
{
	struct port_table table;

	if (port_table_read(run->model, &table) || port_table_filter(&table, run->model, filter))
		give_up("no memory");
	if (what == LIST_CONNECTIONS)
		table.n_ports = 0;
	compare_rows(run, &table, lines);
	port_table_free(&table);
}

static void show_json(struct run *run, enum list_what what, struct list_options *options)
{
	char *lines;
	size_t length;
	FILE *out = open_memstream(&lines, &length);

	options->json = true;
	if (!out || list_print(out, run->model, what, options))
		give_up("list_print() failed");
	fclose(out);
	fwrite(lines, 1, length, run->json_out);
	if (what != LIST_PROCESSES)
		compare_list(run, what, options->filter, lines);
	free(lines);
}

static void do_show(struct run *run, struct words *words)
{
	static const char *const whats[] = {"ports", "processes", "connections", NULL};
	enum list_what what = (enum list_what)parse_name(words->n > 1 ? words->word[1] : "", whats);
	struct list_options options = {
		.view = run->options, .now_ns = run->time_ns, .holders_as_of_ns = run->time_ns};
	struct filter_error error;
	struct filter *filter;

	if (filter_parse(words->word + 2, words->n - 2, NULL, &filter, &error))
		give_up("filter: %s", error.message);
	options.filter = filter;
	if (list_print(run->text_out, run->model, what, &options))
		give_up("list_print() failed");
	show_json(run, what, &options);
	filter_free(filter);
}

static void who_json(struct run *run, struct who_options *options)
{
	struct port_table table;
	char *lines;
	size_t length;
	FILE *out = open_memstream(&lines, &length);
	bool held;

	options->list.json = true;
	if (!out || who_print(out, run->model, options, &held) || who_read(run->model, options, &table))
		give_up("who_print() failed");
	fclose(out);
	fwrite(lines, 1, length, run->json_out);
	compare_rows(run, &table, lines);
	port_table_free(&table);
	free(lines);
}

static void do_who(struct run *run, struct words *words)
{
	struct who_options options = {
		.list = {.view = run->options, .now_ns = run->time_ns, .holders_as_of_ns = run->time_ns}};
	struct filter_error error;
	struct filter *filter;
	struct port_spec spec;
	bool held;

	if (words->n < 2 || port_spec_parse(words->word[1], NULL, &spec, &error))
		give_up("who: %s", words->n < 2 ? "a port must follow" : error.message);
	if (filter_parse(words->word + 2, words->n - 2, NULL, &filter, &error))
		give_up("filter: %s", error.message);
	options.list.filter = filter;
	options.filtered = words->n > 2;
	options.spec = &spec;
	if (who_print(run->text_out, run->model, &options, &held))
		give_up("who_print() failed");
	fprintf(run->text_out, "(%s)\n", held ? "held" : "free");
	who_json(run, &options);
	filter_free(filter);
}

static void do_ephemeral(struct run *run)
{
	struct ephemeral_options options = {
		.view = run->options, .now_ns = run->time_ns, .home_netns = 4026531840u};

	if (ephemeral_print(run->text_out, run->model, &options))
		give_up("ephemeral_print() failed");
	options.json = true;
	if (ephemeral_print(run->json_out, run->model, &options))
		give_up("ephemeral_print() failed");
}

static void do_top(struct run *run, struct words *words)
{
	const struct top_source source = {.model = run->model, .view = run->options, .now_ns = run->time_ns};

	if (!strcmp(words->word[0], "top"))
		top_case_print(&run->top, run->text_out, &source, words);
	else
		top_case_details(&run->top, run->text_out, &source, words);
}

/* --- a case -----------------------------------------------------------------------------------------------
 */

static void do_options(struct run *run, const struct words *words)
{
	run->options = (struct view_options){0};
	for (size_t i = 1; i < words->n; i++) {
		const char *word = words->word[i];

		if (!strcmp(word, "numeric"))
			run->options.numeric = true;
		else if (!strcmp(word, "no_args"))
			run->options.no_args = true;
		else if (!strcmp(word, "verbose"))
			run->options.verbose = true;
		else if (!strcmp(word, "colour"))
			run->options.colour = true;
		else if (!strncmp(word, "utc=", 4))
			run->options.utc_offset_s = atoi(word + 4);
		else
			give_up("'%s' is no option", word);
	}
}

static void do_line(struct run *run, char *line)
{
	struct words words;

	split_words(line, &words);
	if (!words.n || words.word[0][0] == '#')
		return;
	if (!strcmp(words.word[0], "at") && words.n == 2)
		run->time_ns = (uint64_t)(strtod(words.word[1], NULL) * 1e9 + 0.5) - STEP_NS;
	else if (!strcmp(words.word[0], "options"))
		do_options(run, &words);
	else if (!strcmp(words.word[0], "show"))
		do_show(run, &words);
	else if (!strcmp(words.word[0], "who"))
		do_who(run, &words);
	else if (!strcmp(words.word[0], "ephemeral"))
		do_ephemeral(run);
	else if (!strcmp(words.word[0], "tick"))
		rates_tick(run->top.rates, run->time_ns + STEP_NS);
	else if (!strcmp(words.word[0], "top") || !strcmp(words.word[0], "details"))
		do_top(run, &words);
	else
		do_record(run, &words);
}

static unsigned run_case(const char *path, FILE *text_out, FILE *json_out)
{
	struct run run = {.model = model_new(NULL), .text_out = text_out, .json_out = json_out};
	FILE *in = fopen(path, "r");
	char *line = NULL, titles[256];
	size_t room = 0;

	if (!in || !run.model || !top_collection_open(&run.top))
		give_up("cannot read %s", path);
	event_text_header(titles, sizeof(titles), &run.options);
	fputs(titles, text_out);
	while (getline(&line, &room, in) >= 0)
		do_line(&run, line);
	free(line);
	fclose(in);
	json_free(&run.json);
	top_collection_close(&run.top);
	model_free(run.model);
	return run.disagreements;
}

/* --- comparing --------------------------------------------------------------------------------------------
 */

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *content = NULL;
	size_t room = 0;

	if (!in)
		return NULL;
	if (getdelim(&content, &room, EOF, in) < 0) {
		free(content);
		content = strdup("");
	}
	fclose(in);
	return content;
}

static void show_difference(const char *path, const char *expected, const char *got)
{
	size_t line = 1, begin = 0, i = 0;

	for (; expected[i] && expected[i] == got[i]; i++) {
		if (expected[i] != '\n')
			continue;
		line++;
		begin = i + 1;
	}
	printf("%s:%zu:\n  expected %.*s\n  got      %.*s\n", path, line,
	       (int)strcspn(expected + begin, "\n"), expected + begin, (int)strcspn(got + begin, "\n"),
	       got + begin);
}

static bool check_file(const char *path, const char *got, bool update)
{
	char *expected = read_file(path);
	bool same = expected && !strcmp(expected, got);
	FILE *out;

	if (!same && update) {
		out = fopen(path, "w");
		if (!out || fputs(got, out) < 0 || fclose(out))
			give_up("cannot write %s", path);
		same = true;
	} else if (!same) {
		show_difference(path, expected ? expected : "", got);
	}
	free(expected);
	return same;
}

/* name is without the suffix. */
static bool check_case(const char *directory, const char *name, bool update)
{
	char path[PATH_TEXT_MAX], *text, *json;
	size_t text_length, json_length;
	FILE *text_out = open_memstream(&text, &text_length), *json_out = open_memstream(&json, &json_length);
	bool good;

	if (!text_out || !json_out)
		give_up("no memory");
	snprintf(path, sizeof(path), "%s/%s.in", directory, name);
	good = !run_case(path, text_out, json_out);
	fclose(text_out);
	fclose(json_out);
	snprintf(path, sizeof(path), "%s/%s.txt", directory, name);
	good &= check_file(path, text, update);
	snprintf(path, sizeof(path), "%s/%s.json", directory, name);
	good &= check_file(path, json, update);
	free(text);
	free(json);
	printf("%s golden/%s\n", good ? "ok" : "FAILED", name);
	return good;
}

static int is_case(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 3 && !strcmp(entry->d_name + length - 3, ".in");
}

/* The validator's own test comes with it: that it refuses these lines once they are mutated. */
static bool check_schema(const char *directory)
{
	char command[2 * PATH_TEXT_MAX];
	int status;

	fflush(stdout);
	snprintf(command, sizeof(command),
		 "tests/schema/validate %s/*.json && tests/schema/validate --self-test %s/*.json", directory,
		 directory);
	status = system(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("skipped golden/schema: python3 has no fastjsonschema\n");
		return true;
	}
	printf("%s golden/schema\n", status ? "FAILED" : "ok");
	return !status;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && !strcmp(argv[1], "--update"), good = true;
	const char *directory = argc > 1 + update ? argv[1 + update] : "tests/golden/cases";
	struct dirent **entries;
	int n = scandir(directory, &entries, is_case, alphasort);

	if (n <= 0)
		give_up("no cases in %s", directory);
	for (int i = 0; i < n; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - 3] = '\0';
		good &= check_case(directory, entries[i]->d_name, update);
		free(entries[i]);
	}
	free(entries);
	good &= check_schema(directory);
	return good ? 0 : 1;
}
