/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening a BPF object through a skeleton. */
#ifndef PORTSNOOP_SOURCE_OBJECT_H
#define PORTSNOOP_SOURCE_OBJECT_H

#include "source/type_excerpt.h"

#include <bpf/libbpf.h>
#include <stddef.h>

/*
 * The skeleton is one that its create_skeleton() has filled in; elf is its own object, or one with the same
 * maps, programs and variables, and perhaps more. *ret_types is to be closed when that has been loaded, also
 * after an error. 0 or a negative errno.
 */
int object_open(struct bpf_object_skeleton *skeleton, const void *elf, size_t size, const struct btf *kernel,
		struct type_excerpt *ret_types);

#endif
