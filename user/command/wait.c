/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wait: until somebody listens on a port, or an ordinary bind to it would succeed, in the network namespace
 * of who asks. Hooks say what changes; a walk says what no event tells: that TIME_WAIT is over, and that
 * nothing was left behind.
 */
#include "command/command.h"
#include "command/fill.h"
#include "command/netns_choice.h"
#include "command/port_check.h"
#include "command/sources.h"
#include "core/port_wish.h"
#include "loop.h"
#include "pipeline.h"
#include "source/enrich.h"
#include "source/fault.h"
#include "source/live.h"
#include "source/snapshot.h"
#include "source/walker.h"
#include "system/privileges.h"
#include "system/proc.h"
#include "view/who.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <portsnoop/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define READ_INTERVAL_NS 4000000    /* while records flow */
#define LOOK_INTERVAL_NS 1000000000 /* between walks */
#define TICK_NS		 1000000000
#define WALK_BUDGET_NS	 1000000000 /* nothing else waits */

/* Of callbacks: end the loop. */
enum outcome { IT_IS_SO = 1, TIMED_OUT, INTERRUPTED };

struct waiting {
	const struct options *options;
	struct port_wish wish;
	struct netns_choice netns;
	struct port_check *check; /* of a wish for a free port; NULL: the tables decide */
	uint64_t began_ns;
	struct pipeline *pipeline;
	struct live *live;
	struct snapshot *snapshot;
	struct walker *walker;
	struct enrich *enrich;
	struct loop loop;
	int reader, look, tick, end; /* timers */
	int signal_fd;
	uint64_t looked_ns; /* when the latest walk began; 0: only the first one was */
	uint64_t witness;   /* cookie of a socket that was in the way */
	uint16_t witness_protocol;
	bool uncertain; /* the tables may lack what is in the way */
	bool look_set;	/* the timer will start a walk */
};

static const struct model *model_of(const struct waiting *waiting)
{
	return pipeline_model(waiting->pipeline);
}

/* No record will say that this one has gone. */
static bool goes_unseen(const struct socket_row *row)
{
	return row->orphan || row->absent;
}

/* --- walks ------------------------------------------------------------------------------------------------
 */

static struct sink sink_of(struct waiting *waiting);

static int start_walk(void *context)
{
	static const struct snapshot_walk everything = {.source = SOURCE_RESYNC};
	struct waiting *waiting = context;
	struct sink sink = sink_of(waiting);

	waiting->look_set = false;
	if (walker_is_busy(waiting->walker))
		return 0;
	waiting->looked_ns = proc_boottime_ns();
	waiting->uncertain = false; /* unless something happens until it has ended */
	return walker_start(waiting->walker, &everything, &sink);
}

/* At once the first time, then once a second. */
static int want_walk(struct waiting *waiting)
{
	uint64_t since_ns = proc_boottime_ns() - waiting->looked_ns;

	if (waiting->look_set || walker_is_busy(waiting->walker))
		return 0;
	if (since_ns >= LOOK_INTERVAL_NS)
		return start_walk(waiting);
	waiting->look_set = true;
	return loop_timer_in(&waiting->loop, waiting->look, LOOK_INTERVAL_NS - since_ns);
}

/* --- deciding ---------------------------------------------------------------------------------------------
 */

/* The tables lack what nobody could be found to hold: the kernel's own have the last word. */
static bool is_free(struct waiting *waiting)
{
	if (waiting->wish.listening)
		return true;
	if (!waiting->check)
		waiting->check = port_check_open(&waiting->wish.spec, waiting->netns.fd);
	return port_check_is_free(waiting->check);
}

static int decide(struct waiting *waiting)
{
	const struct model *model = model_of(waiting);
	const struct socket_row *obstacle;

	if (waiting->wish.listening)
		return port_wish_is_fulfilled(&waiting->wish, model) ? IT_IS_SO : 0;
	obstacle = port_wish_obstacle(&waiting->wish, model);
	if (obstacle)
		return goes_unseen(obstacle) ? want_walk(waiting) : 0;
	if (waiting->uncertain || walker_is_busy(waiting->walker) || !is_free(waiting))
		return want_walk(waiting);
	return IT_IS_SO;
}

