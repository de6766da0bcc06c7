/* SPDX-License-Identifier: GPL-2.0-only */
#define _XOPEN_SOURCE_EXTENDED 1
#include "screen/terminal.h"

#include "view/top_keys.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

/* <term.h> has capabilities as macros of such names. */
#undef columns
#undef lines

#define ESCAPE_DELAY_MS 25 /* within which the rest of a key's sequence must follow */
#define RESTORE_MAX	256

struct terminal {
	SCREEN *screen;
	struct canvas canvas;
	bool colour;
};

/* --- crashes ----------------------------------------------------------------------------------------------
 */

/*
 * What a handler of a deadly signal needs, which has no argument to come through: how the terminal was, and
 * the bytes that bring it back there. Not changed while handlers are set.
 */
static struct {
	struct termios attributes;
	char sequence[RESTORE_MAX];
	size_t length;
} restore;

static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* Only what POSIX allows in a handler. The signal is raised again, with its own effect. */
static void crashed(int number)
{
	ssize_t ignored = write(STDOUT_FILENO, restore.sequence, restore.length);

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &restore.attributes);
	raise(number);
}

static void add_restore(const char *capability)
{
	const char *sequence = tigetstr((char *)capability);
	size_t length;

	if (!sequence || sequence == (const char *)-1)
		return;
	length = strlen(sequence);
	if (restore.length + length > sizeof(restore.sequence))
		return;
	memcpy(restore.sequence + restore.length, sequence, length);
	restore.length += length;
}

static void handle_crashes(void)
{
	const struct sigaction action = {.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	restore.length = 0;
	add_restore("sgr0");
	add_restore("op");
	add_restore("rmkx");
	add_restore("cnorm");
	add_restore("rmcup");
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaction(deadly[i], &action, NULL);
}

static void leave_crashes(void)
{
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], SIG_DFL);
}

/* --- begin and end ----------------------------------------------------------------------------------------
 */

bool terminal_is_there(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

/* Meanings that colours carry: the eight that every terminal has, on its own background, so that they can be
 * read whether that is dark or light. Yellow and white are not among them. */
static void open_colours(struct terminal *terminal, bool wanted)
{
	terminal->colour = wanted && has_colors() && start_color() == OK && use_default_colors() == OK;
	if (!terminal->colour)
		return;
	init_pair(1, COLOR_GREEN, -1);
	init_pair(2, COLOR_RED, -1);
	init_pair(3, COLOR_MAGENTA, -1);
	init_pair(4, COLOR_CYAN, -1);
}

int terminal_open(const struct terminal_options *options, struct terminal **ret_terminal)
{
	struct terminal *terminal;
	bool utf8;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &restore.attributes))
		return -ENOTTY;
	setlocale(LC_CTYPE, "");
	utf8 = !options->ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	terminal = calloc(1, sizeof(*terminal));
	if (!terminal)
		return -ENOMEM;
	terminal->screen = terminal_is_there() ? newterm(NULL, stdout, stdin) : NULL;
	if (!terminal->screen) {
		free(terminal);
		return -EINVAL;
	}
	handle_crashes();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	open_colours(terminal, options->colour);
	terminal->canvas.utf8 = utf8;
	*ret_terminal = terminal;
	return terminal_resize(terminal);
}

void terminal_close(struct terminal *terminal)
{
	if (!terminal)
		return;
	endwin();
	leave_crashes();
	delscreen(terminal->screen);
	canvas_free(&terminal->canvas);
	free(terminal);
}

int terminal_resize(struct terminal *terminal)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	return canvas_resize(&terminal->canvas, (unsigned)LINES, (unsigned)COLS);
}

struct canvas *terminal_canvas(struct terminal *terminal)
{
	return &terminal->canvas;
}

/* --- showing ----------------------------------------------------------------------------------------------
 */

struct look {
	attr_t attributes;
	short pair;
};

static struct look look_of(const struct terminal *terminal, const struct canvas_cell *cell)
{
	static const struct look looks[STYLE_COUNT] = {
		[STYLE_DIM] = {A_DIM, 0},
		[STYLE_STRONG] = {A_BOLD, 0},
		[STYLE_NEW] = {0, 1},
		[STYLE_CLOSING] = {A_DIM, 0},
		[STYLE_NOTE] = {0, 3},
		[STYLE_ERROR] = {0, 2},
		[STYLE_ALARM] = {A_BOLD | A_REVERSE, 2},
		[STYLE_TITLE] = {A_UNDERLINE, 0},
		[STYLE_SORTED] = {A_BOLD | A_UNDERLINE, 0},
		[STYLE_TAB] = {A_DIM, 0},
		[STYLE_TAB_SHOWN] = {A_BOLD | A_REVERSE, 0},
		[STYLE_KEY] = {0, 4},
	};
	struct look look = looks[cell->style];

	if (!terminal->colour || cell->marked) /* pieces of other colours would tear the line apart */
		look.pair = 0;
	if (cell->marked)
		look.attributes = (look.attributes & ~(attr_t)A_DIM) | A_REVERSE;
	return look;
}

static void show_cell(const struct terminal *terminal, int y, int x, const struct canvas_cell *cell)
{
	const wchar_t text[2] = {(wchar_t)cell->code, L'\0'};
	struct look look = look_of(terminal, cell);
	cchar_t out;

	if (!cell->code)
		return; /* the character before it covers this one */
	if (setcchar(&out, text, look.attributes, look.pair, NULL) == OK)
		mvadd_wch(y, x, &out);
}

void terminal_show(struct terminal *terminal, bool all)
{
	const struct canvas *canvas = &terminal->canvas;

	if (all)
		clearok(stdscr, TRUE);
	for (unsigned y = 0; y < canvas->rows; y++)
		for (unsigned x = 0; x < canvas->columns; x++)
			show_cell(terminal, (int)y, (int)x, &canvas->cells[(size_t)y * canvas->columns + x]);
	curs_set(canvas->cursor_shown);
	if (canvas->cursor_shown)
		move((int)canvas->cursor_y, (int)canvas->cursor_x);
	refresh();
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

static uint32_t function_key(wint_t key)
{
	switch (key) {
	case KEY_UP:
		return TOP_KEY_UP;
	case KEY_DOWN:
		return TOP_KEY_DOWN;
	case KEY_LEFT:
		return TOP_KEY_LEFT;
	case KEY_RIGHT:
		return TOP_KEY_RIGHT;
	case KEY_PPAGE:
		return TOP_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TOP_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TOP_KEY_HOME;
	case KEY_END:
		return TOP_KEY_END;
	case KEY_DC:
		return TOP_KEY_DELETE;
	case KEY_BTAB:
		return TOP_KEY_BACK_TAB;
	case KEY_BACKSPACE:
		return TOP_KEY_BACKSPACE;
	case KEY_ENTER:
		return TOP_KEY_ENTER;
	case KEY_F(1):
		return '?';
	case KEY_F(10):
		return 'q';
	default:
		return 0;
	}
}

bool terminal_key(struct terminal *terminal, uint32_t *ret_key)
{
	wint_t key;
	int kind = get_wch(&key);

	if (kind == ERR)
		return false;
	*ret_key = kind == KEY_CODE_YES ? function_key(key) : (uint32_t)key;
	return true;
}

/* --- suspending -------------------------------------------------------------------------------------------
 */

void terminal_suspend(struct terminal *terminal)
{
	sigset_t stop;

	endwin();
	leave_crashes();
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* here we stop, and here we go on */
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	handle_crashes();
	refresh();
	terminal_resize(terminal);
}
