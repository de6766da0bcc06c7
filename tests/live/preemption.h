/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where BPF programs can be preempted (on functions; since 7.0 on tracepoints, too), the kernel skips a
 * program for the thread that comes between, and now and then both copies of a pair. The tool says how many
 * such runs there were, and looks again at what is there. But events that nobody saw it cannot tell, and an
 * emulated processor, on which everything takes longer but the clock's ticks, brings that about once in some
 * dozen runs.
 */
#ifndef LIVE_PREEMPTION_H
#define LIVE_PREEMPTION_H

#include <time.h>

/* What the tool itself said it lost so in a scenario, in output written since then; 0 where programs cannot
 * be preempted. */
unsigned preemption_admitted(const char *out_dir, const char *name, time_t since);

#endif
