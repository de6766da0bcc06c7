/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/object.h"

int object_open(struct bpf_object_skeleton *skeleton, const void *elf, size_t size, const struct btf *kernel,
		struct type_excerpt *ret_types)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);

	type_excerpt_open(ret_types, kernel, elf, size);
	options.btf_custom_path = type_excerpt_path(ret_types);
	skeleton->data = (void *)elf;
	skeleton->data_sz = size;
	return bpf_object__open_skeleton(skeleton, &options);
}
