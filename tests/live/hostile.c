/* SPDX-License-Identifier: GPL-2.0-only */
/* Names and arguments that other processes choose, and their environment, which is none of our business. */
#include "act.h"
#include "exec_actor.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *const hostile_texts[] = {
	"\x1b[31mred",	 "\x1b]0;title\x07", "two\nlines",  "\xff\xfe\xc0\x80",
	"\"},{\"a\":\"", "\\u0000\\",	     "\302\23331m", /* the C1 form of an escape */
};
#define N_HOSTILE (sizeof(hostile_texts) / sizeof(hostile_texts[0]))

static void bind_under_name(struct scene *scene, void *context)
{
	union address address = address_of("127.0.0.1", 8500);
	int fd;

	prctl(PR_SET_NAME, context);
	fd = act_socket(scene, AF_INET, SOCK_STREAM);
	act_bind(scene, fd, &address);
	act_close(scene, fd, NULL, "reason=local");
}

static void bind_with_arguments(struct scene *scene)
{
	char file[512];
	const char *argv[7 + N_HOSTILE] = {hostile_texts[0], EXEC_ACTOR_FLAG, exec_actor_file(scene, file),
					   "bind",	     "127.0.0.1",     "8501"};

	memcpy(argv + 6, hostile_texts, sizeof(hostile_texts));
	actor_join(scene, exec_actor_start(scene, argv));
	exec_actor_collect(scene);
}

/* The text of a recording: newlines end lines, all other control bytes are somebody's attempt. */
static void check_text(struct scene *scene, const char *recording)
{
	struct tool_result result;

	tool_run(scene, &result, NULL, "trace", "-v", "-o", "text", "--from", recording, NULL);
	if (result.status)
		scene_fail(scene, "exit code %d: %s", result.status, result.err);
	for (size_t i = 0; i < result.out_length; i++) {
		unsigned char byte = (unsigned char)result.out[i];

		if ((byte < ' ' && byte != '\n') || byte == 0x7f)
			scene_fail(scene, "byte 0x%02x in the text, at %zu", byte, i);
		if (byte == 0xc2 && (unsigned char)result.out[i + 1] < 0xa0)
			scene_fail(scene, "a C1 control character in the text, at %zu", i);
	}
	if (strstr(result.out, "\nlines"))
		scene_fail(scene, "a name broke a line");
	tool_result_free(&result);
}

void hostile_names(struct scene *scene)
{
	char recording[512];
	struct tool tool;

	snprintf(recording, sizeof(recording), "%s/%s.recording", scene->out_dir, scene->name);
	tool_start(&tool, scene, "--save", recording, NULL);
	for (size_t i = 0; i < N_HOSTILE; i++)
		actor_join(scene, actor_start(scene, bind_under_name, (void *)hostile_texts[i]));
	bind_with_arguments(scene);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL); /* which parses every line */
	check_text(scene, recording);
	unlink(recording);
}

/* --- the environment --------------------------------------------------------------------------------------
 */

#define SECRET "swordfish-8c1f"

static void with_secret(struct scene *scene, void *context)
{
	char file[512];
	const char *const argv[] = {"secretive", EXEC_ACTOR_FLAG, exec_actor_file(scene, file),
				    "bind",	 "127.0.0.1",	  "8510",
				    NULL};

	if (setenv("LIVE_SECRET", SECRET, 1) || setenv("A", SECRET, 1))
		scene_fail(scene, "setenv: %s", strerror(errno));
	actor_join(scene, exec_actor_start(scene, argv));
}

static void search(struct scene *scene, const char *path)
{
	size_t length;
	char *bytes = file_read(scene, path, &length);

	if (memmem(bytes, length, SECRET, strlen(SECRET)))
		scene_fail(scene, "an environment variable of a traced process stands in %s", path);
	free(bytes);
}

void environment_stays_secret(struct scene *scene)
{
	char recording[512];
	struct tool_result result;
	struct tool tool;

	snprintf(recording, sizeof(recording), "%s/%s.recording", scene->out_dir, scene->name);
	tool_start(&tool, scene, "--save", recording, NULL);
	actor_join(scene, actor_start(scene, with_secret, NULL));
	exec_actor_collect(scene);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
	search(scene, tool.out_path);
	search(scene, recording);
	tool_run(scene, &result, NULL, "trace", "-v", "-o", "text", "--from", recording, NULL);
	search(scene, result.out_path);
	if (!strstr(result.out, "secretive"))
		scene_fail(scene, "the arguments are not there either: %s", result.out_path);
	tool_result_free(&result);
	unlink(recording);
}
