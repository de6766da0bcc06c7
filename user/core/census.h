/* SPDX-License-Identifier: GPL-2.0-only */
/* How much is in the tables, for `ready`. */
#ifndef PORTSNOOP_CORE_CENSUS_H
#define PORTSNOOP_CORE_CENSUS_H

#include "core/model.h"

#include <stdint.h>

#define CENSUS_NETNS_MAX 64 /* more are not told apart from the last one seen */

struct census {
	uint32_t sockets, processes, namespaces;
	uint32_t netns[CENSUS_NETNS_MAX];
};

void census_take(const struct model *model, struct census *ret_census);

#endif
