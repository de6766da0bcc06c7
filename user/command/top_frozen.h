/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tables were when the view was frozen: copied at once, put together again only when somebody asks.
 */
#ifndef PORTSNOOP_COMMAND_TOP_FROZEN_H
#define PORTSNOOP_COMMAND_TOP_FROZEN_H

#include "core/backlog.h"
#include "core/model.h"

#include <stddef.h>
#include <stdint.h>

struct top_frozen;

/* now_ns: CLOCK_BOOTTIME. NULL when there is no memory. */
struct top_frozen *top_frozen_take(const struct model *model, const struct backlog *backlog, uint64_t now_ns);
void top_frozen_free(struct top_frozen *frozen);
uint64_t top_frozen_time(const struct top_frozen *frozen);
const struct backlog *top_frozen_backlog(const struct top_frozen *frozen);
/* The tables as they were, NULL when there is no memory. */
const struct model *top_frozen_model(struct top_frozen *frozen);

#endif
