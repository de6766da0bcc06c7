/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/session.h"

#include "command/command.h"
#include "command/repair.h"
#include "command/serve.h"
#include "command/sources.h"
#include "core/census.h"
#include "io/write_all.h"
#include "loop.h"
#include "source/conflicts.h"
#include "source/enrich.h"
#include "source/overflow.h"
#include "source/walker.h"
#include "system/privileges.h"
#include "system/proc.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* While records flow: below the 10 ms in which an event must show, or, where none is shown, as it is cheaper.
 */
#define READ_INTERVAL_NS      4000000
#define READ_LATE_INTERVAL_NS 20000000
#define TICK_NS		      1000000000   /* idle, this is the only wake-up */
#define TRIM_BYTES	      (256 * 1024) /* free memory that may be kept */
#define SESSION_OVER	      2		   /* of callbacks: end the loop, all is well; not PIPELINE_ENOUGH */

struct session {
	const struct options *options;
	struct pipeline *pipeline;
	struct child *child;
	struct live *live;
	struct snapshot *snapshot;
	struct walker *walker;
	struct repair repair;
	const struct show_plan *show_plan; /* NULL: nobody is shown the tables */
	struct show show;
	const struct scrape_plan *scrape_plan; /* NULL: nobody asks for them, either */
	struct scrape scrape;
	struct serve *serve; /* NULL: others are not answered */
	struct overflow *overflow;
	struct enrich *enrich;
	struct conflicts *conflicts; /* NULL: nobody wants to know who is in the way of binds */
	struct loop loop;
	int reader, tick, end; /* timers */
	int signal_fd;
	bool partial; /* not everything can be seen here */
};

/* --- reading
 * ------------------------------------------------------------------------------------------------ */

/* Somebody reads them: what becomes of binds, too. */
static bool shows_events(const struct session *session)
{
	return !session->scrape_plan && (!session->show_plan || session->show_plan->shows_events);
}

/* A ring that somebody made smaller could be full by then. */
static int read_again(struct session *session)
{
	bool late = !shows_events(session) && !session->options->ring_size;

	return loop_timer_in(&session->loop, session->reader,
			     late ? READ_LATE_INTERVAL_NS : READ_INTERVAL_NS);
}

/* Takes what is there. Comes back on a timer while records flow; sleeps when the handshake allows it. */
static int read_ring(void *context)
{
	struct session *session = context;
	struct sink sink = enrich_sink(session->enrich);
	size_t count;
	int result = live_drain(session->live, &sink, &count), error = pipeline_flush(session->pipeline);

	if (!result && live_has_lost(session->live))
		result = repair_lost(&session->repair);
	if (result || error)
		return result ? result : error;
	if (count || !live_may_sleep(session->live))
		return read_again(session);
	return loop_rearm(&session->loop, live_fd(session->live));
}

/* The wake-up that came with records which are taken before it finds nothing, and there is no other. */
static int taken(struct session *session, size_t count, int result)
{
	if (count)
		read_again(session);
	return result;
}

static int catch_up(void *context)
{
	struct session *session = context;
	struct sink sink = enrich_sink(session->enrich);
	size_t count;
	int result = live_catch_up(session->live, &sink, &count);

	return taken(session, count, result);
}

/* What events know goes first: a row that was read before them must find them in the tables. */
static int take_walk(void *context)
{
	struct session *session = context;
	struct sink sink = enrich_sink(session->enrich);
	size_t count;
	int result = live_drain(session->live, &sink, &count);

	result = taken(session, count, result);
	if (!result)
		result = repair_go_on(&session->repair);
	return result ? result : pipeline_flush(session->pipeline);
}

static int take_conflicts(void *context)
{
	struct session *session = context;
	struct sink sink = enrich_sink(session->enrich);
	int result = conflicts_take(session->conflicts, &sink);

	return result ? result : pipeline_flush(session->pipeline);
}

static int tick(void *context)
{
	struct session *session = context;
	struct sink sink = enrich_sink(session->enrich);
	int result = enrich_tick(session->enrich);

	loop_timer_in(&session->loop, session->tick, TICK_NS);
	serve_tick(session->serve);
	live_table_full(session->live, model_rows_left_out(pipeline_model(session->pipeline)));
	if (!result)
		result = live_tick(session->live, &sink);
	if (!result && live_has_lost(session->live))
		result = repair_lost(&session->repair);
	if (!result && session->scrape.plan)
		result = scrape_tick(&session->scrape);
	if (!result && !walker_is_busy(session->walker)) /* it has the iterators */
		result = overflow_tick(session->overflow, &sink);
	if (!result)
		result = pipeline_keep(session->pipeline);
	return result ? result : pipeline_flush(session->pipeline);
}

/* --- ending
 * ------------------------------------------------------------------------------------------------- */

