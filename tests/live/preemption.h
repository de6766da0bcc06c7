/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Since 7.0 programs on tracepoints can be preempted, and the kernel skips one for the thread that comes
 * between, now and then both copies of a pair. The tool says how many such runs there were, and looks again
 * at what is there. But events that nobody saw it cannot tell, and an emulated processor, on which everything
 * takes longer but the clock's ticks, brings that about once in some dozen runs.
 */
#ifndef LIVE_PREEMPTION_H
#define LIVE_PREEMPTION_H

#include <time.h>

/* More than these in one scenario are a defect, whatever the tool says of them. */
#define PREEMPTION_EXCUSES_MAX 32

/* What the tool itself said it lost so in a scenario, in output written since then; 0 on older kernels. */
unsigned preemption_admitted(const char *out_dir, const char *name, time_t since);

#endif
