/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGER_DEFAULT "less -FRX"
#define PIPE_BYTES    65536 /* what a pipe takes at once */
#define NO_COMMAND    127   /* of the shell: it was not found */

/* NULL: there is to be none. */
static const char *pager_command(void)
{
	const char *command = getenv("PAGER");

	if (!command)
		return PAGER_DEFAULT;
	return *command && strcmp(command, "cat") ? command : NULL;
}

int pager_begin(struct pager *pager, FILE *to, bool wanted)
{
	*pager = (struct pager){.out = to, .to = to};
	if (!isatty(fileno(to)))
		setvbuf(to, NULL, _IOFBF, PIPE_BYTES);
	if (!wanted || !isatty(fileno(to)) || !pager_command())
		return 0;
	pager->out = open_memstream(&pager->text, &pager->length);
	if (pager->out)
		return 0;
	*pager = (struct pager){.out = to, .to = to};
	return -ENOMEM;
}

/* --- how much of the screen it takes ----------------------------------------------------------------------
 */

/* Escape sequences count as if they were seen, so it is rather too much. */
static size_t rows_of(const char *text, size_t length, size_t columns)
{
	size_t rows = 0, width = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n') {
			rows++;
			width = 0;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80 && ++width > columns) {
			rows++;
			width = 1;
		}
	}
	return rows;
}

/* The prompt takes a row. */
static bool fits_screen(const struct pager *pager)
{
	struct winsize screen;

	if (ioctl(fileno(pager->to), TIOCGWINSZ, &screen) || !screen.ws_row || !screen.ws_col)
		return true;
	return rows_of(pager->text, pager->length, screen.ws_col) < screen.ws_row;
}

/* --- showing ----------------------------------------------------------------------------------------------
 */

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

/* In the child. Whoever runs as root may have been allowed this program only: no shell from the pager. */
static _Noreturn void run(const char *command, int in_fd, int out_fd)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	if (!geteuid())
		setenv("LESSSECURE", "1", 1);
	if (dup2(in_fd, STDIN_FILENO) >= 0 && dup2(out_fd, STDOUT_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(NO_COMMAND);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* True when somebody has looked at it. */
static bool show_paged(const struct pager *pager)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return false;
	pid = fork();
	if (!pid)
		run(pager_command(), fds[0], fileno(pager->to));
	close(fds[0]);
	if (pid > 0)
		write_all(fds[1], pager->text, pager->length);
	close(fds[1]);
	return pid > 0 && wait_for(pid) != NO_COMMAND;
}

/* What is typed to stop the pager, or what it shows, is not for us; a reader that leaves is no error. */
static int show(const struct pager *pager)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction interrupt, quit, broken;
	bool shown = false;

	if (!fits_screen(pager)) {
		sigaction(SIGINT, &ignore, &interrupt);
		sigaction(SIGQUIT, &ignore, &quit);
		sigaction(SIGPIPE, &ignore, &broken);
		shown = show_paged(pager);
		sigaction(SIGPIPE, &broken, NULL);
		sigaction(SIGQUIT, &quit, NULL);
		sigaction(SIGINT, &interrupt, NULL);
	}
	return shown ? 0 : write_all(fileno(pager->to), pager->text, pager->length);
}

int pager_end(struct pager *pager, int error)
{
	if (pager->out == pager->to) {
		if (fflush(pager->to) && !error)
			error = -errno;
		return error;
	}
	if (fclose(pager->out) && !error)
		error = -errno;
	if (!error && !fflush(pager->to))
		error = show(pager);
	free(pager->text);
	return error;
}
