/* SPDX-License-Identifier: GPL-2.0-only */
/* doctor: the facts as a trace sees them, and the self-test that proves it. */
#include "command/doctor.h"
#include "source/overflow.h"
#include "system/loopback.h"
#include "system/machine.h"
#include "system/proc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS 3000000000 /* for what is polled once a second; the rest is there at once */
#define LOOK_MS	    20
#define TICK_NS	    1000000000

struct watching {
	struct live *live;
	struct overflow *overflow;
	struct self_test *test;
};

static int take(void *context, const void *record, size_t size)
{
	self_test_see(context, record, size);
	return 0;
}

/* Until everything came, or nothing more will. */
static void watch(struct watching *watching)
{
	const struct sink sink = {.take = take, .context = watching->test};
	uint64_t begun_ns = proc_boottime_ns(), ticked_ns = begun_ns, now_ns = begun_ns;
	struct pollfd news = {.fd = live_fd(watching->live), .events = POLLIN};
	size_t count;

	while (now_ns - begun_ns < PATIENCE_NS) {
		live_drain(watching->live, &sink, &count);
		overflow_tick(watching->overflow, &sink);
		if (self_test_is_over(watching->test))
			return;
		/* Not before it is empty: records that nobody is woken for wait no longer than this. */
		if (!count && live_may_sleep(watching->live))
			poll(&news, 1, LOOK_MS);
		now_ns = proc_boottime_ns();
		if (now_ns - ticked_ns < TICK_NS)
			continue;
		live_tick(watching->live, &sink);
		ticked_ns = now_ns;
	}
}

static void skip_all(struct self_test *test, const char *reason, int error)
{
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		self_test_skip(test, fact, "%s: %s", reason, strerror(-error));
}

static void run(struct self_test *test, struct live *live, struct snapshot *snapshot,
		enum self_test_actor releaser)
{
	struct acts acts = {.test = test, .releaser = releaser};
	struct watching watching = {.live = live, .test = test};
	int error = loopback_check();

	if (error) {
		skip_all(test, "the loopback device of this network namespace", error);
		return;
	}
	watching.overflow = overflow_open(snapshot);
	if (!watching.overflow) {
		skip_all(test, "the listeners", -ENOMEM);
		return;
	}
	acts_begin(&acts);
	watch(&watching);
	acts_end(&acts);
	overflow_close(watching.overflow);
}

/* Who this is, to itself and, outside of containers, to the kernel. */
static void name_self(struct self_test *test)
{
	test->netns = proc_netns();
	test->pid_ns = machine_namespace("pid");
	test->pid = (uint32_t)getpid();
	if (test->pid_ns == MACHINE_INITIAL_PID_NS)
		test->kernel_pid = test->pid;
}

void doctor_test_facts(struct diagnosis *diagnosis, struct live *live, struct snapshot *snapshot)
{
	struct finding findings[FACT_COUNT];
	struct self_test test = {0};
	bool releases;

	live_findings(live, findings);
	diagnosis->host = live_sees_host(live);
	name_self(&test);
	for (unsigned fact = 0; fact < FACT_COUNT; fact++)
		test.unhooked |= (uint32_t)(findings[fact].probe == PROBE_NONE) << fact;
	releases = !(test.unhooked >> FACT_RELEASE & 1) && !findings[FACT_RELEASE].n_gaps;
	run(&test, live, snapshot, releases ? ACTOR_SELF : ACTOR_ANY);
	for (unsigned fact = 0; fact < FACT_COUNT; fact++) {
		diagnosis->facts[fact].finding = findings[fact];
		diagnosis->facts[fact].self_test =
			self_test_result_of(&test, fact, findings[fact].n_gaps > 0);
	}
}
