/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/export_memory.h"

#include "command/command.h"
#include "system/self.h"

#include <malloc.h>

/* What a row takes with its hash buckets, edges to holders and what it owns; more than was measured. */
#define SOCKET_BYTES  384
#define PROCESS_BYTES 1024
#define PAST_BYTES    256
#define ITSELF_BYTES  (6ull << 20) /* what is needed whatever there is to tell */

/* Half of what is left is the tables'; of that three quarters sockets, an eighth processes. */
struct model_limits export_memory_limits(uint64_t most)
{
	uint64_t tables = (most - ITSELF_BYTES) / 2;

	if (!most)
		return (struct model_limits){0};
	return (struct model_limits){
		.sockets = tables / 4 * 3 / SOCKET_BYTES,
		.processes = tables / 8 / PROCESS_BYTES,
		.past = tables / 8 / PAST_BYTES,
	};
}

/* What the tables have not taken yet of their share, and pages that nobody has asked for yet. */
static uint64_t promised(const struct export_memory *memory, const struct model *model)
{
	const struct model_limits limits = model_limits(model);

	return (limits.sockets - model_socket_count(model)) * SOCKET_BYTES +
	       (limits.processes - model_process_count(model)) * PROCESS_BYTES +
	       (METRICS_PAGES - 1) * memory->page_bytes;
}

void export_memory_begin(const struct export_memory *memory, struct metrics *metrics,
			 const struct model *model)
{
	uint64_t taken;

	if (!memory->most)
		return;
	taken = self_anonymous_bytes() + promised(memory, model);
	metrics_set_room(metrics, taken < memory->most ? memory->most - taken : 0);
}

void export_memory_tell(struct export_memory *memory, struct metrics *metrics)
{
	const struct metric_labels none = {{NULL}};

	metrics_add(metrics, FAMILY_MEMORY, &none, (double)self_anonymous_bytes());
	if (!memory->most)
		return;
	metrics_add(metrics, FAMILY_MEMORY_LIMIT, &none, (double)memory->most);
	if (memory->told || !metrics_lacks_room(metrics))
		return;
	memory->told = true;
	complain("--max-memory is reached: series that are new are told as `other` "
		 "(portsnoop_series_dropped_total)");
}

void export_memory_tick(const struct export_memory *memory, const struct metrics *metrics)
{
	if (memory->most && (metrics_lacks_room(metrics) || self_anonymous_bytes() > memory->most))
		malloc_trim(0);
}