/* The socket of a record, as it was before it. NULL: it is none of ours. */
static const struct rec_socket *socket_of(const struct waiting *waiting, const struct rec_header *header)
{
	const struct rec_fact *fact = (const void *)header;
	const struct socket_row *row;

	if (header->kind < REC_BIND || header->kind > REC_SOCKET || !(header->flags & REC_F_SOCKET) ||
	    fact->socket.netns != waiting->wish.netns)
		return NULL;
	/* TCP gives a port back before it says so: it is in the table. */
	row = model_socket(model_of(waiting), fact->socket.cookie, fact->socket.protocol);
	if (fact->socket.local_port == waiting->wish.spec.port ||
	    (row && row->socket.local_port == waiting->wish.spec.port))
		return &fact->socket;
	return NULL;
}

/* What a walk finds is judged at its end, when holders are known too. */
static int take(void *context, const void *record, size_t size)
{
	struct waiting *waiting = context;
	struct sink sink = enrich_sink(waiting->enrich);
	const struct rec_header *header = record;
	const struct rec_socket *socket = socket_of(waiting, header);
	bool closed = socket && header->kind == REC_CLOSE;
	int result;

	/* A connection may leave TIME_WAIT behind, and what it was beside it. */
	if (closed && socket->protocol != IPPROTO_UDP && socket->state != TCP_LISTEN)
		waiting->uncertain = true;
	result = sink_put(&sink, record, size);
	port_wish_note(&waiting->wish, header);
	if (result || !socket || header->kind == REC_SOCKET)
		return result;
	/* A listener that comes and goes was there; a port that was free in between is not free. */
	return waiting->wish.listening && !closed ? decide(waiting) : 0;
}

static struct sink sink_of(struct waiting *waiting)
{
	return (struct sink){.take = take, .context = waiting};
}

/* --- the loop ---------------------------------------------------------------------------------------------
 */

static int drain(struct waiting *waiting, size_t *ret_count)
{
	struct sink sink = sink_of(waiting);
	int result = live_drain(waiting->live, &sink, ret_count);

	if (result)
		return result;
	if (live_has_lost(waiting->live)) {
		waiting->uncertain = true;
		result = want_walk(waiting);
	}
	return result;
}

static int read_ring(void *context)
{
	struct waiting *waiting = context;
	size_t count;
	int result = drain(waiting, &count);

	if (!result && count)
		result = decide(waiting);
	if (result)
		return result;
	if (count || !live_may_sleep(waiting->live))
		return loop_timer_in(&waiting->loop, waiting->reader, READ_INTERVAL_NS);
	return loop_rearm(&waiting->loop, live_fd(waiting->live));
}

/* What events know goes first: a row that was read before them must find them in the tables. */
static int take_walk(void *context)
{
	struct waiting *waiting = context;
	struct sink sink = sink_of(waiting);
	size_t count;
	bool ended;
	int result = drain(waiting, &count);

	/* Whoever put these there has given the wake-up that finds nothing now, and nobody will give another.
	 */
	if (count)
		loop_timer_in(&waiting->loop, waiting->reader, READ_INTERVAL_NS);
	if (result)
		return result;
	result = walker_take(waiting->walker, &sink, WALK_BUDGET_NS, &ended);
	return result || !ended ? result : decide(waiting);
}

/* Where a hook is missing, looking is all there is. */
static int tick(void *context)
{
	struct waiting *waiting = context;
	struct sink sink = sink_of(waiting);
	int result = live_tick(waiting->live, &sink);

	loop_timer_in(&waiting->loop, waiting->tick, TICK_NS);
	if (!result && (live_has_lost(waiting->live) || !live_is_whole(waiting->live)))
		result = want_walk(waiting);
	return result;
}

static int time_is_up(void *context)
{
	return TIMED_OUT;
}

