/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/show.h"

#include "system/proc.h"

#define AGAIN_NS 20000000    /* while somebody else's look is under way */
#define PAUSE	 50	     /* times what the last took */
#define WHOLE_NS 30000000000 /* between looks at all sockets, where events tell of them */

/* A look that broke off has seen what it has seen. */
static int looked(void *context, int error)
{
	struct show *show = context;
	uint64_t pause_ns;
	int result;

	if (!error)
		model_forget_old_remains(show->model, 0);
	result = show->plan->show(show->plan->context);
	pause_ns = PAUSE * (proc_boottime_ns() - show->begun_ns);
	if (!show->plan->keeps_remains)
		model_forget_remains(show->model);
	if (pause_ns < show->plan->every_ns)
		pause_ns = show->plan->every_ns;
	loop_timer_in(show->loop, show->timer, pause_ns);
	return result;
}

static bool must_see_all(const struct show *show)
{
	return !show->plan->by_events || show->partial || !show->whole_ns ||
	       show->begun_ns - show->whole_ns >= WHOLE_NS;
}

static int look(void *context)
{
	struct snapshot_walk what = {.source = SOURCE_POLL, .partial = true, .with_ports = true};
	struct show *show = context;
	int result;

	show->begun_ns = proc_boottime_ns();
	what.remains_only = !must_see_all(show);
	if (repair_ask(show->repair, &what, looked, show, &result)) {
		if (!what.remains_only)
			show->whole_ns = show->begun_ns;
		return result;
	}
	loop_timer_in(show->loop, show->timer, AGAIN_NS);
	return 0;
}

int show_open(struct show *show, const struct show_plan *plan, struct loop *loop, struct repair *repair,
	      struct model *model, bool partial)
{
	*show = (struct show){
		.plan = plan, .loop = loop, .repair = repair, .model = model, .partial = partial};
	show->timer = loop_add_timer(loop, look, show);
	if (show->timer < 0)
		return show->timer;
	if (plan->open) {
		int result = plan->open(plan->context, loop, partial);

		if (result)
			return result;
	}
	return loop_timer_in(loop, show->timer, plan->first_ns);
}
