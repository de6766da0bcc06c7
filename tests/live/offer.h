/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tool does not offer because the kernel is too old for it. It must say so, and then that is right;
 * on a kernel that is young enough it is a failure. Since when each fact is there: docs/kernels.md.
 */
#ifndef LIVE_OFFER_H
#define LIVE_OFFER_H

#include "tool.h"

/* Skips when `ready` leaves this fact out and the kernel is a good reason. */
void offer_need(const struct tool *tool, const char *fact);
/* Skips when the tool said that the kernel is below the floor, and it is. */
void offer_kernel(const struct scene *scene, const char *complaint);
/* Whether what is under way in a message can be found. */
bool offer_in_flight(void);
/* Whether the kernel's table of ports can be read. */
bool offer_has_port_table(void);
/* Skips where the kernel's table of ports cannot be read; `why` must say so. */
void offer_port_table(struct scene *scene);
/* What a run said on standard error, without the line about what this kernel is too old for. */
const char *offer_complaints(const struct tool_result *result);

#endif
