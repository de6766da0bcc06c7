/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/kernel_types.h"

#include <errno.h>
#include <string.h>

int kernel_types_read(struct btf **ret_types, struct fault *fault)
{
	int error;

	*ret_types = btf__load_vmlinux_btf();
	error = *ret_types ? 0 : -errno;
	return error ? fault_set(fault, error, "cannot read the kernel's type information (BTF): %s",
				 strerror(-error))
		     : 0;
}
