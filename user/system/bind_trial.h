/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Habits of the kernel's bind(2) that nothing tells, found out by trying in an empty network namespace, which
 * a thread of its own makes and leaves by ending. Each: 1, 0, or a negative errno when it could not be tried.
 */
#ifndef PORTSNOOP_SYSTEM_BIND_TRIAL_H
#define PORTSNOOP_SYSTEM_BIND_TRIAL_H

/* Whether a wildcard is granted a UDP port that a dozen sockets have, each with an address of its own. */
int bind_trial_udp_wildcards_by_address(void);
/* Whether a TCP socket is granted an IPv4-mapped address beside one that has ::ffff:0.0.0.0. */
int bind_trial_mapped_by_address(void);

#endif
