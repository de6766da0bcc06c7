/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF programs that other people's binds have to pass. */
#ifndef PORTSNOOP_SOURCE_BIND_RESTRAINTS_H
#define PORTSNOOP_SOURCE_BIND_RESTRAINTS_H

#include "core/bind_outcome.h"

/*
 * Of a process in this control group (v2, a path from its root; "": none): a bit for DOUBT_CGROUP and
 * DOUBT_BPF_LSM. A portsnoop's own programs let everything pass and do not count.
 */
bind_doubts bind_restraints(const char *cgroup, uint8_t family);

#endif
