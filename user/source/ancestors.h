/* SPDX-License-Identifier: GPL-2.0-only */
/* The parents of a process up to init, from /proc, as ordinary records. */
#ifndef PORTSNOOP_SOURCE_ANCESTORS_H
#define PORTSNOOP_SOURCE_ANCESTORS_H

#include "core/model.h"
#include "source/sink.h"

/*
 * Puts a REC_PROCESS for each ancestor that the tables do not describe yet. Stops without error where /proc
 * no longer has the process, or another one by that pid. 0, or what the sink said.
 */
int ancestors_put(const struct model *model, const struct process *process, const struct sink *sink);

#endif
