/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A function that others trace so much that there is no place left for us: the kernel takes three dozen
 * programs at each (BPF_MAX_TRAMP_LINKS, include/linux/bpf.h). Its facts are then told by what was not even
 * loaded, since the function was to replace it; all others stay as they are.
 */
#include "act.h"
#include "event.h"
#include "ledger.h"
#include "scenarios.h"
#include "tool.h"

#include "source/kernel_types.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTION   "inet_listen"
#define PLACES_MAX 64
#define PORT	   7840

struct crowd {
	int programs[PLACES_MAX], links[PLACES_MAX];
	int n;
};

/* One more that does nothing at the function's return. 0 or a negative errno. */
static int crowd_grow(struct crowd *crowd, uint32_t function)
{
	static const struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
						  {.code = BPF_JMP | BPF_EXIT}};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_id = function);
	int program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "crowd", "GPL", nothing, 2, &options);
	int link = program < 0 ? -1 : bpf_raw_tracepoint_open(NULL, program);

	if (link < 0) {
		int error = -errno;

		if (program >= 0)
			close(program);
		return error;
	}
	crowd->programs[crowd->n] = program;
	crowd->links[crowd->n++] = link;
	return 0;
}

static void crowd_shrink(struct crowd *crowd)
{
	crowd->n--;
	close(crowd->links[crowd->n]);
	close(crowd->programs[crowd->n]);
}

/* Until one place is left: for the first of a pair. */
static void crowd_fill(struct scene *scene, struct crowd *crowd)
{
	struct fault fault = {0};
	struct btf *kernel;
	int error = kernel_types_read(&kernel, &fault), id;

	if (error)
		scene_fail(scene, "%s", fault.text);
	id = btf__find_by_name_kind(kernel, FUNCTION, BTF_KIND_FUNC);
	btf__free(kernel);
	while (!error && crowd->n < PLACES_MAX)
		error = crowd_grow(crowd, id > 0 ? (uint32_t)id : 0);
	if (!crowd->n)
		scene_skip(scene, "this kernel does not let returns of functions be traced: %s",
			   strerror(-error));
	if (error != -E2BIG)
		scene_fail(scene, "after %d programs at " FUNCTION ": %s", crowd->n, strerror(-error));
	scene_note(scene, "%d programs have a place at " FUNCTION, crowd->n);
	crowd_shrink(crowd);
}

void functions_crowded(struct scene *scene)
{
	struct crowd crowd = {.n = 0};
	struct tool tool;

	crowd_fill(scene, &crowd);
	tool_start(&tool, scene, "--backend", "fentry", NULL);
	tool_expect_told_by(&tool, "listen", "tracepoint");
	tool_expect_told_by(&tool, "accept", "fentry");
	tool_expect_told_by(&tool, "bind_error", "fentry");
	act_connection(scene, PORT);
	tool_settle(&tool);
	tool_end(&tool);
	ledger_check(&tool, NULL);
	while (crowd.n)
		crowd_shrink(&crowd);
}
