/* SPDX-License-Identifier: GPL-2.0-only */
/* From a process to the one that made it, as far as the tables know. */
#ifndef PORTSNOOP_CORE_ANCESTRY_H
#define PORTSNOOP_CORE_ANCESTRY_H

#include "core/model.h"

#define ANCESTRY_MAX 32 /* of one chain; what is above is not looked at */

/*
 * The process itself, its parent and so on, as far as they are in the tables, into chain, which has
 * ANCESTRY_MAX places. Returns how many. Where only the pid of a parent is known, the latest process with it
 * that is not younger than its child is taken.
 */
size_t ancestry_of(const struct model *model, const struct process *process, const struct process **chain);

#endif
