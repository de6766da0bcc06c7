/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/firing.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Writes 1 into the map's only value. A descriptor or a negative errno. Those on kprobes ask for the cookie
 * of what they are attached to first, since without that (before 5.15, 7adfc6c9b315) nothing can be made of
 * them.
 */
static int load(int map, enum bpf_prog_type type, const struct bpf_prog_load_opts *options)
{
	const struct bpf_insn all[] = {
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_attach_cookie},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map},
		{0}, /* the second half of the address */
		{.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	size_t n = sizeof(all) / sizeof(all[0]), begin = type == BPF_PROG_TYPE_KPROBE ? 0 : 1;
	int fd = bpf_prog_load(type, "portsnoop_try", "GPL", all + begin, n - begin, options);

	return fd < 0 ? -errno : fd;
}

int firing_open(struct firing *ret_firing, enum bpf_prog_type type, const struct bpf_prog_load_opts *options)
{
	int program, map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "portsnoop_try", sizeof(uint32_t),
					  sizeof(uint32_t), 1, NULL);

	if (map < 0)
		return -errno;
	program = load(map, type, options);
	if (program < 0) {
		close(map);
		return program;
	}
	*ret_firing = (struct firing){.program = program, .map = map};
	return 0;
}

/* It fails at once, since there is no such descriptor, and nobody is told. */
bool firing_is_seen(const struct firing *firing)
{
	uint32_t first = 0, fired = 0;

	for (int i = 0; i < 3 && !fired; i++) {
		listen(-1, 0);
		if (bpf_map_lookup_elem(firing->map, &first, &fired))
			return false;
	}
	return fired;
}

void firing_close(const struct firing *firing)
{
	close(firing->program);
	close(firing->map);
}
