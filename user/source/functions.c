/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/functions.h"

#include "source/attach.h"
#include "system/machine.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What an architecture without trampolines says (arm64 before 6.4): the kernel's own, no text knows it. */
#define KERNEL_ENOTSUPP 524

struct function {
	const char *program;
	const char *name;
	enum told told;
	int arity; /* the program for functions with so many arguments; 0: for all */
};

/* What is attached to a function last runs first: of two copies, the second comes before the first. */
static const struct function functions[] = {
	{"fexit_bind4_second", "inet_bind", TOLD_BIND, 0},
	{"fexit_bind4_first", "inet_bind", TOLD_BIND, 0},
	{"fexit_bind6_second", "inet6_bind", TOLD_BIND, 0},
	{"fexit_bind6_first", "inet6_bind", TOLD_BIND, 0},
	{"fentry_bind_call", "__sys_bind", TOLD_BIND, 0},
	{"fexit_bind_call", "__sys_bind", TOLD_BIND, 0},
	{"fexit_listen_second", "inet_listen", TOLD_LISTEN, 0},
	{"fexit_listen_first", "inet_listen", TOLD_LISTEN, 0},
	{"fentry_listen_call", "__sys_listen", TOLD_LISTEN, 0},
	{"fexit_listen_call", "__sys_listen", TOLD_LISTEN, 0},
	{"fexit_connect_tcp_second", "inet_stream_connect", TOLD_CONNECT, 0},
	{"fexit_connect_tcp_first", "inet_stream_connect", TOLD_CONNECT, 0},
	{"fexit_connect_udp_second", "inet_dgram_connect", TOLD_CONNECT, 0},
	{"fexit_connect_udp_first", "inet_dgram_connect", TOLD_CONNECT, 0},
	{"fentry_connect_call", "__sys_connect", TOLD_CONNECT, 0},
	{"fexit_connect_call", "__sys_connect", TOLD_CONNECT, 0},
	{"fexit_autobind_second", "inet_autobind", TOLD_AUTOBIND, 0},
	{"fexit_autobind_first", "inet_autobind", TOLD_AUTOBIND, 0},
	{"fexit_accept_of4_second", "inet_csk_accept", TOLD_ACCEPT, 4},
	{"fexit_accept_of4_first", "inet_csk_accept", TOLD_ACCEPT, 4},
	{"fexit_accept_of2_second", "inet_csk_accept", TOLD_ACCEPT, 2},
	{"fexit_accept_of2_first", "inet_csk_accept", TOLD_ACCEPT, 2},
};

#define N_FUNCTIONS (sizeof(functions) / sizeof(functions[0]))
_Static_assert(N_FUNCTIONS <= FUNCTIONS_MAX, "not every function has room for its link");

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

/* A program that writes 1 into the map's only value when the function returns. A descriptor or a negative
 * errno. */
static int load_trial(int function_id, int map)
{
	const struct bpf_insn program[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map},
		{0}, /* the second half of the address */
		{.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_btf_id = (uint32_t)function_id);
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "portsnoop_try", "GPL", program,
			       sizeof(program) / sizeof(program[0]), &options);

	return fd < 0 ? -errno : fd;
}

/* Calls the function: it fails at once, since there is no such descriptor, and nobody is told. */
static bool fires(int map)
{
	uint32_t first = 0, fired = 0;

	for (int i = 0; i < 3 && !fired; i++) {
		listen(-1, 0);
		if (bpf_map_lookup_elem(map, &first, &fired))
			return false;
	}
	return fired;
}

static int attach_trial(int program, int map)
{
	int link = bpf_raw_tracepoint_open(NULL, program), error = 0;

	if (link < 0)
		return -(errno == KERNEL_ENOTSUPP ? EOPNOTSUPP : errno);
	if (!fires(map))
		error = -FINDING_SILENT;
	close(link);
	return error;
}

static int try_function(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "__sys_listen", BTF_KIND_FUNC), map, program, error;

	if (id < 0)
		return -ENOENT;
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "portsnoop_try", sizeof(uint32_t), sizeof(uint32_t), 1,
			     NULL);
	if (map < 0)
		return -errno;
	program = load_trial(id, map);
	error = program < 0 ? program : attach_trial(program, map);
	if (program >= 0)
		close(program);
	close(map);
	return error;
}

int functions_probe(const struct btf *kernel)
{
	return machine_ftrace_is_off() ? -FINDING_OFF : try_function(kernel);
}

/* --- the functions ----------------------------------------------------------------------------------------
 */

/* Looking through the kernel's types takes a millisecond: rows of one function stand together. */
void functions_choose(struct bpf_object *object, const struct btf *kernel, bool no_udp_send)
{
	const char *name = "";
	int arity = -1;

	for (size_t i = 0; i < N_FUNCTIONS; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object, functions[i].program);

		if (no_udp_send && functions[i].told == TOLD_AUTOBIND)
			continue;
		if (strcmp(functions[i].name, name)) {
			name = functions[i].name;
			arity = arity_of(kernel, name);
		}
		if (program && arity > 0 && (!functions[i].arity || functions[i].arity == arity))
			bpf_program__set_autoload(program, true);
	}
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, "accept_adopt"), true);
}

/* What has a part that is not attached is told otherwise: its other parts go again. */
static void drop_incomplete(struct bpf_link *links[], const enum told told_by[], unsigned *n_links,
			    uint32_t missing)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *n_links; i++) {
		if (told_by[i] & missing)
			bpf_link__destroy(links[i]);
		else
			links[kept++] = links[i];
	}
	*n_links = kept;
}

/* The first error counts. A program that was not loaded is for a function that this kernel does not have. */
static void note_error(struct functions_told *result, enum told told, int error)
{
	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		if (told >> group & 1 && !result->errors[group])
			result->errors[group] = error;
}

/* Of a function whose number of arguments no program fits, none was loaded. */
static void note_untold(struct functions_told *result)
{
	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		if (!(result->told >> group & 1))
			note_error(result, 1u << group, ENOENT);
}

static uint32_t groups_with_errors(const struct functions_told *result)
{
	uint32_t groups = 0;

	for (unsigned group = 0; group < TOLD_GROUPS; group++)
		groups |= (uint32_t)(result->errors[group] != 0) << group;
	return groups;
}

struct functions_told functions_attach(const struct bpf_object *object, struct bpf_link *links[FUNCTIONS_MAX],
				       unsigned *ret_n_links)
{
	struct functions_told result = {0};
	enum told told_by[FUNCTIONS_MAX];
	unsigned n_links = 0;

	for (size_t i = 0; i < N_FUNCTIONS; i++) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(object, functions[i].program);
		bool loaded = program && bpf_program__fd(program) >= 0;
		struct bpf_link *link = loaded ? bpf_program__attach(program) : NULL;

		if (link) {
			told_by[n_links] = functions[i].told;
			links[n_links++] = link;
			result.told |= functions[i].told;
		} else if (loaded || !functions[i].arity) {
			note_error(&result, functions[i].told, loaded ? errno : ENOENT);
		}
	}
	note_untold(&result);
	drop_incomplete(links, told_by, &n_links, groups_with_errors(&result));
	result.told &= ~groups_with_errors(&result);
	*ret_n_links = n_links;
	return result;
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
