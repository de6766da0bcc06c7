/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording says again what was said live, byte by byte; a damaged one says what it can. */
#include "act.h"
#include "exec_actor.h"
#include "load.h"
#include "scenarios.h"
#include "tool.h"
#include "truth.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void recording_path(const struct scene *scene, char path[512])
{
	snprintf(path, 512, "%s/%s.recording", scene->out_dir, scene->name);
}

/* Binds, connections and failures of all sorts, some by processes that are gone at once. */
static void act_variously(struct scene *scene)
{
	struct load load = {.ending = CLIENT_FIRST, .count = scene_count(scene, 200), .server = "127.0.0.1"};
	union address nobody = address_of("127.0.0.1", 8100), taken = address_of("127.0.0.1", 8101);
	char file[512];
	const char *const argv[] = {"a bind\nof two lines",
				    EXEC_ACTOR_FLAG,
				    exec_actor_file(scene, file),
				    "bind",
				    "127.0.0.1",
				    "8102",
				    "\x1b[31m\xff",
				    NULL};
	int fd = act_socket(scene, AF_INET, SOCK_STREAM), other = act_socket(scene, AF_INET, SOCK_STREAM);

	act_connect(scene, fd, &nobody);
	close(fd);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	act_bind(scene, fd, &taken);
	act_bind(scene, other, &taken);
	close(other);
	act_close(scene, fd, NULL, "reason=local");
	actor_join(scene, exec_actor_start(scene, argv));
	unlink(file);
	load_run(scene, &load);
}

static void compare(struct scene *scene, const char *what, const char *live, size_t live_length,
		    const struct tool_result *replayed)
{
	if (replayed->status)
		scene_fail(scene, "%s: exit code %d: %s", what, replayed->status, replayed->err);
	if (replayed->out_length == live_length && !memcmp(replayed->out, live, live_length))
		return;
	scene_fail(scene, "%s: %zu bytes live, %zu replayed, and they differ; see %s", what, live_length,
		   replayed->out_length, replayed->out_path);
}

/* The text output has no live twin in the same run: it must come out the same twice, without control bytes.
 */
static void check_text(struct scene *scene, const char *recording)
{
	struct tool_result first, second;

	tool_run(scene, &first, NULL, "trace", "-o", "text", "--from", recording, NULL);
	tool_run(scene, &second, NULL, "replay", "-o", "text", recording, NULL);
	compare(scene, "text", first.out, first.out_length, &second);
	for (size_t i = 0; i < first.out_length; i++)
		if ((unsigned char)first.out[i] < ' ' && first.out[i] != '\n')
			scene_fail(scene, "a control byte in the text, at %zu", i);
	if (!strstr(first.out, "8101") || !strstr(first.out, "EADDRINUSE"))
		scene_fail(scene, "the text lacks a failed bind");
	tool_result_free(&first);
	tool_result_free(&second);
}

void save_replay(struct scene *scene)
{
	char recording[512], *live;
	struct tool_result replayed;
	struct tool tool;
	size_t length;

	recording_path(scene, recording);
	tool_start(&tool, scene, "--save", recording, NULL);
	act_variously(scene);
	tool_settle(&tool);
	tool_end(&tool);
	live = file_read(scene, tool.out_path, &length);
	tool_run(scene, &replayed, NULL, "trace", "--json", "--from", recording, NULL);
	compare(scene, "JSON", live, length, &replayed);
	tool_result_free(&replayed);
	free(live);
	check_text(scene, recording);
	unlink(recording);
}

/* --- damage -----------------------------------------------------------------------------------------------
 */

static void write_file(struct scene *scene, const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file))
		scene_fail(scene, "cannot write %s", path);
}

/* Cut in the middle: the lines before the cut are the live ones, and the cut is told. */
static void check_cut(struct scene *scene, const char *path, const char *bytes, size_t length,
		      const char *live)
{
	struct tool_result result;

	write_file(scene, path, bytes, length);
	tool_run(scene, &result, NULL, "trace", "--json", "--from", path, NULL);
	if (result.status == 0 || result.status > 100)
		scene_fail(scene, "cut at %zu: exit code %d", length, result.status);
	if (!result.err_length)
		scene_fail(scene, "cut at %zu: not a word about it", length);
	if (strncmp(result.out, live, result.out_length))
		scene_fail(scene, "cut at %zu: other lines than before", length);
	scene_note(scene, "cut at %zu: %zu bytes of lines, exit code %d, %.*s", length, result.out_length,
		   result.status, (int)strcspn(result.err, "\n"), result.err);
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "top", "--batch", "1", "--from", path, NULL);
	if (result.status == 0 || result.status > 100 || !result.err_length)
		scene_fail(scene, "top of what is cut at %zu: exit code %d, %s", length, result.status,
			   result.err);
	tool_result_free(&result);
}

/* A byte changed anywhere: no crash, and not a line that is no JSON. */
static void check_damage(struct scene *scene, const char *path, char *bytes, size_t length, size_t at)
{
	struct tool_result result;
	json_error_t error;
	char *rest, *line;

	bytes[at] ^= 0x55;
	write_file(scene, path, bytes, length);
	bytes[at] ^= 0x55;
	tool_run(scene, &result, NULL, "trace", "--json", "--from", path, NULL);
	if (result.status > 100)
		scene_fail(scene, "byte %zu changed: exit code %d", at, result.status);
	rest = result.out;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *parsed = json_loads(line, JSON_DECODE_INT_AS_REAL, &error);

		if (!parsed)
			scene_fail(scene, "byte %zu changed: a line is no JSON: %s", at, error.text);
		json_decref(parsed);
	}
	tool_result_free(&result);
}

void error_recording(struct scene *scene)
{
	char recording[512], *bytes, *live;
	struct tool_result result;
	struct tool tool;
	size_t length;

	recording_path(scene, recording);
	tool_start(&tool, scene, "--save", recording, NULL);
	act_variously(scene);
	tool_settle(&tool);
	tool_end(&tool);
	bytes = file_read(scene, recording, &length);
	live = file_read(scene, tool.out_path, NULL);
	check_cut(scene, recording, bytes, length / 2, live);
	check_cut(scene, recording, bytes, length - 1, live);
	check_cut(scene, recording, bytes, 10, live);
	check_cut(scene, recording, bytes, 0, live);
	for (size_t i = 0; i < 20; i++)
		check_damage(scene, recording, bytes, length, i * (length - 1) / 19);
	free(bytes);
	free(live);
	unlink(recording);
	tool_run(scene, &result, NULL, "trace", "--from", "/nowhere/at/all", NULL);
	if (!result.status || !strstr(result.err, "/nowhere/at/all"))
		scene_fail(scene, "a missing recording: exit code %d, %s", result.status, result.err);
	tool_result_free(&result);
}
