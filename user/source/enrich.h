/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stage between a live source and everybody else: puts a meta record with the name before the first record
 * that needs it, so that whoever reads on, now or from a recording, asks nobody.
 */
#ifndef PORTSNOOP_SOURCE_ENRICH_H
#define PORTSNOOP_SOURCE_ENRICH_H

#include "source/sink.h"

#include <stdint.h>

struct enrich;

/* to: where everything goes. cgroup2_fd may be negative. NULL when there is no memory. */
struct enrich *enrich_new(const struct sink *to, int cgroup2_fd);
/* What stands at the beginning of every stream: version, host, clock, range, services. */
int enrich_begin(struct enrich *enrich);
/* Says so when the wall clock was set. Once a second. */
int enrich_tick(struct enrich *enrich);
/* The command with this pid is followed, and its descendants. */
int enrich_follow(struct enrich *enrich, uint32_t pid);
/* Names a control group that no record names. */
int enrich_cgroup(struct enrich *enrich, uint64_t cgroup_id);
/* Nobody will ask for executables, arguments and parents: they are not read from /proc. */
void enrich_without_descriptions(struct enrich *enrich);
/* Where the source puts its records. Valid as long as the stage. */
struct sink enrich_sink(struct enrich *enrich);
void enrich_free(struct enrich *enrich);

#endif
