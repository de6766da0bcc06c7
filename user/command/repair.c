/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/repair.h"

#include "system/proc.h"

#include <portsnoop/event.h>

#define BUDGET_NS      2000000	  /* of the event loop at a time */
#define DOUBT_PAUSE_NS 20000000	  /* before the walk that decides */
#define LOSS_PAUSE_NS  100000000  /* between walks while losses go on, or ... */
#define LOSS_SHARE     4	  /* ... so many times what the last one took */
#define LOOK_PAUSE_NS  2000000000 /* between looks at descriptors, or ... */
#define LOOK_SHARE     50	  /* ... the same, which bounds them to 2 % of a core */
#define RETRY_PAUSE_NS 1000000000 /* after a walk that failed */

static uint64_t longer(uint64_t pause_ns, const struct repair *repair, unsigned share)
{
	uint64_t took_ns = repair->whole_took_ns * share;

	return took_ns > pause_ns ? took_ns : pause_ns;
}

static void walk_in(struct repair *repair, uint64_t pause_ns)
{
	repair->waiting = true;
	loop_timer_in(repair->loop, repair->timer, pause_ns);
}

/* A whole walk: for a repair, for a look at holders, for whoever asked. */
static int start_whole(struct repair *repair)
{
	struct snapshot_walk what = {
		.source = SOURCE_POLL, .no_remains = !repair->unwatched, .with_ports = true};

	repair->waiting = false;
	if (repair->lost && !repair->repairing) {
		repair->repairing = true;
		repair->before = *model_repairs(repair->model);
	}
	repair->lost = false;
	if (repair->repairing)
		what.source = SOURCE_RESYNC;
	repair->whole_begun_ns = proc_boottime_ns();
	return walker_start(repair->walker, &what, &repair->sink);
}

static int start(void *context)
{
	struct repair *repair = context;

	if (!walker_is_busy(repair->walker))
		return start_whole(repair);
	walk_in(repair, DOUBT_PAUSE_NS);
	return 0;
}

static int start_request(struct repair *repair)
{
	struct walk_request *request = &repair->request;

	request->pending = false;
	request->active = true;
	return request->what.partial ? walker_start(repair->walker, &request->what, &repair->sink)
				     : start_whole(repair);
}

bool repair_ask(struct repair *repair, const struct snapshot_walk *what,
		int (*done)(void *context, int error), void *context, int *ret_result)
{
	struct walk_request *request = &repair->request;

	if (request->pending || request->active)
		return false;
	*request = (struct walk_request){.what = *what, .done = done, .context = context, .pending = true};
	*ret_result = walker_is_busy(repair->walker) ? 0 : start_request(repair);
	return true;
}

static int request_done(struct repair *repair, int error)
{
	repair->request.active = false;
	return repair->request.done(repair->request.context, error);
}

int repair_open(struct repair *repair, struct loop *loop, struct walker *walker, const struct sink *sink,
		const struct model *model, bool holders)
{
	*repair = (struct repair){
		.loop = loop, .walker = walker, .model = model, .sink = *sink, .holders = holders};
	repair->timer = loop_add_timer(loop, start, repair);
	if (repair->timer < 0)
		return repair->timer;
	if (holders)
		walk_in(repair, LOOK_PAUSE_NS);
	return 0;
}

void repair_walked(struct repair *repair, uint64_t begun_ns)
{
	repair->whole_begun_ns = begun_ns;
	repair->whole_took_ns = proc_boottime_ns() - begun_ns;
}

bool repair_is_due(const struct repair *repair)
{
	return repair->lost || repair->repairing;
}

uint64_t repair_whole_took_ns(const struct repair *repair)
{
	return repair->whole_took_ns;
}

void repair_look(struct repair *repair)
{
	uint64_t due_ns = repair->whole_begun_ns + longer(LOOK_PAUSE_NS, repair, LOOK_SHARE);
	uint64_t now_ns = proc_boottime_ns();

	if (!repair->waiting)
		walk_in(repair, due_ns > now_ns ? due_ns - now_ns : 0);
}

/* What waits for a regular look need not wait any longer. */
int repair_lost(struct repair *repair)
{
	bool looking = repair->waiting && !repair->repairing;

	if (repair->unwatched) /* nothing was to come; whoever asks has everything looked at */
		return 0;
	repair->lost = true;
	if (walker_is_busy(repair->walker) || (repair->waiting && !looking))
		return 0;
	return start(repair);
}

static int put_resync(const struct repair *repair)
{
	const struct repairs *now = model_repairs(repair->model), *before = &repair->before;
	const struct rec_resync record = {
		.header = {.size = sizeof(record),
			   .kind = REC_RESYNC,
			   .source = SOURCE_RESYNC,
			   .probe = PROBE_ITERATOR,
			   .time_ns = proc_boottime_ns()},
		.added = (uint32_t)(now->added - before->added),
		.removed = (uint32_t)(now->removed - before->removed),
		.owner_changed = (uint32_t)(now->owner_changed - before->owner_changed),
		.netns_skipped = now->netns_skipped,
	};

	return sink_put(&repair->sink, &record, sizeof(record));
}

/* A whole walk has ended: what follows from it? */
static int settle(struct repair *repair)
{
	const struct repairs *now = model_repairs(repair->model);
	bool asked = repair->request.active;
	int result = 0;

	repair->whole_took_ns = walker_took_ns(repair->walker);
	if (repair->lost || now->incomplete) {
		repair->lost = true;
		walk_in(repair, asked ? DOUBT_PAUSE_NS : longer(LOSS_PAUSE_NS, repair, LOSS_SHARE));
		return 0;
	}
	/* Without events there is always something in doubt: who is asked leaves it out (absent). */
	if (now->in_doubt && !(repair->unwatched && asked)) {
		walk_in(repair, asked ? 0 : DOUBT_PAUSE_NS);
		return 0;
	}
	if (repair->repairing)
		result = put_resync(repair);
	repair->repairing = false;
	if (repair->holders)
		walk_in(repair, longer(LOOK_PAUSE_NS, repair, LOOK_SHARE));
	return !result && asked ? request_done(repair, 0) : result;
}

int repair_go_on(struct repair *repair)
{
	bool ended;
	int result = walker_take(repair->walker, &repair->sink, BUDGET_NS, &ended);

	if (!ended)
		return result;
	if (result < 0) {
		/* The walk failed; what is lost stays lost until one succeeds. */
		repair->lost = true;
		walk_in(repair, RETRY_PAUSE_NS);
		return repair->request.active ? request_done(repair, result) : 0;
	}
	result = repair->request.active && repair->request.what.partial ? request_done(repair, 0)
									: settle(repair);
	return !result && repair->request.pending && !walker_is_busy(repair->walker) ? start_request(repair)
										     : result;
}
