/* SPDX-License-Identifier: GPL-2.0-only */
/* What this process costs, as /proc has it. */
#ifndef PORTSNOOP_SYSTEM_SELF_H
#define PORTSNOOP_SYSTEM_SELF_H

#include <stdint.h>

struct self_cost {
	double cpu_s;
	uint64_t resident_bytes, virtual_bytes;
	uint64_t open_fds, max_fds;
	double started_s; /* since the epoch */
};

/* What it has allocated, without files and the kernel's ring; 0: not known. */
uint64_t self_anonymous_bytes(void);

/* 0 or a negative errno. */
int self_cost_read(struct self_cost *ret_cost);

#endif
