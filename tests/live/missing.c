/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine without something that the tool builds on: what is left still works, and what does not is said.
 * Each run has a mount namespace of its own, in which the thing is covered.
 */
#include "act.h"
#include "cover.h"
#include "exec_actor.h"
#include "ledger.h"
#include "offer.h"
#include "scenarios.h"
#include "tool.h"
#include "truth.h"

#include <string.h>

#define PORT 8571 /* nobody listens there */

/* --- what came out ----------------------------------------------------------------------------------------
 */

struct output {
	char probes[1024]; /* of `ready`, as JSON */
	unsigned refused;  /* connects to our port that failed, with their process */
};

static void look(struct scene *scene, const json_t *event, void *context)
{
	const char *name = event_string(event, "event_name");
	struct output *output = context;

	(void)scene;
	if (!strcmp(name, "ready")) {
		char *text = json_dumps(event_at(event, "portsnoop.backends"), JSON_COMPACT);

		snprintf(output->probes, sizeof(output->probes), "%s", text ? text : "");
		free(text);
	}
	output->refused += !strcmp(name, "connect") && event_number(event, "network.peer.port") == PORT &&
			   !strcmp(event_string(event, "error.type"), "ECONNREFUSED") &&
			   !strcmp(event_string(event, "portsnoop.comm"), "live");
}

static struct output trace_a_refusal(struct scene *scene, int (*prepare)(void), const char *complaint)
{
	const struct tool_run options = {.prepare = prepare};
	struct output output = {0};
	struct tool_result result;
	char path[512], port[8];

	snprintf(port, sizeof(port), "%d", PORT);
	tool_run(scene, &result, &options, "trace", "--json", "--backend", "tracepoint", "--",
		 exec_actor_path(path), EXEC_ACTOR_FLAG, "/dev/null", "refused", "127.0.0.1", port, NULL);
	if (result.status)
		scene_fail(scene, "exit code %d: %s", result.status, result.err);
	if (complaint ? !strstr(result.err, complaint) : *offer_complaints(&result))
		scene_fail(scene, "expected on stderr: %s; found: %s", complaint ? complaint : "nothing",
			   result.err);
	scene_note(scene, "%.*s", (int)strcspn(result.err, "\n"), result.err);
	tool_each_line(scene, result.out_path, look, &output);
	tool_result_free(&result);
	if (output.refused != 1)
		scene_fail(scene, "the refused connect was shown %u times, not once", output.refused);
	return output;
}

static void expect_probe(struct scene *scene, const struct output *output, const char *fact, bool there)
{
	char key[64];

	snprintf(key, sizeof(key), "\"%s\":", fact);
	if (!strstr(output->probes, key) == there)
		scene_fail(scene, "`ready` does not say that %s is %s: %s", fact,
			   there ? "there" : "not there", output->probes);
}

/* --- the scenarios ----------------------------------------------------------------------------------------
 */

void error_no_btf(struct scene *scene)
{
	static const char *const commands[] = {"trace", "ls"};
	const struct tool_run options = {.prepare = cover_btf};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct tool_result result;

		tool_run(scene, &result, &options, commands[i], NULL);
		if (result.status != 3 || !strstr(result.err, "CONFIG_DEBUG_INFO_BTF"))
			scene_fail(scene, "%s: exit code %d, stderr: %s", commands[i], result.status,
				   result.err);
		if (result.out_length)
			scene_fail(scene, "%s: output nevertheless: %s", commands[i], result.out);
		tool_result_free(&result);
	}
}

void without_cgroup2(struct scene *scene)
{
	struct output output = trace_a_refusal(scene, cover_cgroup2, NULL);

	expect_probe(scene, &output, "bind", true);
	output = trace_a_refusal(scene, cover_cgroup2_for_good,
				 "cgroup v2 is neither mounted nor mountable here (Operation not permitted)");
	expect_probe(scene, &output, "bind", false);
	expect_probe(scene, &output, "close", true);
}

void without_tracefs(struct scene *scene)
{
	struct output output = trace_a_refusal(scene, cover_tracefs, NULL);

	expect_probe(scene, &output, "listen", true);
	output = trace_a_refusal(scene, cover_tracefs_for_good,
				 "tracefs is neither mounted nor mountable here (Operation not permitted)");
	expect_probe(scene, &output, "listen", false);
	expect_probe(scene, &output, "bind", true);
}

/* --- which hooks are used ---------------------------------------------------------------------------------
 */

static void accept_one(struct scene *scene, const char *backend, const char *hook)
{
	struct tool tool;

	tool_start(&tool, scene, "--backend", backend, NULL);
	act_connection(scene, PORT);
	tool_settle(&tool);
	tool_end(&tool);
	tool_expect_told_by(&tool, "accept", hook);
	ledger_check(&tool, NULL);
	truth_clear(scene->truth);
}

/* One that the kernel refuses is refused with the kernel's reason; one that it allows is used. */
static bool accept_one_forced(struct scene *scene, const char *backend, const char *reason)
{
	struct tool_result result;
	bool works;

	tool_run(scene, &result, NULL, "trace", "--backend", backend, "--duration", "100ms", NULL);
	works = result.status == 0;
	if (works)
		accept_one(scene, backend, backend);
	else if (result.status != 3 || !strstr(result.err, reason))
		scene_fail(scene, "%s: exit code %d: %s", backend, result.status, result.err);
	else
		scene_note(scene, "%.*s", (int)strcspn(result.err, "\n"), result.err);
	tool_result_free(&result);
	return works;
}

/* Left to itself it takes the best of those that work when they are forced. */
void backend_choice(struct scene *scene)
{
	const char *best = "tracepoint";

	accept_one(scene, "tracepoint", "tracepoint");
	if (accept_one_forced(scene, "kprobe", "does not let functions be probed ("))
		best = "kprobe";
	if (accept_one_forced(scene, "fentry", "does not let returns of functions be traced ("))
		best = "fentry";
	accept_one(scene, "auto", best);
}
