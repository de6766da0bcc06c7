/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --max-memory: the tables have fewer rows, by a share that is set aside for them, and what the process has
 * allocated decides whether a series that is new has room; if not, it is told as `other`, and counted.
 */
#ifndef PORTSNOOP_COMMAND_EXPORT_MEMORY_H
#define PORTSNOOP_COMMAND_EXPORT_MEMORY_H

#include "core/metrics.h"
#include "core/model.h"

#include <stdbool.h>
#include <stdint.h>

#define EXPORT_MEMORY_LEAST (16ull << 20)

struct export_memory {
	uint64_t most;	   /* bytes; 0: not limited */
	size_t page_bytes; /* of the last page that was made */
	bool told;	   /* that it is reached */
};

/* How many rows the tables may have; the defaults where nothing is limited. */
struct model_limits export_memory_limits(uint64_t most);
/* Before a scrape: how much of it new series may take. */
void export_memory_begin(const struct export_memory *memory, struct metrics *metrics,
			 const struct model *model);
/* Of a scrape: tells what there is, and for the first time that something found no room. */
void export_memory_tell(struct export_memory *memory, struct metrics *metrics);
/* Once a second: gives back what was freed where there is too little. */
void export_memory_tick(const struct export_memory *memory, const struct metrics *metrics);

#endif
