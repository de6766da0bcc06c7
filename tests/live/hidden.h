/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sandbox's kernel may hide process 1, which runs the sandbox, even from root, and run no BPF program while
 * a thread of it is current. A softirq that interrupts such a thread may change the state of anybody's
 * socket: nothing that runs here can see that then, and nothing counts it. The kernel's own event log does
 * see it.
 */
#ifndef LIVE_HIDDEN_H
#define LIVE_HIDDEN_H

struct hidden;

/* Begins to watch. NULL where process 1 is not hidden, or the kernel's log cannot be had. */
struct hidden *hidden_watch(void);
/* Changes of TCP states on threads of process 1 since then, as far as the log goes. */
unsigned hidden_changes(const struct hidden *hidden);
void hidden_end(struct hidden *hidden);

#endif
