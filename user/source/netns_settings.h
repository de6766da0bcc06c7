/* SPDX-License-Identifier: GPL-2.0-only */
/* What a network namespace has set about ports: the range that is assigned from, reserved ones, reuse. */
#ifndef PORTSNOOP_SOURCE_NETNS_SETTINGS_H
#define PORTSNOOP_SOURCE_NETNS_SETTINGS_H

#include "source/sink.h"

#include <stdint.h>

/* Of the namespace that the calling thread is in, whose inode that is. What cannot be read is left out. What
 * the sink says. */
int netns_settings_put(const struct sink *to, uint32_t inode);

#endif
