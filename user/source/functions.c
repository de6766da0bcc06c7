/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/functions.h"

#include "source/attach.h"
#include "source/firing.h"
#include "system/machine.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What an architecture without trampolines says (arm64 before 6.4): the kernel's own, no text knows it. */
#define KERNEL_ENOTSUPP 524

struct function {
	const char *program;
	const char *name;
	uint32_t told;
	int arity; /* the program for functions with so many arguments; 0: for all */
};

#define BINDS (TOLD_BIND | TOLD_BIND_ERROR)

/* What is attached to a function last runs first: of two copies, the second comes before the first. */
static const struct function functions[] = {
	{"fexit_bind4_second", "inet_bind", BINDS, 0},
	{"fexit_bind4_first", "inet_bind", BINDS, 0},
	{"fexit_bind6_second", "inet6_bind", BINDS, 0},
	{"fexit_bind6_first", "inet6_bind", BINDS, 0},
	{"fentry_bind_call", "__sys_bind", BINDS, 0},
	{"fexit_bind_call_second", "__sys_bind", BINDS, 0},
	{"fexit_bind_call_first", "__sys_bind", BINDS, 0},
	{"fexit_listen_second", "inet_listen", TOLD_LISTEN, 0},
	{"fexit_listen_first", "inet_listen", TOLD_LISTEN, 0},
	{"fentry_listen_call", "__sys_listen", TOLD_LISTEN, 0},
	{"fexit_listen_call_second", "__sys_listen", TOLD_LISTEN, 0},
	{"fexit_listen_call_first", "__sys_listen", TOLD_LISTEN, 0},
	{"fexit_connect_tcp_second", "inet_stream_connect", TOLD_CONNECT, 0},
	{"fexit_connect_tcp_first", "inet_stream_connect", TOLD_CONNECT, 0},
	{"fexit_connect_udp_second", "inet_dgram_connect", TOLD_CONNECT, 0},
	{"fexit_connect_udp_first", "inet_dgram_connect", TOLD_CONNECT, 0},
	{"fentry_connect_call", "__sys_connect", TOLD_CONNECT, 0},
	{"fexit_connect_call_second", "__sys_connect", TOLD_CONNECT, 0},
	{"fexit_connect_call_first", "__sys_connect", TOLD_CONNECT, 0},
	{"fexit_autobind_second", "inet_autobind", TOLD_AUTOBIND, 0},
	{"fexit_autobind_first", "inet_autobind", TOLD_AUTOBIND, 0},
	{"fexit_accept_of4_second", "inet_csk_accept", TOLD_ACCEPT, 4},
	{"fexit_accept_of4_first", "inet_csk_accept", TOLD_ACCEPT, 4},
	{"fexit_accept_of2_second", "inet_csk_accept", TOLD_ACCEPT, 2},
	{"fexit_accept_of2_first", "inet_csk_accept", TOLD_ACCEPT, 2},
};

#define N_FUNCTIONS (sizeof(functions) / sizeof(functions[0]))
_Static_assert(N_FUNCTIONS <= GROUPS_LINKS_MAX, "not every function has room for its link");

/* Of a function in BTF; -1 when it is not there. */
static int arity_of(const struct btf *kernel, const char *name)
{
	int id = btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(kernel, (uint32_t)id);

	type = type ? btf__type_by_id(kernel, type->type) : NULL;
	return type ? btf_vlen(type) : -1;
}

/* --- the trial --------------------------------------------------------------------------------------------
 */

static int attach_trial(const struct firing *firing)
{
	int link = bpf_raw_tracepoint_open(NULL, firing->program), error = 0;

	if (link < 0)
		return -(errno == KERNEL_ENOTSUPP ? EOPNOTSUPP : errno);
	if (!firing_is_seen(firing))
		error = -FINDING_SILENT;
	close(link);
	return error;
}

static int try_function(const struct btf *kernel)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT);
	int id = btf__find_by_name_kind(kernel, FIRING_FUNCTION, BTF_KIND_FUNC), error;
	struct firing firing;

	if (id < 0)
		return -ENOENT;
	options.attach_btf_id = (uint32_t)id;
	error = firing_open(&firing, BPF_PROG_TYPE_TRACING, &options);
	if (error)
		return error;
	error = attach_trial(&firing);
	firing_close(&firing);
	return error;
}

int functions_probe(const struct btf *kernel)
{
	return machine_ftrace_is_off() ? -FINDING_OFF : try_function(kernel);
}

/* --- the functions ----------------------------------------------------------------------------------------
 */

static uint32_t load(struct bpf_object *object, const struct function *function)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, function->program);

	if (!program)
		return 0;
	bpf_program__set_autoload(program, true);
	return function->told;
}

/* Looking through the kernel's types takes a millisecond: rows of one function stand together. */
uint32_t functions_choose(struct bpf_object *object, const struct btf *kernel, bool no_udp_send)
{
	uint32_t chosen = 0, lacking = 0;
	const char *name = "";
	int arity = -1;

	for (size_t i = 0; i < N_FUNCTIONS; i++) {
		const struct function *function = &functions[i];

		if (no_udp_send && function->told == TOLD_AUTOBIND)
			continue;
		if (strcmp(function->name, name)) {
			name = function->name;
			arity = arity_of(kernel, name);
		}
		if (arity <= 0)
			lacking |= function->told;
		else if (!function->arity || function->arity == arity)
			chosen |= load(object, function);
	}
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "accept_adopt"), true);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "subflow_bound4"), true);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "subflow_bound6"), true);
	return chosen & ~lacking;
}

/* A program that was not loaded is for a function that this kernel does not have, or not with its arguments.
 */
struct functions_told functions_attach(const struct bpf_object *object, struct bpf_link *links[],
				       unsigned *n_links)
{
	struct groups groups = {0};
	uint32_t wanted = 0;

	for (size_t i = 0; i < N_FUNCTIONS; i++) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(object, functions[i].program);
		bool loaded = program && bpf_program__fd(program) >= 0;
		struct bpf_link *link = loaded ? bpf_program__attach(program) : NULL;

		wanted |= functions[i].told;
		if (link)
			groups_add(&groups, functions[i].told, link);
		else if (loaded || !functions[i].arity)
			groups_fail(&groups, functions[i].told, loaded ? errno : ENOENT);
	}
	return groups_settle(&groups, wanted, links, n_links);
}

bool functions_accepts_remain(const struct bpf_object *object)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(object, "accepts_inside");
	uint32_t tid;

	return map && bpf_map_get_next_key(bpf_map__fd(map), NULL, &tid) == 0;
}

bool functions_accepts_inside(const struct bpf_object *object)
{
	attach_run_iterator(bpf_object__find_program_by_name(object, "accept_adopt"));
	return functions_accepts_remain(object);
}
