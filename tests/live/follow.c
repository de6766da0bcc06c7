/* SPDX-License-Identifier: GPL-2.0-only */
/* `trace -- COMMAND`: the command, its children and nobody else, and the command's exit code. */
#include "act.h"
#include "exec_actor.h"
#include "ledger.h"
#include "scenarios.h"
#include "truth.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Binds that have nothing to do with the command, as long as it runs. */
static void stranger(struct scene *scene, void *context)
{
	atomic_bool *over = context;

	while (!atomic_load(over)) {
		/* Any port: the tool's walk may hold on to a descriptor for some microseconds
		 * (docs/kernels.md). */
		union address address = address_of("127.0.0.1", 0);
		int fd = act_socket(scene, AF_INET, SOCK_STREAM);

		scene_must(scene, bind(fd, &address.any, address_length(&address)), "bind");
		close(fd);
	}
}

static void check_ends(struct scene *scene, const char *out)
{
	const char *last;

	if (strncmp(out, "{\"timestamp\"", 12) || !strstr(out, "\"event_name\":\"ready\""))
		scene_fail(scene, "the output does not begin with `ready`");
	last = strrchr(out, '{') ? strstr(out, "\"event_name\":\"summary\"") : NULL;
	if (!last)
		scene_fail(scene, "there is no summary");
}

void follow(struct scene *scene)
{
	char path[512], file[512];
	const char *self = exec_actor_path(path), *truth = exec_actor_file(scene, file);
	atomic_bool *over = shared_new(scene, sizeof(*over));
	struct tool_result result;
	pid_t pid = actor_start(scene, stranger, over);

	tool_run(scene, &result, NULL, "trace", "--json", "--", self, EXEC_ACTOR_FLAG, truth, "family",
		 "127.0.0.1", "8300", "37", NULL);
	atomic_store(over, true);
	actor_join(scene, pid);
	if (result.status != 37)
		scene_fail(scene, "the command ended with 37, the tool with %d: %s", result.status,
			   result.err);
	exec_actor_collect(scene);
	check_ends(scene, result.out);
	ledger_check_file(scene, result.out_path, NULL);
	tool_result_free(&result);
	tool_run(scene, &result, NULL, "trace", "--json", "--", "/no/such/command", NULL);
	if (result.status != 127 && result.status != 2)
		scene_fail(scene, "a command that is not there: exit code %d", result.status);
	tool_result_free(&result);
}
