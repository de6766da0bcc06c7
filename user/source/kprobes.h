/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kprobes: where returns of functions cannot be traced otherwise (functions.h), they tell what system-call
 * tracepoints and programs on the way of every UDP send would have to tell. Binds that get a port are left to
 * control groups, whose programs reach the socket's storage.
 */
#ifndef PORTSNOOP_SOURCE_KPROBES_H
#define PORTSNOOP_SOURCE_KPROBES_H

#include "source/groups.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdint.h>

/*
 * Whether this kernel lets functions be probed, tried on one of them, which is called. 0 or a negative errno,
 * -FINDING_OFF and -FINDING_SILENT among them.
 */
int kprobes_probe(void);
/*
 * Of these groups (TOLD_*), those whose functions are all there, by the kernel's types, which do not know
 * modules.
 */
uint32_t kprobes_sure(const struct btf *kernel, uint32_t groups);
/* The programs for these groups are to be loaded, and what they need is to be made. */
void kprobes_choose(struct bpf_object *object, uint32_t groups);
/* Attaches what was loaded for these groups, as functions_attach(). */
struct functions_told kprobes_attach(const struct bpf_object *object, uint32_t groups,
				     struct bpf_link *links[], unsigned *n_links);
/*
 * Gives up calls that are kept as under way and are not: their end was not seen. Returns how many. To be
 * asked only when the counters say that some are kept.
 */
uint64_t kprobes_give_up(const struct bpf_object *object);

#endif
