/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's type information (BTF). It takes ten milliseconds to read: once for all that needs it. */
#ifndef PORTSNOOP_SOURCE_KERNEL_TYPES_H
#define PORTSNOOP_SOURCE_KERNEL_TYPES_H

#include "source/fault.h"

#include <bpf/btf.h>

/* To be freed by btf__free(). 0, or a negative errno with *fault in words. */
int kernel_types_read(struct btf **ret_types, struct fault *fault);

#endif
