/* SPDX-License-Identifier: GPL-2.0-only */
/* The arguments of a process as one text. */
#ifndef PORTSNOOP_VIEW_COMMAND_LINE_H
#define PORTSNOOP_VIEW_COMMAND_LINE_H

#include "core/describe.h"

#define COMMAND_LINE_MAX (REC_ARGS_MAX + 4)

/* Arguments joined by spaces, hostile bytes as they are; one that was cut ends in "…". Returns the length, 0:
 * not known. buf has COMMAND_LINE_MAX bytes and gets no NUL. */
size_t command_line(const struct actor *actor, char *buf);

#endif
