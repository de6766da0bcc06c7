/* SPDX-License-Identifier: GPL-2.0-only */
/* What the outside says, as a record. */
#ifndef PORTSNOOP_SOURCE_META_H
#define PORTSNOOP_SOURCE_META_H

#include "source/sink.h"

#include <portsnoop/event.h>
#include <stdint.h>

#define META_TEXT_MAX 1024 /* bytes of a text; what is longer is cut */

/* What the sink says. */
int meta_put(const struct sink *to, enum meta_type type, uint64_t key, const char *text);

#endif