static int time_is_up(void *context)
{
	return SESSION_OVER;
}

static int reader_has_gone(void *context)
{
	return -EPIPE;
}

static int signalled(void *context)
{
	struct session *session = context;
	struct signalfd_siginfo info;

	if (read(session->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGHUP && session->scrape.plan)
		return session->scrape.plan->hangup(session->scrape.plan->context);
	if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP)
		write_all_hurry();
	if (info.ssi_signo != SIGCHLD)
		return SESSION_OVER;
	if (!session->child)
		return 0;
	child_check(session->child);
	return session->child->ended ? SESSION_OVER : 0;
}

/* --- beginning
 * ---------------------------------------------------------------------------------------------- */

/* Nobody is told of events. */
static bool is_silent(const struct session *session)
{
	return session->scrape_plan && session->scrape_plan->silent;
}

/* What stands between the sources and the pipeline. */
static int open_stages(struct session *session)
{
	struct sink sink = pipeline_sink(session->pipeline);
	int error = shows_events(session) ? conflicts_open(&sink, &session->conflicts) : 0;

	if (error)
		return error;
	if (session->conflicts)
		sink = conflicts_sink(session->conflicts);
	session->enrich = enrich_new(&sink, live_cgroup2_fd(session->live));
	return session->enrich ? 0 : -ENOMEM;
}

static int load_and_attach(struct session *session, struct fault *fault)
{
	const struct options *options = session->options;
	const struct live_options live_options = {
		.ring_size = options->ring_size,
		.attempts = options->attempts,
		.follow = session->child,
		.search = options->ephemeral,
		.no_udp_send = options->no_udp_send,
		.backend = options->backend,
		.counters = session->scrape_plan,
		.silent = is_silent(session),
	};
	const struct snapshot_options snapshot_options = {.serves_trace = true,
							  .for_ports = session->scrape_plan};

	/* What another thread has freed goes back to the kernel only where the limit for that is fixed. */
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	return sources_open(live_options, snapshot_options, &session->live, &session->snapshot, fault);
}

static int open_sources(struct session *session, struct fault *fault)
{
	int error = load_and_attach(session, fault);

	if (error)
		return error;
	malloc_trim(0); /* libbpf has read some megabytes of kernel types */
	error = walker_open(session->snapshot, &session->walker);
	if (error)
		return fault_set(fault, error, "no thread for walks: %s", strerror(-error));
	session->overflow = overflow_open(session->snapshot);
	error = session->overflow ? open_stages(session) : -ENOMEM;
	session->scrape.overflow = session->overflow;
	session->scrape.enrich = session->enrich;
	return error ? fault_set(fault, error, "%s", strerror(-error)) : 0;
}

/* Where walks put what they find. */
static struct sink walk_sink(struct session *session)
{
	return session->scrape_plan ? scrape_walk_sink(&session->scrape) : enrich_sink(session->enrich);
}

/* Hooks first, then what is there, then `ready`: events wait in the ring and are applied after the rows. */
static int begin_stream(struct session *session)
{
	struct sink sink = enrich_sink(session->enrich), walks = walk_sink(session);
	const struct snapshot_walk what = {.source = SOURCE_SNAPSHOT, .no_remains = true, .with_ports = true};
	struct census there;
	int result = enrich_begin(session->enrich);
	uint64_t begun_ns;

	if (!result && session->child)
		result = enrich_follow(session->enrich, (uint32_t)session->child->pid);
	begun_ns = proc_boottime_ns();
	if (!result)
		result = snapshot_walk(session->snapshot, &what, &walks);
	if (result)
		return result;
	repair_walked(&session->repair, begun_ns);
	census_take(pipeline_model(session->pipeline), &there);
	result = live_put_ready(session->live, &sink, there.sockets, there.processes, there.namespaces);
	if (!result)
		result = pipeline_keep(session->pipeline);
	return result ? result : pipeline_flush(session->pipeline);
}

static int open_signals(struct session *session)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	session->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return session->signal_fd < 0 ? -errno : 0;
}

static int open_timers(struct session *session)
{
	struct loop *loop = &session->loop;

	session->reader = loop_add_timer(loop, read_ring, session);
	session->tick = loop_add_timer(loop, tick, session);
	session->end = loop_add_timer(loop, time_is_up, session);
	if (session->reader < 0 || session->tick < 0 || session->end < 0)
		return -ENOSPC;
	loop_timer_in(loop, session->reader, 0);
	loop_timer_in(loop, session->tick, TICK_NS);
	if (session->options->duration_ns)
		loop_timer_in(loop, session->end, session->options->duration_ns);
	return 0;
}