static int signalled(void *context)
{
	return INTERRUPTED;
}

/* --- beginning and end ------------------------------------------------------------------------------------
 */

static int open_sources(struct waiting *waiting, struct fault *fault)
{
	struct sink sink = pipeline_sink(waiting->pipeline);
	int error = sources_open((struct live_options){.no_udp_send = true},
				 (struct snapshot_options){.serves_trace = true}, &waiting->live,
				 &waiting->snapshot, fault);

	if (error)
		return error;
	waiting->enrich = enrich_new(&sink, live_cgroup2_fd(waiting->live));
	error = waiting->enrich ? walker_open(waiting->snapshot, &waiting->walker) : -ENOMEM;
	return error ? fault_set(fault, error, "cannot begin: %s", strerror(-error)) : 0;
}

static int open_signals(struct waiting *waiting)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	waiting->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return waiting->signal_fd < 0 ? -errno : 0;
}

static uint64_t time_left_ns(const struct waiting *waiting)
{
	uint64_t gone_ns = proc_boottime_ns() - waiting->began_ns, all_ns = waiting->options->timeout_ns;

	return gone_ns < all_ns ? all_ns - gone_ns : 0;
}

static int open_loop(struct waiting *waiting)
{
	struct loop *loop = &waiting->loop;
	int error = loop_open(loop);

	if (!error)
		error = loop_add_fd(loop, live_fd(waiting->live), LOOP_ONCE, read_ring, waiting);
	if (!error)
		error = loop_add_fd(loop, waiting->signal_fd, LOOP_READABLE, signalled, waiting);
	if (!error)
		error = loop_add_fd(loop, walker_fd(waiting->walker), LOOP_READABLE, take_walk, waiting);
	if (error)
		return error;
	waiting->reader = loop_add_timer(loop, read_ring, waiting);
	waiting->look = loop_add_timer(loop, start_walk, waiting);
	waiting->tick = loop_add_timer(loop, tick, waiting);
	waiting->end = loop_add_timer(loop, time_is_up, waiting);
	loop_timer_in(loop, waiting->reader, 0);
	loop_timer_in(loop, waiting->tick, TICK_NS);
	if (waiting->options->timeout_ns)
		loop_timer_in(loop, waiting->end, time_left_ns(waiting));
	return waiting->end < 0 ? waiting->end : 0;
}

/* Hooks first, then what is there: events wait in the ring and are applied after the rows. */
static int run(struct waiting *waiting, struct fault *fault)
{
	static const struct snapshot_walk everything = {.source = SOURCE_RESYNC};
	struct sink sink = sink_of(waiting);
	int result = open_signals(waiting);

	if (!result)
		result = open_sources(waiting, fault);
	if (!result)
		result = open_loop(waiting);
	if (!result)
		result = enrich_begin(waiting->enrich);
	if (!result)
		result = snapshot_walk(waiting->snapshot, &everything, &sink);
	if (!result)
		result = decide(waiting);
	if (result)
		return result;
	is_free(waiting); /* later, nothing can be loaded */
	privileges_drop(live_can_read, waiting->live);
	return loop_run(&waiting->loop);
}

static void close_all(struct waiting *waiting)
{
	loop_close(&waiting->loop);
	if (waiting->signal_fd >= 0)
		close(waiting->signal_fd);
	walker_close(waiting->walker);
	enrich_free(waiting->enrich);
	live_close(waiting->live);
	snapshot_close(waiting->snapshot);
	port_check_close(waiting->check);
	if (waiting->netns.fd >= 0)
		close(waiting->netns.fd);
}

/* --- the answer -------------------------------------------------------------------------------------------
 */

static int print_sockets(const struct waiting *waiting, const struct who_options *who,
			 bool (*wanted)(const void *context, const struct rec_socket *socket))
{
	struct port_table table;
	int error = port_table_read(model_of(waiting), &table);

	if (error)
		return error;
	port_table_keep(&table, wanted, &waiting->wish);
	error = who_print_short(stdout, model_of(waiting), &table, who);
	port_table_free(&table);
	return error;
}

