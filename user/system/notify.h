/* SPDX-License-Identifier: GPL-2.0-only */
/* What the service manager is told (sd_notify(3)) and how it is told the weight of a line (sd-daemon(3)). */
#ifndef PORTSNOOP_SYSTEM_NOTIFY_H
#define PORTSNOOP_SYSTEM_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sends a state such as "READY=1" to $NOTIFY_SOCKET. 0, also when nobody wants to know; a negative errno when
 * it cannot be told.
 */
int notify(const char *state);
/* The same, with MONOTONIC_USEC, which Type=notify-reload wants. */
int notify_reloading(void);
/* How often the manager wants WATCHDOG=1 at least, in nanoseconds; 0: not. */
uint64_t notify_watchdog_ns(void);
/* Standard error goes to the journal: lines may begin with their <priority>. */
bool notify_is_journal(void);

#endif