static int open_loop(struct session *session)
{
	struct loop *loop = &session->loop;
	struct sink sink = walk_sink(session);
	int error = loop_open(loop);

	if (!error)
		error = loop_add_fd(loop, live_fd(session->live), LOOP_ONCE, read_ring, session);
	if (!error)
		error = loop_add_fd(loop, session->signal_fd, LOOP_READABLE, signalled, session);
	if (!error && !session->scrape_plan) { /* who is scraped lives without standard output */
		error = loop_add_fd(loop, STDOUT_FILENO, LOOP_HANGUP, reader_has_gone, session);
		if (error == -EPERM || error == -EBADF)
			error = 0; /* a file, which cannot hang up, or closed from the beginning */
	}
	if (!error)
		error = loop_add_fd(loop, walker_fd(session->walker), LOOP_READABLE, take_walk, session);
	if (!error && session->conflicts)
		error = loop_add_fd(loop, conflicts_fd(session->conflicts), LOOP_READABLE, take_conflicts,
				    session);
	if (!error)
		error = repair_open(&session->repair, loop, session->walker, &sink,
				    pipeline_model(session->pipeline), session->options->holders);
	return error ? error : open_timers(session);
}

static void warn_of_missing(struct session *session)
{
	struct finding findings[FACT_COUNT];
	char remark[1024];

	live_findings(session->live, findings);
	session->partial = *findings_remark(findings, remark, sizeof(remark));
	if (session->partial && !session->options->quiet)
		complain("not everything can be seen here: %s; portsnoop doctor tells more", remark);
}

static int begin_scraping(struct session *session)
{
	session->scrape.loop = &session->loop;
	session->scrape.repair = &session->repair;
	session->scrape.live = session->live;
	session->scrape.model = pipeline_tables(session->pipeline);
	session->repair.unwatched = is_silent(session);
	return scrape_open(&session->scrape, session->scrape_plan);
}

/* --- from beginning to end
 * ---------------------------------------------------------------------------------- */

static int run_loop(struct session *session)
{
	const struct serve_plan serve = {
		.loop = &session->loop,
		.repair = &session->repair,
		.model = pipeline_tables(session->pipeline),
		.keeps_remains = session->show_plan && session->show_plan->keeps_remains,
		.catch_up = catch_up,
		.context = session,
	};
	int result = 0;

	/* Tables that miss sockets answer nobody. Who asks before they are filled waits; after `ready`,
	 * nobody. */
	if (!session->options->no_udp_send && !is_silent(session))
		result = serve_open(&serve, &session->serve);
	if (!result)
		result = begin_stream(session);
	if (!result)
		privileges_drop(live_can_read, session->live);
	if (!result && session->child)
		child_let_go(session->child);
	if (!result && session->show_plan)
		result = show_open(&session->show, session->show_plan, &session->loop, &session->repair,
				   pipeline_tables(session->pipeline), session->partial);
	if (!result && session->scrape_plan)
		result = begin_scraping(session);
	return result ? result : loop_run(&session->loop);
}

static int finish(struct session *session, int result)
{
	struct sink sink = enrich_sink(session->enrich);
	int error = 0;

	if (result >= 0)
		error = live_stop(session->live, &sink);
	if (result >= 0 && !error && session->conflicts)
		error = conflicts_finish(session->conflicts, &sink);
	if (result >= 0 && !error)
		error = live_put_summary(session->live, &sink);
	if (error > 0)
		error = 0;
	if (result >= 0 && !error)
		error = pipeline_flush(session->pipeline);
	return result < 0 ? result : error;
}

static void close_all(struct session *session)
{
	loop_close(&session->loop);
	if (session->signal_fd >= 0)
		close(session->signal_fd);
	serve_close(session->serve);
	walker_close(session->walker);
	conflicts_close(session->conflicts);
	enrich_free(session->enrich);
	overflow_close(session->overflow);
	live_close(session->live);
	snapshot_close(session->snapshot);
}

static int run(struct session *session, struct fault *fault)
{
	int result;

	session->loop.epoll_fd = -1;
	session->signal_fd = -1;
	result = open_signals(session);
	if (!result)
		result = open_sources(session, fault);
	if (!result)
		result = open_loop(session);
	if (!result) {
		warn_of_missing(session);
		result = run_loop(session);
		result = finish(session, result);
	}
	close_all(session);
	return result;
}

int session_run(const struct options *options, struct pipeline *pipeline, struct child *child,
		const struct show_plan *show, struct fault *fault)
{
	struct session session = {
		.options = options, .pipeline = pipeline, .child = child, .show_plan = show};

	return run(&session, fault);
}

int session_run_scraped(const struct options *options, struct pipeline *pipeline,
			const struct scrape_plan *scrape, struct fault *fault)
{
	struct session session = {.options = options, .pipeline = pipeline, .scrape_plan = scrape};

	return run(&session, fault);
}