static int print(const struct waiting *waiting, bool fulfilled)
{
	const struct options *options = waiting->options;
	uint64_t now_ns = proc_boottime_ns();
	const struct who_options who = {
		.list = {.view = view_options_of(options),
			 .json = options->json,
			 .now_ns = now_ns,
			 .holders_as_of_ns = now_ns},
		.spec = &waiting->wish.spec,
		.home_netns = waiting->wish.netns,
		.netns = waiting->wish.netns,
	};
	int error = 0;

	if (waiting->wish.listening)
		error = print_sockets(waiting, &who, fulfilled ? port_wish_fulfils : port_wish_concerns);
	else if (!fulfilled)
		error = print_sockets(waiting, &who, port_wish_prevents);
	else if (!options->json)
		who_print_nobody(stdout, model_of(waiting), &who, "", " is free");
	if (fflush(stdout) && !error)
		error = -errno;
	return output_status(error);
}

static int answer(const struct waiting *waiting, enum outcome outcome)
{
	bool listening = waiting->wish.listening;
	char port[PORT_SPEC_TEXT_MAX];
	int status = print(waiting, outcome == IT_IS_SO);

	if (outcome == IT_IS_SO)
		return status;
	if (!waiting->options->quiet)
		complain("%s: %s%s%s", outcome == TIMED_OUT ? "timed out" : "interrupted",
			 listening ? "nobody listens on " : "", port_spec_text(&waiting->wish.spec, port),
			 listening ? "" : " is not free");
	return status ? status : EXIT_NEGATIVE;
}

/* --- the command ------------------------------------------------------------------------------------------
 */

static int watch(struct waiting *waiting)
{
	struct fault fault = {0};
	int result, status = check_kernel(privileges_for_tracing);

	if (status)
		return status;
	result = run(waiting, &fault);
	if (result > 0)
		return answer(waiting, (enum outcome)result);
	if (!fault.text[0])
		fault_set(&fault, result, "%s", strerror(-result));
	return complain_of_start(&fault);
}

/* If it is so already, one look shows it, thirty times as fast as hooks come and go. */
static int look_or_watch(struct waiting *waiting)
{
	static const struct fill everything = {
		.connections = true, .descriptions = true, .no_instance = true};
	int status = fill_from_kernel(waiting->pipeline, &everything);

	if (status)
		return status;
	if (port_wish_is_fulfilled(&waiting->wish, model_of(waiting)) && is_free(waiting))
		return answer(waiting, IT_IS_SO);
	return watch(waiting);
}

int command_wait(const struct options *options, char **words, size_t n_words)
{
	static const struct pipeline_options pipeline_options = {.print = false};
	struct waiting waiting = {.options = options,
				  .wish = {.listening = options->listening, .netns = proc_netns()},
				  .netns.fd = -1,
				  .began_ns = proc_boottime_ns(),
				  .loop.epoll_fd = -1,
				  .signal_fd = -1};
	int status = parse_seen_port(options, "wait", words, n_words, &waiting.wish.spec);

	if (status)
		return status;
	if (n_words > 1 || options->listening == options->free) {
		complain(n_words > 1 ? "wait: nothing is expected behind the port"
				     : "wait: expected one of --listening and --free");
		return EXIT_USAGE;
	}
	status = netns_choice_open(options, &waiting.netns);
	if (status)
		return status;
	status = netns_choice_check(options, &waiting.netns);
	if (status) {
		close(waiting.netns.fd);
		return status;
	}
	if (waiting.netns.inode)
		waiting.wish.netns = waiting.netns.inode;
	waiting.pipeline = pipeline_new(&pipeline_options, STDOUT_FILENO);
	if (waiting.pipeline) {
		status = look_or_watch(&waiting);
	} else {
		complain("out of memory");
		status = EXIT_INTERNAL;
	}
	close_all(&waiting);
	pipeline_free(waiting.pipeline);
	return status;
}
