/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels that need the second build of the programs (bpf/compat.h). Asked for only when the first is
 * refused. */
#ifndef PORTSNOOP_SOURCE_OLD_KERNEL_H
#define PORTSNOOP_SOURCE_OLD_KERNEL_H

#include "source/fault.h"

#include <stdbool.h>

/* What one says that refuses them, in words. Returns error. */
int old_kernel_fault(struct fault *fault, int error, const char *what);
/* Whether this is one. It is tried. */
bool old_kernel_is(void);

#endif
