/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/top_play.h"

#include "command/command.h"
#include "command/top_screen.h"
#include "source/replay.h"
#include "system/proc.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STEP_NS	    100000000ull   /* of real time, between two looks at the clock */
#define SEEK_NS	    10000000000ull /* of the recording's */
#define SPEED_MOST  1024
#define SPEED_LEAST (1.0 / 64)

struct play {
	struct top_tables *tables;
	struct top_screen screen;
	struct replay *replay;
	const char *path;
	bool cut; /* the recording is, as `damage` says */
	struct fault damage;
	struct loop loop;
	uint64_t now_ns;  /* of the recording */
	uint64_t real_ns; /* when that was so */
	int timer, signal_fd;
};

/* --- the recording ----------------------------------------------------------------------------------------
 */

/* Everything up to a time. Going back is playing it again from the beginning. */
static int go_to(struct play *play, uint64_t time_ns)
{
	struct fault fault = {0};
	struct sink sink;
	bool ended;
	int error = 0;

	if (time_ns < play->tables->clock.begin_ns)
		time_ns = play->tables->clock.begin_ns;
	if (time_ns > play->tables->clock.end_ns)
		time_ns = play->tables->clock.end_ns;
	if (!play->replay || time_ns < play->now_ns) {
		replay_close(play->replay);
		play->replay = NULL;
		error = top_tables_restart(play->tables);
		if (!error)
			error = replay_open(play->path, &play->replay, &fault);
	}
	if (error)
		return error;
	sink = pipeline_sink(play->tables->pipeline);
	play->now_ns = time_ns;
	return replay_until(play->replay, time_ns, &sink, &ended);
}

static int open_play(struct play *play, struct top_tables *tables)
{
	struct top_clock *clock = &tables->clock;
	struct replay_span span;
	int error;

	*play = (struct play){.tables = tables, .path = tables->options->from, .signal_fd = -1};
	play->loop.epoll_fd = -1;
	error = replay_span(play->path, &span, &play->damage);
	if (error) {
		complain("%s", play->damage.text);
		return EXIT_USAGE;
	}
	play->cut = span.cut;
	*clock = (struct top_clock){
		.recording = true, .speed = 1, .begin_ns = span.begin_ns, .end_ns = span.end_ns};
	error = go_to(play, clock->begin_ns);
	if (!error)
		return EXIT_DONE;
	complain("%s: %s", play->path, strerror(-error));
	return EXIT_INTERNAL;
}

/* Of a play that has gone well. */
static int end_status(const struct play *play)
{
	if (!play->cut)
		return EXIT_DONE;
	complain("%s; everything before that point was shown", play->damage.text);
	return EXIT_LOST;
}

/* --- its clock --------------------------------------------------------------------------------------------
 */

static uint64_t play_time(void *context)
{
	return ((const struct play *)context)->now_ns;
}

/* What has passed since, at the speed that it had. */
static int advance(struct play *play)
{
	const struct top_clock *clock = &play->tables->clock;
	uint64_t real_ns = proc_boottime_ns();
	double passed = (double)(real_ns - play->real_ns) * clock->speed;

	play->real_ns = real_ns;
	return clock->paused ? 0 : go_to(play, play->now_ns + (uint64_t)passed);
}

static int step(void *context)
{
	struct play *play = context;

	loop_timer_in(&play->loop, play->timer, STEP_NS);
	return advance(play);
}

static int turn(void *context, enum top_wish wish)
{
	struct play *play = context;
	struct top_clock *clock = &play->tables->clock;
	int error = advance(play);

	if (error)
		return error;
	switch (wish) {
	case WISH_PAUSE:
		clock->paused = !clock->paused;
		return 0;
	case WISH_SLOWER:
		clock->speed = clock->speed / 2 < SPEED_LEAST ? SPEED_LEAST : clock->speed / 2;
		return 0;
	case WISH_FASTER:
		clock->speed = clock->speed * 2 > SPEED_MOST ? SPEED_MOST : clock->speed * 2;
		return 0;
	case WISH_BACK:
		error = go_to(play, play->now_ns > SEEK_NS ? play->now_ns - SEEK_NS : 0);
		break;
	default:
		error = go_to(play, play->now_ns + SEEK_NS);
		break;
	}
	return error ? error : top_screen_refresh(&play->screen);
}

/* --- on a terminal ----------------------------------------------------------------------------------------
 */

static int signalled(void *context)
{
	return TOP_OVER;
}

static int open_signals(struct play *play)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	play->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return play->signal_fd < 0 ? -errno : 0;
}

static int run(struct play *play)
{
	int error = open_signals(play);

	if (!error)
		error = loop_open(&play->loop);
	if (!error)
		error = loop_add_fd(&play->loop, play->signal_fd, LOOP_READABLE, signalled, play);
	if (error)
		return error;
	play->timer = loop_add_timer(&play->loop, step, play);
	play->real_ns = proc_boottime_ns();
	loop_timer_in(&play->loop, play->timer, STEP_NS);
	error = top_screen_open(&play->screen, &play->loop);
	return error ? error : loop_run(&play->loop);
}

int top_play(struct top_tables *tables, struct top_state *state)
{
	struct play play;
	int error, status = open_play(&play, tables);

	if (status)
		return status;
	play.screen = (struct top_screen){
		.tables = tables, .state = state, .now = play_time, .turn = turn, .context = &play};
	state->recording = true;
	error = run(&play);
	top_screen_close(&play.screen);
	loop_close(&play.loop);
	if (play.signal_fd >= 0)
		close(play.signal_fd);
	replay_close(play.replay);
	if (error == TOP_OVER || error == -EPIPE)
		return end_status(&play);
	complain("top: %s", error == -EINVAL ? "this terminal cannot be drawn on" : strerror(-error));
	return EXIT_INTERNAL;
}

/* --- without ----------------------------------------------------------------------------------------------
 */

int top_play_batch(struct top_tables *tables, struct top_state *state)
{
	const struct top_clock *clock = &tables->clock;
	uint64_t n = tables->options->batch;
	struct play play;
	int error = 0, status = open_play(&play, tables);

	if (status)
		return status;
	rates_tick(tables->rates, clock->begin_ns);
	for (uint64_t i = 1; i <= n && !error; i++) {
		double share = (double)i / (double)n;

		error = go_to(&play, clock->begin_ns +
					     (uint64_t)(share * (double)(clock->end_ns - clock->begin_ns)));
		if (!error) {
			top_tables_tick(tables, state, play.now_ns);
			error = top_tables_print(tables, state, play.now_ns, stdout);
		}
		if (!error && i < n && !tables->options->json)
			fputc('\n', stdout);
	}
	replay_close(play.replay);
	if (!error && fflush(stdout))
		error = -errno;
	status = output_status(error);
	return status ? status : end_status(&play);
}
