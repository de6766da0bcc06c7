/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaches an empty program where portsnoop looks at UDP sends, so that what the kernel's hook costs can be
 * told from what portsnoop does there.
 *
 * usage: empty_hook OBJECT     prints `ready`, and stays until it is killed
 */
#include "bench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>
#include <sys/vfs.h>

static int cgroup2(void)
{
	static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return fd;
	}
	die("cgroup v2 is not mounted");
}

static struct bpf_program *load(struct bpf_object *object)
{
	struct bpf_program *program, *empty = NULL;
	struct bpf_map *map;

	bpf_object__for_each_program(program, object)
	{
		bool wanted = !strcmp(bpf_program__name(program), "send_empty");

		bpf_program__set_autoload(program, wanted);
		if (wanted)
			empty = program;
	}
	bpf_object__for_each_map(map, object)
	{
		if (!bpf_map__is_internal(map))
			bpf_map__set_autocreate(map, false);
	}
	return empty && bpf_object__load(object) == 0 ? empty : NULL;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;

	if (argc != 2)
		die("usage: empty_hook OBJECT");
	object = bpf_object__open_file(argv[1], NULL);
	program = object ? load(object) : NULL;
	if (!program || !bpf_program__attach_cgroup(program, cgroup2()))
		die("send_empty of %s: %s", argv[1], strerror(errno));
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}
