/* SPDX-License-Identifier: GPL-2.0-only */
/* A source: the tables of a portsnoop that runs already. */
#ifndef PORTSNOOP_SOURCE_ASK_H
#define PORTSNOOP_SOURCE_ASK_H

#include "source/sink.h"

#include <stdint.h>

/*
 * Asks (flags: ASK_*; port 0: all) and hands out the answer once it has come whole. 0; -ENOENT when nobody
 * answers, and nothing has been put into the sink; or what the sink said.
 */
int ask_instance(uint32_t flags, uint16_t port, const struct sink *sink);

#endif
