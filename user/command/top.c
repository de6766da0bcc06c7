/* SPDX-License-Identifier: GPL-2.0-only */
/* top: live tables on a terminal, or as plain frames; of this machine or of a recording. */
#include "command/command.h"
#include "command/session.h"
#include "command/top_play.h"
#include "command/top_screen.h"
#include "command/top_settings.h"
#include "system/privileges.h"
#include "system/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_LEAST_NS 1000000000ull /* between looks at what no event tells */

struct top {
	struct top_tables tables;
	struct top_state state;
	struct top_screen screen;
	uint64_t frames_left;
};

/* --- live -------------------------------------------------------------------------------------------------
 */

static uint64_t time_now(void *context)
{
	return proc_boottime_ns();
}

static int open_screen(void *context, struct loop *loop, bool partial)
{
	struct top *top = context;

	top->tables.partial = partial;
	return top_screen_open(&top->screen, loop);
}

/* What no event tells was looked at. The first time there is something to see then; later the next refresh
 * shows it. */
static int looked(void *context)
{
	struct top *top = context;

	if (!top->frames_left)
		return 0;
	top->frames_left = 0;
	return top_screen_refresh(&top->screen);
}

static int print_frame(void *context)
{
	struct top *top = context;
	uint64_t now_ns = proc_boottime_ns();
	int error;

	top_tables_tick(&top->tables, &top->state, now_ns);
	error = top_tables_print(&top->tables, &top->state, now_ns, stdout);
	if (!error && --top->frames_left && !top->tables.options->json)
		fputc('\n', stdout);
	if (!error && fflush(stdout))
		error = -errno;
	return error || top->frames_left ? error : TOP_OVER;
}

static int status_of(int result, const struct fault *fault)
{
	if (*fault->text)
		return complain_of_start(fault);
	if (result == -EINVAL) {
		complain("this terminal cannot be drawn on (TERM); top --batch 1 or trace can do without");
		return EXIT_USAGE;
	}
	return result < 0 ? output_status(result) : EXIT_DONE;
}

static int run_live(struct top *top)
{
	const struct options *options = top->tables.options;
	bool batch = options->batch;
	const struct show_plan plan = {
		.every_ns =
			top->state.delay_ns > LOOK_LEAST_NS || batch ? top->state.delay_ns : LOOK_LEAST_NS,
		.show = batch ? print_frame : looked,
		.open = batch ? NULL : open_screen,
		.context = top,
		.shows_events = true,
		.keeps_remains = true,
	};
	struct fault fault = {0};
	int result, status = check_kernel(privileges_for_tracing);

	if (status)
		return status;
	top->frames_left = batch ? options->batch : 1;
	top->screen = (struct top_screen){.tables = &top->tables,
					  .state = &top->state,
					  .now = time_now,
					  .signal_fd = -1,
					  .context = top};
	result = session_run(options, top->tables.pipeline, NULL, &plan, &fault);
	top_screen_close(&top->screen);
	return status_of(result, &fault);
}

/* --- what was asked for -----------------------------------------------------------------------------------
 */

static int take_view(const struct options *options, struct top_state *state)
{
	if (!options->view || !top_view_find(options->view, &state->view))
		return EXIT_DONE;
	complain("--view %s: expected ports, processes, connections, ephemeral or events", options->view);
	return EXIT_USAGE;
}

static int take_sort(const struct options *options, struct top_state *state)
{
	const char *title = options->sort;
	struct top_place *place = &state->places[state->view];
	char titles[256];
	int column;

	if (!title)
		return EXIT_DONE;
	place->reverse = *title == '-';
	column = top_column_find(state->view, title + place->reverse);
	if (column < 0) {
		top_column_titles(state->view, titles, sizeof(titles));
		complain("--sort %s: %s%s%s", options->sort, top_view_name(state->view),
			 *titles ? " can be sorted by " : " cannot be sorted", titles);
		return EXIT_USAGE;
	}
	place->sort = (unsigned)column;
	return EXIT_DONE;
}

static int take_options(const struct options *options, struct top_state *state)
{
	int status = take_view(options, state);

	if (options->numeric)
		state->numeric = true;
	if (options->delay_ns &&
	    (options->delay_ns < TOP_DELAY_LEAST_NS || options->delay_ns > TOP_DELAY_MOST_NS)) {
		complain("--delay: expected 100ms to 60s");
		return EXIT_USAGE;
	}
	if (options->delay_ns)
		state->delay_ns = options->delay_ns;
	return status ? status : take_sort(options, state);
}

/* Words as the one text that is edited with `/`: what has blanks in it is quoted. */
static void join_words(char **words, size_t n_words, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	for (size_t i = 0; i < n_words; i++) {
		bool quote = i && words[i][strcspn(words[i], " \t()\"'")] && n_words > 1;

		text_put(&text, i ? " " : "");
		text_put(&text, quote ? "\"" : "");
		for (const char *at = words[i]; *at; at++)
			text_format(&text, quote && (*at == '"' || *at == '\\') ? "\\%c" : "%c", *at);
		text_put(&text, quote ? "\"" : "");
	}
}

static int take_words(struct top *top, char **words, size_t n_words)
{
	const struct options *options = top->tables.options;
	int status = parse_filter(options, options->from, words, n_words, &top->tables.filter);

	if (!status)
		join_words(words, n_words, top->state.filter, sizeof(top->state.filter));
	return status;
}

static int check(const struct options *options)
{
	if (options->child) {
		complain("top: nothing is expected after --");
		return EXIT_USAGE;
	}
	if (options->json && !options->batch) {
		complain("top: --json is for --batch; without it, w writes a view to a file");
		return EXIT_USAGE;
	}
	if (options->ascii && options->batch) {
		complain("top: --ascii is about a terminal, and --batch needs none");
		return EXIT_USAGE;
	}
	if (options->from && !strcmp(options->from, "-")) {
		complain("top: a recording must be a file: it is read more than once");
		return EXIT_USAGE;
	}
	if (!options->batch && !terminal_is_there()) {
		complain("top: standard input and output are not a terminal that can be drawn on; top "
			 "--batch 1, ls "
			 "and trace do without");
		return EXIT_USAGE;
	}
	return check_ring_size(options);
}

static int run(struct top *top)
{
	bool batch = top->tables.options->batch;

	if (!top->tables.options->from)
		return run_live(top);
	return batch ? top_play_batch(&top->tables, &top->state) : top_play(&top->tables, &top->state);
}

int command_top(const struct options *options, char **words, size_t n_words)
{
	struct top top = {.frames_left = 0};
	int status = check(options);

	if (status)
		return status;
	top_screen_block_signals(); /* before there are threads */
	top_state_init(&top.state);
	if (top_tables_open(&top.tables, options)) {
		complain("out of memory");
		return EXIT_INTERNAL;
	}
	if (!options->batch)
		top_settings_load(&top.state);
	status = take_options(options, &top.state);
	if (!status)
		status = take_words(&top, words, n_words);
	if (!status)
		status = run(&top);
	if (!status && !options->batch)
		top_settings_save(&top.state);
	top_tables_close(&top.tables);
	return status;
}
