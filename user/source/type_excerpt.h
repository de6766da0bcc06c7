/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Those of the kernel's types (BTF) that the relocations of an object can mean: the ones with a name that is
 * in it, and what these consist of. For each type that relocations name, libbpf looks through all that it is
 * given, which are more than a hundred thousand otherwise.
 */
#ifndef PORTSNOOP_SOURCE_TYPE_EXCERPT_H
#define PORTSNOOP_SOURCE_TYPE_EXCERPT_H

#include <bpf/btf.h>
#include <stddef.h>

struct type_excerpt {
	int fd;	       /* -1: there is none */
	char path[32]; /* of that, for this process */
};

#define TYPE_EXCERPT_NONE                                                                                    \
	{                                                                                                    \
		.fd = -1                                                                                     \
	}

/*
 * Makes it for an object that is in memory, as an ELF file. Without memory, or when anything else is in the
 * way, there is none: libbpf is then given all types, which takes longer and comes to the same.
 */
void type_excerpt_open(struct type_excerpt *ret_excerpt, const struct btf *kernel, const void *object,
		       size_t size);
/* For bpf_object_open_opts.btf_custom_path; to be there until the object is loaded. NULL: all types. */
const char *type_excerpt_path(const struct type_excerpt *excerpt);
void type_excerpt_close(struct type_excerpt *excerpt);

#endif
