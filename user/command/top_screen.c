/* SPDX-License-Identifier: GPL-2.0-only */
#include "command/top_screen.h"

#include "command/command.h"
#include "command/top_actions.h"
#include "screen/draw.h"
#include "view/top_print.h"
#include "view/top_signal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* --- drawing ----------------------------------------------------------------------------------------------
 */

static void draw_all(struct top_screen *screen, bool all)
{
	struct canvas *canvas = terminal_canvas(screen->terminal);
	const struct top_page page = top_tables_page(screen->tables, screen->state);
	const struct drawing drawing = {
		.head = &screen->tables->head,
		.state = screen->state,
		.table = &screen->tables->table,
		.page = &page,
		.layout = &screen->layout,
		.lines = screen->lines,
		.n_lines = screen->n_lines,
	};

	top_tables_head(screen->tables, screen->state, screen->now(screen->context), canvas->utf8);
	draw(canvas, &drawing);
	terminal_show(screen->terminal, all);
}

static void stamp(struct top_state *state)
{
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local))
		strftime(state->stamp, sizeof(state->stamp), "%Y%m%d-%H%M%S", &local);
}

/* --- details ----------------------------------------------------------------------------------------------
 */

static void free_details(struct top_screen *screen)
{
	free(screen->details);
	free(screen->lines);
	screen->details = NULL;
	screen->lines = NULL;
	screen->n_lines = 0;
}

/* Ends each line with a NUL and remembers where it begins. 0 or -ENOMEM. */
static int split_details(struct top_screen *screen)
{
	size_t n = 0;

	for (size_t i = 0; i < screen->details_size; i++)
		n += screen->details[i] == '\n';
	screen->lines = calloc(n + 1, sizeof(*screen->lines));
	if (!screen->lines)
		return -ENOMEM;
	for (char *line = screen->details; n; n--) {
		char *end = strchr(line, '\n');

		*end = '\0';
		screen->lines[screen->n_lines++] = line;
		line = end + 1;
	}
	return 0;
}

