/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tables say at this moment, as series: listeners, accept queues, connections, ephemeral ports. */
#ifndef PORTSNOOP_CORE_METRICS_STATE_H
#define PORTSNOOP_CORE_METRICS_STATE_H

#include "core/filter.h"
#include "core/metrics.h"
#include "core/model.h"

#include <stdint.h>

/* Between metrics_begin() and metrics_end(). now_ns: CLOCK_BOOTTIME. filter may be NULL. 0 or -ENOMEM. */
int metrics_state_tell(struct metrics *metrics, const struct model *model, const struct filter *filter,
		       uint64_t now_ns);
/* An event that is counted here, since nobody else does: accept queues that were full, repairs. Whenever it
 * happens. */
void metrics_state_count(struct metrics *metrics, const struct model *model, const struct filter *filter,
			 const struct change *change);

#endif
