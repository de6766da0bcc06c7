/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that leaves a mark when it runs, and the call that makes a hook on FIRING_FUNCTION run it: what
 * can be attached to a function need not fire. */
#ifndef PORTSNOOP_SOURCE_FIRING_H
#define PORTSNOOP_SOURCE_FIRING_H

#include <bpf/bpf.h>
#include <stdbool.h>

#define FIRING_FUNCTION "__sys_listen"

struct firing {
	int program, map;
};

/* Loads it. 0 or a negative errno. */
int firing_open(struct firing *ret_firing, enum bpf_prog_type type, const struct bpf_prog_load_opts *options);
/* Calls the function: whether the program, which must be attached, has run. */
bool firing_is_seen(const struct firing *firing);
void firing_close(const struct firing *firing);

#endif