/* Of the selected row, as it is now, or was when the view was frozen. */
static void read_details(struct top_screen *screen)
{
	struct top_source source;
	const struct top_row *row = top_state_row(screen->state, &screen->tables->table);
	FILE *out;

	free_details(screen);
	if (top_tables_shown(screen->tables, screen->state, screen->now(screen->context), &source)) {
		top_state_say(screen->state, true, "out of memory");
		screen->state->mode = MODE_TABLE;
		return;
	}
	out = row ? open_memstream(&screen->details, &screen->details_size) : NULL;
	if (!out) {
		top_state_say(screen->state, true, row ? "out of memory" : "no row is selected");
		screen->state->mode = MODE_TABLE;
		return;
	}
	if (top_print_details(out, row, screen->state->view, &source))
		top_state_say(screen->state, true, "out of memory");
	if (fclose(out) || split_details(screen))
		free_details(screen);
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

/* A frozen table stays as it is, and the terminal is still answered. Without memory now there may be some
 * later. */
static void read_tables(struct top_screen *screen)
{
	if (screen->state->frozen)
		return;
	if (top_tables_read(screen->tables, screen->state, screen->now(screen->context)))
		top_state_say(screen->state, true, "out of memory");
}

int top_screen_refresh(void *context)
{
	struct top_screen *screen = context;

	top_tables_tick(screen->tables, screen->state, screen->now(screen->context));
	stamp(screen->state);
	read_tables(screen);
	if (screen->state->mode == MODE_DETAILS && !screen->state->frozen) {
		top_state_settle(screen->state, &screen->tables->table, screen->state->page);
		read_details(screen);
	}
	draw_all(screen, false);
	return 0;
}

static int due(void *context)
{
	struct top_screen *screen = context;

	loop_timer_in(screen->loop, screen->timer, screen->state->delay_ns);
	return top_screen_refresh(screen);
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

static void take_filter(struct top_screen *screen)
{
	struct filter_error error;
	struct filter *filter = NULL;
	int result =
		parse_filter_text(screen->tables->options->from, screen->state->edit.text, &filter, &error);

	if (result == -ENOMEM) {
		top_state_say(screen->state, true, "out of memory");
		return;
	}
	top_state_filter(screen->state, result ? error.message : NULL, result ? error.column : 0);
	if (result)
		return;
	filter_free(screen->tables->filter);
	screen->tables->filter = filter;
	screen->state->frozen = false;
}

static void freeze_or_go_on(struct top_screen *screen, bool before)
{
	if (before == screen->state->frozen)
		return;
	if (top_tables_freeze(screen->tables, screen->state, screen->now(screen->context))) {
		screen->state->frozen = false;
		top_state_say(screen->state, true, "out of memory");
	}
}

static int fulfil(struct top_screen *screen, enum top_wish wish)
{
	switch (wish) {
	case WISH_QUIT:
		return TOP_OVER;
	case WISH_FILTER:
	case WISH_READ:
		read_tables(screen);
		return 0;
	case WISH_DETAILS:
		read_details(screen);
		return 0;
	case WISH_CHOICES:
		top_signal_choices(screen->state, pipeline_model(screen->tables->pipeline),
				   top_state_row(screen->state, &screen->tables->table));
		return 0;
	case WISH_WRITE:
		top_write(screen->tables, screen->state, screen->now(screen->context));
		return 0;
	case WISH_SIGNAL:
		top_signal(screen->state);
		return 0;
	case WISH_PAUSE ... WISH_FORWARD:
		return screen->turn ? screen->turn(screen->context, wish) : 0;
	default:
		return 0;
	}
}

static int press(struct top_screen *screen, uint32_t key)
{
	enum top_view view = screen->state->view;
	bool frozen = screen->state->frozen;
	enum top_wish wish = top_state_key(screen->state, key);
	int result = 0;

	if (wish == WISH_FILTER)
		take_filter(screen);
	freeze_or_go_on(screen, frozen);
	if (view != screen->state->view || wish == WISH_FILTER) /* widths belong to one table */
		top_layout_reset(&screen->layout);
	result = fulfil(screen, wish);
	if (wish != WISH_NOTHING && !result)
		draw_all(screen, wish == WISH_REDRAW);
	return result;
}

static int keys(void *context)
{
	struct top_screen *screen = context;
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	uint32_t key;
	int result = 0;

	if (poll(&input, 1, 0) > 0 && input.revents & (POLLHUP | POLLERR | POLLNVAL))
		return -EPIPE; /* unplugged */
	while (!result && terminal_key(screen->terminal, &key))
		result = press(screen, key);
	return result;
}

/* --- signals ----------------------------------------------------------------------------------------------
 */

static void screen_signals(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGWINCH);
	sigaddset(ret_set, SIGTSTP);
	sigaddset(ret_set, SIGCONT);
}

void top_screen_block_signals(void)
{
	sigset_t set;

	screen_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int signalled(void *context)
{
	struct top_screen *screen = context;
	struct signalfd_siginfo info;
	int error;

	if (read(screen->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGTSTP)
		terminal_suspend(screen->terminal);
	error = terminal_resize(screen->terminal);
	if (error)
		return error;
	top_layout_reset(&screen->layout);
	draw_all(screen, true);
	return 0;
}

/* --- from beginning to end --------------------------------------------------------------------------------
 */

static int open_loop(struct top_screen *screen)
{
	sigset_t set;
	int error;

	screen_signals(&set);
	screen->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen->signal_fd < 0)
		return -errno;
	screen->timer = loop_add_timer(screen->loop, due, screen);
	if (screen->timer < 0)
		return screen->timer;
	error = loop_add_fd(screen->loop, STDIN_FILENO, LOOP_READABLE, keys, screen);
	if (!error)
		error = loop_add_fd(screen->loop, screen->signal_fd, LOOP_READABLE, signalled, screen);
	return error ? error : loop_timer_in(screen->loop, screen->timer, screen->state->delay_ns);
}

int top_screen_open(struct top_screen *screen, struct loop *loop)
{
	const struct view_options view = view_options_of(screen->tables->options);
	const struct terminal_options options = {.colour = view.colour,
						 .ascii = screen->tables->options->ascii};
	int error;

	screen->loop = loop;
	screen->signal_fd = -1;
	top_layout_reset(&screen->layout);
	error = terminal_open(&options, &screen->terminal);
	if (!error)
		error = open_loop(screen);
	return error ? error : top_screen_refresh(screen);
}

void top_screen_close(struct top_screen *screen)
{
	terminal_close(screen->terminal);
	screen->terminal = NULL;
	if (screen->signal_fd >= 0)
		close(screen->signal_fd);
	screen->signal_fd = -1;
	free_details(screen);
}
