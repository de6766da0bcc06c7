/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbpf puts this kernel's offsets into the programs from an excerpt of its types: they come out as from all
 * of them, instruction by instruction.
 */
#include "scenarios.h"

#include <portsnoop/counters.h>
#include <portsnoop/counts.h>
#include <portsnoop/event.h>
#include <portsnoop/walk.h>

#include "live.skel.h"
#include "old_live.skel.h"
#include "old_snapshot.skel.h"
#include "snapshot.skel.h"
#include "source/kernel_types.h"
#include "source/type_excerpt.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct object {
	const char *name;
	const void *elf;
	size_t size;
};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

/* Their sizes are the machine's, and are put in by the program. */
static void fit(struct bpf_map *map)
{
	if (bpf_map__max_entries(map))
		return;
	if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
		bpf_map__set_max_entries(map, (uint32_t)sysconf(_SC_PAGESIZE));
	else if (bpf_map__type(map) == BPF_MAP_TYPE_ARRAY)
		bpf_map__set_max_entries(map, 1);
}

static struct bpf_object *open_object(struct scene *scene, const struct object *object, const char *types)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = types);
	struct bpf_object *opened = bpf_object__open_mem(object->elf, object->size, &options);
	struct bpf_program *program;
	struct bpf_map *map;

	if (!opened)
		scene_fail(scene, "%s cannot be opened: %s", object->name, strerror(errno));
	bpf_object__for_each_program(program, opened) bpf_program__set_autoload(program, true);
	bpf_object__for_each_map(map, opened) fit(map);
	return opened;
}

/* What is no offset: the descriptors of maps. */
static bool names_map(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_LD | BPF_IMM | BPF_DW) && instruction->src_reg;
}

static void expect_same(struct scene *scene, const struct bpf_program *all, const struct bpf_program *excerpt)
{
	const struct bpf_insn *one = bpf_program__insns(all), *other = bpf_program__insns(excerpt);
	size_t n = bpf_program__insn_cnt(all);

	if (bpf_program__insn_cnt(excerpt) != n)
		scene_fail(scene, "%s has %zu instructions, by the excerpt %zu", bpf_program__name(all), n,
			   bpf_program__insn_cnt(excerpt));
	for (size_t i = 0; i < n; i++)
		if (!(i && names_map(&one[i - 1])) && !names_map(&one[i]) &&
		    memcmp(&one[i], &other[i], sizeof(one[i])))
			scene_fail(scene, "%s, instruction %zu: %d at offset %d, by the excerpt %d at %d",
				   bpf_program__name(all), i, one[i].imm, one[i].off, other[i].imm,
				   other[i].off);
}

/* How many instructions are others than in the file. */
static size_t count_relocated(const struct bpf_program *before, const struct bpf_program *after)
{
	size_t n = 0;

	for (size_t i = 0; i < bpf_program__insn_cnt(before); i++)
		n += memcmp(&bpf_program__insns(before)[i], &bpf_program__insns(after)[i],
			    sizeof(struct bpf_insn)) != 0;
	return n;
}

/* Not all programs suit this kernel; relocated are they before it is asked. */
static void check_object(struct scene *scene, const struct btf *kernel, const struct object *object)
{
	struct bpf_object *file, *all, *excerpt;
	struct bpf_program *program = NULL;
	struct type_excerpt types;
	size_t relocated = 0;

	type_excerpt_open(&types, kernel, object->elf, object->size);
	if (!type_excerpt_path(&types))
		scene_fail(scene, "there is no excerpt for %s", object->name);
	file = open_object(scene, object, NULL);
	all = open_object(scene, object, NULL);
	excerpt = open_object(scene, object, type_excerpt_path(&types));
	bpf_object__load(all);
	bpf_object__load(excerpt);
	while ((program = bpf_object__next_program(file, program))) {
		const char *name = bpf_program__name(program);
		const struct bpf_program *with_all = bpf_object__find_program_by_name(all, name);

		relocated += count_relocated(program, with_all);
		expect_same(scene, with_all, bpf_object__find_program_by_name(excerpt, name));
	}
	scene_note(scene, "%s: %zu instructions are others than in the file", object->name, relocated);
	if (relocated < 100)
		scene_fail(scene, "%s was not relocated", object->name);
	bpf_object__close(file);
	bpf_object__close(all);
	bpf_object__close(excerpt);
	type_excerpt_close(&types);
}

void relocations(struct scene *scene)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}; /* kernels below 5.11 count maps against it */
	struct object objects[] = {{"live"}, {"snapshot"}, {"old live"}, {"old snapshot"}};
	struct fault fault = {0};
	struct btf *kernel;

	objects[0].elf = live_bpf__elf_bytes(&objects[0].size);
	objects[1].elf = snapshot_bpf__elf_bytes(&objects[1].size);
	objects[2].elf = old_live_bpf__elf_bytes(&objects[2].size);
	objects[3].elf = old_snapshot_bpf__elf_bytes(&objects[3].size);
	setrlimit(RLIMIT_MEMLOCK, &all);
	libbpf_set_print(say_nothing);
	if (kernel_types_read(&kernel, &fault))
		scene_fail(scene, "%s", fault.text);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		check_object(scene, kernel, &objects[i]);
	btf__free(kernel);
}
