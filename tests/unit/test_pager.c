/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal is a pseudo-terminal of 5 rows and 20 columns. */
#include "io/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define SHORT_TEXT "1\n2\n3\n4\n"
#define LONG_TEXT  "1\n2\n3\n4\n5\n"

struct fixture {
	int master;
	FILE *terminal;
	char seen[64];	     /* a file that pagers write to */
	char command[128];   /* PAGER */
	char on_screen[512]; /* what came out of the terminal */
	char paged[512];     /* what a pager wrote to the file */
};

static int setup(void **state)
{
	static struct fixture f;
	const struct winsize size = {.ws_row = 5, .ws_col = 20};
	struct termios mode;
	int slave;

	f.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (f.master < 0 || grantpt(f.master) || unlockpt(f.master))
		return -1;
	slave = open(ptsname(f.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &mode))
		return -1;
	cfmakeraw(&mode);
	if (tcsetattr(slave, TCSANOW, &mode) || ioctl(slave, TIOCSWINSZ, &size))
		return -1;
	f.terminal = fdopen(slave, "w");
	strcpy(f.seen, "/tmp/test_pager.XXXXXX");
	close(mkstemp(f.seen));
	*state = &f;
	return f.terminal ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fclose(f->terminal);
	close(f->master);
	unlink(f->seen);
	unsetenv("PAGER");
	return 0;
}

/* PAGER is the command, followed by the file that it may write to. */
static void use_pager(struct fixture *f, const char *before)
{
	snprintf(f->command, sizeof(f->command), "%s%s", before, f->seen);
	setenv("PAGER", f->command, 1);
}

static void read_screen(struct fixture *f)
{
	struct pollfd ready = {.fd = f->master, .events = POLLIN};
	size_t length = 0;

	while (poll(&ready, 1, 0) == 1 && length < sizeof(f->on_screen) - 1) {
		ssize_t n = read(f->master, f->on_screen + length, sizeof(f->on_screen) - 1 - length);

		if (n <= 0)
			break;
		length += (size_t)n;
	}
	f->on_screen[length] = '\0';
}

static void read_paged(struct fixture *f)
{
	FILE *file = fopen(f->seen, "re");
	size_t n;

	assert_non_null(file);
	n = fread(f->paged, 1, sizeof(f->paged) - 1, file);
	f->paged[n] = '\0';
	fclose(file);
}

static int show(struct fixture *f, const char *text, bool wanted, int error)
{
	struct pager pager;
	int result;

	assert_int_equal(pager_begin(&pager, f->terminal, wanted), 0);
	fputs(text, pager.out);
	result = pager_end(&pager, error);
	read_screen(f);
	read_paged(f);
	return result;
}

static void test_long_is_paged(void **state)
{
	struct fixture *f = *state;

	use_pager(f, "cat >");
	assert_int_equal(show(f, LONG_TEXT, true, 0), 0);
	assert_string_equal(f->paged, LONG_TEXT);
	assert_string_equal(f->on_screen, "");
}

/* What the pager writes goes to the terminal. */
static void test_pager_has_terminal(void **state)
{
	struct fixture *f = *state;

	setenv("PAGER", "head -n 2", 1);
	assert_int_equal(show(f, LONG_TEXT, true, 0), 0);
	assert_string_equal(f->on_screen, "1\n2\n");
}

static void test_short_is_not(void **state)
{
	struct fixture *f = *state;

	use_pager(f, "cat >");
	assert_int_equal(show(f, SHORT_TEXT, true, 0), 0);
	assert_string_equal(f->on_screen, SHORT_TEXT);
	assert_string_equal(f->paged, "");
}

/* Lines wrap: 41 columns take three rows, two of them six. é is one column. */
static void test_wide_is_long(void **state)
{
	struct fixture *f = *state;
	char text[200];

	use_pager(f, "cat >");
	memset(text, 'x', 41);
	strcpy(text + 41, "\n");
	assert_int_equal(show(f, text, true, 0), 0);
	assert_string_equal(f->paged, "");
	memset(text, 'x', 82);
	text[41] = '\n';
	strcpy(text + 82, "\n");
	assert_int_equal(show(f, text, true, 0), 0);
	assert_string_equal(f->paged, text);
	text[0] = '\0';
	for (int i = 0; i < 80; i++)
		strcat(text, "\xc3\xa9");
	use_pager(f, "cat >");
	assert_int_equal(show(f, text, true, 0), 0);
	assert_string_equal(f->on_screen, text);
}

static void test_not_wanted(void **state)
{
	struct fixture *f = *state;

	use_pager(f, "cat >");
	assert_int_equal(show(f, LONG_TEXT, false, 0), 0);
	assert_string_equal(f->on_screen, LONG_TEXT);
	assert_string_equal(f->paged, "");
	setenv("PAGER", "", 1);
	assert_int_equal(show(f, LONG_TEXT, true, 0), 0);
	assert_string_equal(f->on_screen, LONG_TEXT);
	setenv("PAGER", "cat", 1);
	assert_int_equal(show(f, LONG_TEXT, true, 0), 0);
	assert_string_equal(f->on_screen, LONG_TEXT);
}

static void test_no_terminal(void **state)
{
	struct fixture *f = *state;
	FILE *file = tmpfile();
	struct pager pager;

	use_pager(f, "cat >");
	assert_int_equal(pager_begin(&pager, file, true), 0);
	assert_ptr_equal(pager.out, file);
	fputs(LONG_TEXT, pager.out);
	assert_int_equal(pager_end(&pager, 0), 0);
	assert_int_equal(ftell(file), strlen(LONG_TEXT));
	fclose(file);
}

static void test_pager_not_there(void **state)
{
	struct fixture *f = *state;

	setenv("PAGER", "/nowhere/at/all 2>/dev/null", 1);
	assert_int_equal(show(f, LONG_TEXT, true, 0), 0);
	assert_string_equal(f->on_screen, LONG_TEXT);
}

/* More than a pipe holds, to a pager that does not read it, and says that it failed. */
static void test_pager_leaves(void **state)
{
	struct fixture *f = *state;
	size_t size = 1 << 20;
	char *text = malloc(size + 1);

	assert_non_null(text);
	memset(text, '\n', size);
	text[size] = '\0';
	setenv("PAGER", "exit 3", 1);
	assert_int_equal(show(f, text, true, 0), 0);
	assert_string_equal(f->on_screen, "");
	free(text);
}

static void test_error(void **state)
{
	struct fixture *f = *state;

	use_pager(f, "cat >");
	assert_int_equal(show(f, LONG_TEXT, true, -EIO), -EIO);
	assert_string_equal(f->on_screen, "");
	assert_string_equal(f->paged, "");
}

static void test_stream_fails(void **state)
{
	struct pager pager;
	FILE *full = fopen("/dev/full", "we");

	assert_int_equal(pager_begin(&pager, full, true), 0);
	fputs(LONG_TEXT, pager.out);
	assert_int_equal(pager_end(&pager, 0), -ENOSPC);
	fclose(full);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_long_is_paged),   TEST(test_pager_has_terminal), TEST(test_short_is_not),
		TEST(test_wide_is_long),    TEST(test_not_wanted),	   TEST(test_no_terminal),
		TEST(test_pager_not_there), TEST(test_pager_leaves),	   TEST(test_error),
		TEST(test_stream_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
