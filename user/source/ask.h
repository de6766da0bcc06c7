/* SPDX-License-Identifier: GPL-2.0-only */
/* A source: the tables of a portsnoop that runs already. */
#ifndef PORTSNOOP_SOURCE_ASK_H
#define PORTSNOOP_SOURCE_ASK_H

#include "source/sink.h"

#include <stdint.h>

/*
 * Asks (flags: ASK_*; port 0: all) and hands out the answer as it comes. 0; -ENOENT when nobody answers, and
 * nothing has been put into the sink; -ESTALE when the answer broke off, and what has been put there is of no
 * use; or what the sink said.
 */
int ask_instance(uint32_t flags, uint16_t port, const struct sink *sink);

#endif
