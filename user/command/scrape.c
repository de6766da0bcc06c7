/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/scrape.h"

#include "system/lookup.h"
#include "system/proc.h"

#define AGAIN_NS  20000000   /* while somebody else's look is under way */
#define FRESH_NS  1000000000 /* a look is good for so long, or ... */
#define RETIRE_NS 10000000000
#define SHARE	  50 /* ... for so many times what it took */

static bool is_fresh(const struct scrape *scrape)
{
	uint64_t good_ns = scrape->took_ns * SHARE;

	if (good_ns < FRESH_NS)
		good_ns = FRESH_NS;
	return scrape->took_ns && proc_boottime_ns() - scrape->begun_ns < good_ns;
}

static int looked(void *context, int error)
{
	struct scrape *scrape = context;

	scrape->asked = false;
	scrape->took_ns = error ? 0 : proc_boottime_ns() - scrape->begun_ns; /* 0: good for nobody else */
	return scrape->plan->looked(scrape->plan->context);
}

/* What the last look found of sockets that end without an event is not there any more, or comes again. */
static int look(void *context)
{
	struct scrape *scrape = context;
	const struct snapshot_walk what = {
		.source = SOURCE_POLL, .partial = !scrape->plan->silent, .with_ports = true};
	int result;

	model_forget_remains(scrape->model);
	scrape->begun_ns = proc_boottime_ns();
	if (repair_ask(scrape->repair, &what, looked, scrape, &result))
		return result;
	return loop_timer_in(scrape->loop, scrape->timer, AGAIN_NS);
}

int scrape_ask(struct scrape *scrape)
{
	if (scrape->asked)
		return 0;
	if (is_fresh(scrape))
		return scrape->plan->looked(scrape->plan->context);
	scrape->asked = true;
	return look(scrape);
}

/* Accept queues of other namespaces are not polled: walks see what they dropped. */
static int take_walk(void *context, const void *record, size_t size)
{
	struct scrape *scrape = context;
	struct sink to = enrich_sink(scrape->enrich);
	int result = sink_put(&to, record, size);

	return result ? result : overflow_see(scrape->overflow, record, scrape->plan ? &to : NULL);
}

struct sink scrape_walk_sink(struct scrape *scrape)
{
	return (struct sink){.take = take_walk, .context = scrape};
}

int scrape_open(struct scrape *scrape, const struct scrape_plan *plan)
{
	scrape->plan = plan;
	scrape->timer = loop_add_timer(scrape->loop, look, scrape);
	if (scrape->timer < 0)
		return scrape->timer;
	return plan->begin(plan->context, scrape);
}

/* --- counters ---------------------------------------------------------------------------------------------
 */

struct naming {
	struct scrape *scrape;
	const struct counters_reader *reader; /* who else is told; NULL: nobody */
};

static int name_read(void *context, uint32_t number, const char *text)
{
	const struct naming *naming = context;

	return naming->reader ? naming->reader->name(naming->reader->context, number, text) : 0;
}

static int count_read(void *context, const struct count_key *key, const struct count *count, bool other)
{
	const struct naming *naming = context;

	return naming->reader ? naming->reader->count(naming->reader->context, key, count, other) : 0;
}

static int span_read(void *context, const struct count_key *key, const struct span *span, bool other)
{
	const struct naming *naming = context;
	int result = key->cgroup_id ? enrich_cgroup(naming->scrape->enrich, key->cgroup_id) : 0;

	if (result || !naming->reader)
		return result;
	return naming->reader->span(naming->reader->context, key, span, other);
}

int scrape_read_counters(struct scrape *scrape, const struct counters_reader *reader)
{
	const struct counters counters = live_counters(scrape->live);
	struct naming naming = {.scrape = scrape, .reader = reader};
	const struct counters_reader named = {
		.name = name_read, .count = count_read, .span = span_read, .context = &naming};

	scrape->keys = counters_keys(&counters);
	return counters_read(&counters, &named);
}

static bool is_gone(void *context, uint64_t cgroup_id)
{
	const struct scrape *scrape = context;

	return lookup_cgroup_gone(live_cgroup2_fd(scrape->live), cgroup_id);
}

/* Containers come and go for months: what was counted of those that are gone makes room when it is needed. */
static void make_room(struct scrape *scrape, const struct counters *counters)
{
	uint64_t now_ns = proc_boottime_ns();

	if (now_ns - scrape->retired_ns < RETIRE_NS || !counters_crowded(counters))
		return;
	scrape->retired_ns = now_ns;
	counters_retire(counters, is_gone, scrape);
}

int scrape_tick(struct scrape *scrape)
{
	const struct counters counters = live_counters(scrape->live);

	scrape->plan->tick(scrape->plan->context);
	make_room(scrape, &counters);
	return counters_keys(&counters) == scrape->keys ? 0 : scrape_read_counters(scrape, NULL);
}
