/* SPDX-License-Identifier: GPL-2.0-only */
/* What of the kernel's bind(2) nothing tells, found out by trying it in an empty network namespace. */
#ifndef PORTSNOOP_SYSTEM_BIND_TRIAL_H
#define PORTSNOOP_SYSTEM_BIND_TRIAL_H

/*
 * Whether a wildcard bind to a UDP port that a dozen sockets have, each with an address of its own, is
 * refused, as it should be. 1, 0, or a negative errno when it could not be tried.
 */
int bind_trial_finds_addresses(void);

#endif
